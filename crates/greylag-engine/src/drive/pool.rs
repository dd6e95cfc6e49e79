//! Threads that do steps' work, and the board on which each attempt and the decider talk.

use super::condition;
use super::outputs::Outputs;
use crate::Shared;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, Progress, StepRequest};
use greylag_driver::journal::AttemptKey;
use greylag_model::code::engine as code;
use greylag_model::id::Timestamp;
use greylag_model::increment::Base;
use greylag_model::plan::{PlanHeader, PlanTask};
use greylag_model::spec::ErrorClass;
use greylag_model::task::Direction;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What is to be done for a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// Begin an attempt.
    Start,
    /// Ask after pending work.
    Poll(String),
    /// End pending work.
    Cancel(String),
}

/// One errand with all that it needs.
pub(super) struct Job {
    pub(super) key: AttemptKey,
    pub(super) attempt: u32,
    pub(super) header: Arc<PlanHeader>,
    pub(super) plan: Arc<PlanTask>,
    pub(super) outputs: Outputs,
    pub(super) errand: Errand,
    pub(super) board: Arc<Board>,
}

/// What came of it.
pub(super) struct Report {
    pub(super) ordinal: u64,
    pub(super) epoch: u64,
    pub(super) errand: Errand,
    pub(super) result: Result<Outcome, DriverError>,
    pub(super) took: Duration,
}

/// Where an attempt and the decider see each other.
#[derive(Default)]
pub(super) struct Board {
    cancelled: AtomicBool,
    /// Microseconds of elapsed time at which a thread took it, plus one; 0 before.
    begun: AtomicU64,
    live: Mutex<Option<Progress>>,
}

