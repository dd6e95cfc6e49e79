//! Compiling with samples: what the plan would be is compiled, a sample of each of its datasets is taken, and it is compiled
//! again with what they showed. Both compilations are of the same snapshot, so that nothing else can differ.
//!
//! Datasets are sampled side by side, as many as the sampler can at a time. One that cannot be sampled stops only itself:
//! its error is what its sample showed.

use greylag_driver::clock::Clock;
use greylag_driver::error::DriverError;
use greylag_driver::sampler::{SampleRequest, Sampler};
use greylag_model::plan::{CompileOptions, Compiled, Places, Plan, PlanTask, compile, task_id};
use greylag_model::sample::{Sample, Sampling};
use greylag_model::snapshot::{PairSnapshot, Snapshot};
use greylag_model::spec::Migration;
use greylag_model::task::Failure;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How samples are to be taken.
#[derive(Clone, Copy)]
pub struct Samples<'a> {
    /// Takes them.
    pub sampler: &'a dyn Sampler,
    /// Most rows of one dataset, at least 1.
    pub rows: u64,
    /// Tells how long they took.
    pub clock: &'a dyn Clock,
    /// Once set, no more are taken.
    pub stop: &'a AtomicBool,
    /// Is told after each, from any thread, how many of how many are taken.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

/// Compiles a migration with samples of its datasets; `None` if the stop flag was set meanwhile.
pub fn compile_sampled(
    migration: &Migration,
    places: Places<'_>,
    mut snapshot: Snapshot,
    options: &CompileOptions,
    samples: Samples<'_>,
) -> Option<Compiled> {
    let compiled = compile(migration, places, &snapshot, options);
    let Some(plan) = &compiled.plan else { return Some(compiled) };
    let begun = samples.clock.elapsed();
    let taken = take(plan, samples)?;
    let millis = millis_since(samples.clock, begun);
    enter(&mut snapshot.pairs, &plan.tasks, taken);
    snapshot.sampling = Some(Sampling { rows: samples.rows, millis });
    Some(compile(migration, places, &snapshot, options))
}

fn millis_since(clock: &dyn Clock, begun: Duration) -> u64 {
    u64::try_from(clock.elapsed().saturating_sub(begun).as_millis()).unwrap_or(u64::MAX)
}

/// A sample of each task, in order.
fn take(plan: &Plan, samples: Samples<'_>) -> Option<Vec<Result<Sample, DriverError>>> {
    let tasks = &plan.tasks;
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let taken: Mutex<Vec<Option<Result<Sample, DriverError>>>> = Mutex::new(vec![None; tasks.len()]);
    let stopped = || samples.stop.load(Ordering::SeqCst);
    let work = || {
        while !stopped() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(index) else { return };
            let begun = samples.clock.elapsed();
            let request = SampleRequest { header: &plan.header, task, rows: samples.rows };
            let mut sample = samples.sampler.sample(&request, &stopped);
            if let Ok(sample) = &mut sample {
                sample.millis = millis_since(samples.clock, begun);
            }
            taken.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(sample);
            (samples.progress)(done.fetch_add(1, Ordering::SeqCst) + 1, tasks.len());
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..samples.sampler.width().min(tasks.len()) {
            scope.spawn(work);
        }
        work();
    });
    if stopped() {
        return None;
    }
    taken.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect()
}

/// Enters samples at the pairs whose tasks they are of. Tasks are in the order of the pairs; blocked pairs have none.
fn enter(pairs: &mut [PairSnapshot], tasks: &[PlanTask], taken: Vec<Result<Sample, DriverError>>) {
    let mut sampled = tasks.iter().zip(taken).peekable();
    for pair in pairs {
        let id = task_id(&pair.target.entity);
        let own = |(task, _): &(&PlanTask, _)| {
            let planned = task.dataset().map(|work| &work.source);
            task.id == id && pair.source.as_ref().ok() == planned
        };
        if let Some((_, sample)) = sampled.next_if(own) {
            pair.sample = Some(sample.map_err(Failure::from));
        }
    }
}