impl Board {
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
    /// Elapsed time at which a thread took it, if one has.
    pub(super) fn begun(&self) -> Option<Duration> {
        self.begun.load(Ordering::Acquire).checked_sub(1).map(Duration::from_micros)
    }
    /// What the attempt has told of its progress since the last time this was asked.
    pub(super) fn take_live(&self) -> Option<Progress> {
        lock(&self.live).take()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The threads.
pub(super) struct Pool {
    shared: Arc<Shared>,
    desk: Arc<Desk>,
    threads: Vec<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Desk {
    jobs: Mutex<Jobs>,
    work: Condvar,
    reports: Mutex<Vec<Report>>,
    reported: Condvar,
}

#[derive(Default)]
struct Jobs {
    /// By how far their tasks are: those go first that have least before them. So tasks end one after the other, and while
    /// some wait for the disk others have work for the processors; if all went through the same step together, they would
    /// wait together, too.
    queue: BTreeMap<u32, VecDeque<Job>>,
    closed: bool,
}

impl Jobs {
    fn push(&mut self, job: Job) {
        let steps = job.plan.steps.len() as u32;
        let done = match (&job.errand, job.key.direction) {
            (Errand::Start, Direction::Forward) => job.key.step,
            (Errand::Start, Direction::Undo) => steps.saturating_sub(job.key.step),
            (Errand::Poll(_) | Errand::Cancel(_), _) => steps,
        };
        self.queue.entry(done).or_default().push_back(job);
    }

    fn pop(&mut self) -> Option<Job> {
        let mut furthest = self.queue.last_entry()?;
        let job = furthest.get_mut().pop_front();
        if furthest.get().is_empty() {
            furthest.remove();
        }
        job
    }
}

impl Pool {
    pub(super) fn new(shared: &Arc<Shared>) -> Result<Self, DriverError> {
        let mut pool = Self { shared: Arc::clone(shared), desk: Arc::default(), threads: Vec::new() };
        for _ in 0..shared.limits.workers.max(1) {
            pool.add_thread()?;
        }
        Ok(pool)
    }

    /// One more thread: at the start, and in the place of one that hangs.
    pub(super) fn add_thread(&mut self) -> Result<(), DriverError> {
        let (shared, desk) = (Arc::clone(&self.shared), Arc::clone(&self.desk));
        let name = format!("attempt-{}", self.threads.len() + 1);
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || serve(&shared, &desk))
            .map_err(|error| DriverError::transient(code::STUCK, format!("no thread can be started: {error}")))?;
        self.threads.push(thread);
        Ok(())
    }

    pub(super) fn submit(&self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let many = jobs.len() > 1;
        {
            let mut queued = lock(&self.desk.jobs);
            for job in jobs {
                queued.push(job);
            }
        }
        if many {
            self.desk.work.notify_all();
        } else {
            self.desk.work.notify_one();
        }
    }

    /// Reports so far; waits up to `longest` for the first one.
    pub(super) fn reports(&self, longest: Duration) -> Vec<Report> {
        self.reports_together(1, longest)
    }

    /// Reports so far; waits up to `longest` until there are `enough` of them.
    pub(super) fn reports_together(&self, enough: usize, longest: Duration) -> Vec<Report> {
        let mut reports = lock(&self.desk.reports);
        if !longest.is_zero() {
            let few = |reports: &mut Vec<Report>| reports.len() < enough;
            let waited = self.desk.reported.wait_timeout_while(reports, longest, few);
            reports = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut *reports)
    }

    /// Lets the threads end. Those that still work are left to themselves; the others are waited for.
    pub(super) fn close(self, all_idle: bool) {
        {
            let mut jobs = lock(&self.desk.jobs);
            jobs.closed = true;
            jobs.queue.clear();
        }
        self.desk.work.notify_all();
        for thread in self.threads {
            if all_idle || thread.is_finished() {
                // A thread catches the panics of its work, so there is nothing to learn from its end.
                let _ = thread.join();
            }
        }
    }
}

fn serve(shared: &Shared, desk: &Desk) {
    loop {
        let job = {
            let mut jobs = lock(&desk.jobs);
            loop {
                if let Some(job) = jobs.pop() {
                    break job;
                }
                if jobs.closed {
                    return;
                }
                jobs = desk.work.wait(jobs).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let report = work(shared, job);
        lock(&desk.reports).push(report);
        desk.reported.notify_one();
    }
}

fn work(shared: &Shared, job: Job) -> Report {
    let clock = &shared.drivers.clock;
    let begun = clock.elapsed();
    job.board.begun.store(begun.as_micros() as u64 + 1, Ordering::Release);
    let result = if job.board.is_cancelled() && job.errand == Errand::Start {
        Err(DriverError::transient(code::STOPPED, "the attempt was ended before it began"))
    } else {
        catch_unwind(AssertUnwindSafe(|| execute(shared, &job))).unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
    };
    let took = clock.elapsed().saturating_sub(begun);
    Report { ordinal: job.key.ordinal, epoch: job.key.epoch, errand: job.errand, result, took }
}

fn execute(shared: &Shared, job: &Job) -> Result<Outcome, DriverError> {
    let step = &job.plan.steps[job.key.step as usize];
    let executor: &dyn Executor = shared.executor(&step.uses).ok_or_else(|| {
        DriverError::permanent(code::NO_EXECUTOR, format!("no executor serves `{}`", step.uses))
            .hint("run the plan with the version of Greylag that made it")
    })?;
    let request = StepRequest {
        run: &job.key.run,
        task: &job.plan.id,
        header: &job.header,
        plan: &job.plan,
        step,
        direction: job.key.direction,
        attempt: job.attempt,
        epoch: job.key.epoch,
    };
    let context = AttemptContext { shared, job, uses: &step.uses };
    let outcome = match &job.errand {
        Errand::Start => match condition::left_out(&request, &context)? {
            Some(report) => Outcome::Done(report),
            None => executor.start(&request, &context)?,
        },
        Errand::Poll(handle) => executor.poll(&request, handle, &context)?,
        Errand::Cancel(handle) => {
            executor.cancel(&request, handle, &context)?;
            return Ok(Outcome::Done(greylag_driver::executor::StepReport::default()));
        }
    };
    if matches!(outcome, Outcome::Done(_)) {
        context.fault("after-effect").map_err(|error| interrupted("after-effect", &error))?;
    }
    Ok(outcome)
}

/// The error of an operation that a test rig made fail.
pub(super) fn interrupted(point: &str, error: &std::io::Error) -> DriverError {
    DriverError::transient(code::INTERRUPTED, format!("made to fail at `{point}`: {error}"))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> DriverError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message");
    DriverError::new(ErrorClass::Permanent, code::PANICKED, format!("the step panicked: {text}"))
        .hint("this is a defect of Greylag: file an issue with the message and the run's id")
}

/// The name of a fault point.
pub(super) fn point_name(uses: &str, direction: Direction, point: &str) -> String {
    match direction {
        Direction::Forward => format!("{uses}:{point}"),
        Direction::Undo => format!("undo:{uses}:{point}"),
    }
}

struct AttemptContext<'a> {
    shared: &'a Shared,
    job: &'a Job,
    uses: &'a str,
}

impl Context for AttemptContext<'_> {
    fn now(&self) -> Timestamp {
        self.shared.drivers.clock.now()
    }

    fn cancelled(&self) -> bool {
        self.job.board.is_cancelled()
    }

    fn checkpoint_all(&self, notes: &[(String, Value)]) -> Result<(), DriverError> {
        self.shared.drivers.journal.checkpoint_all(&self.job.key, notes)
    }

    fn checkpoints(&self) -> Result<Vec<(String, Value)>, DriverError> {
        self.shared.drivers.journal.checkpoints(&self.job.key)
    }

    fn base_checkpoints(&self, base: &Base) -> Result<Vec<(String, Value)>, DriverError> {
        self.shared.drivers.journal.checkpoints(&AttemptKey::forwards(base))
    }

    fn noted_forwards(&self) -> Result<Vec<(String, Value)>, DriverError> {
        let key = AttemptKey { direction: Direction::Forward, ..self.job.key.clone() };
        self.shared.drivers.journal.checkpoints(&key)
    }

    fn progress(&self, progress: Progress) {
        *lock(&self.job.board.live) = Some(progress);
    }

    fn output_of(&self, uses: &str) -> Result<Option<Arc<Value>>, DriverError> {
        let key = &self.job.key;
        self.job.outputs.get(uses, || self.shared.drivers.journal.output(&key.run, key.ordinal, uses))
    }

    fn fault(&self, point: &str) -> std::io::Result<()> {
        let faults = &self.shared.drivers.faults;
        if !faults.armed() {
            return Ok(());
        }
        faults.hit(&point_name(self.uses, self.job.key.direction, point))
    }
}
