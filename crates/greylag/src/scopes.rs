//! The code that a plan moves along: repositories of the forge, looked at while the plan is made.

use crate::command::rewrite;
use crate::consumers;
use crate::context::Context;
use crate::failure::Failure;
use crate::progress;
use crate::wire::{self, State};
use greylag_code::forge::Hosts;
use greylag_code::git::ObjectId;
use greylag_code::repository::Options;
use greylag_code::scope;
use greylag_driver::error::DriverError;
use greylag_model::consumer::TableChange;
use greylag_model::mapping::Mapping;
use greylag_model::plan::{CodeObserved, Places, PlanTask, ScopeObserved, mapping_of};
use greylag_model::snapshot::Snapshot;
use greylag_model::spec::{ConsumersSpec, Migration, ScopesSpec};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Looks at the repositories that a migration names, and tells its snapshot. Nothing is done where the migration does not
/// speak of code, or where there is no forge.
pub(crate) fn look(
    context: &Context,
    state: &State,
    migration: &Migration,
    places: Places<'_>,
    snapshot: &mut Snapshot,
) -> Result<(), Failure> {
    let Some(policy) = &migration.spec.consumers else { return Ok(()) };
    if !context.home()?.forge().exists() {
        context.say("the forge has no repositories, so no code is looked at: `greylag changes host PATH…` takes some");
        return Ok(());
    }
    let forge = wire::forge(context)?;
    let names = scope::named(&forge, &policy.patterns())?;
    let (changes, mappings) =
        changes(state, migration, policy, places, snapshot)?.into_iter().unzip::<_, _, Vec<_>, _>();
    let scopes = observe_all(context, &forge, &names, &changes, &policy.scopes)?;
    snapshot.code = Some(CodeObserved { changes, mappings, scopes });
    Ok(())
}

/// What every pair that can be migrated changes for code.
fn changes(
    state: &State,
    migration: &Migration,
    policy: &ConsumersSpec,
    places: Places<'_>,
    snapshot: &Snapshot,
) -> Result<Vec<(TableChange, Mapping)>, Failure> {
    let mut changes = Vec::new();
    for (at, (pair, probed)) in migration.spec.datasets.iter().zip(&snapshot.pairs).enumerate() {
        let Ok(observed) = &probed.source else { continue };
        // What is wrong with a pair is told by compiling it.
        let Ok(mapping) = mapping_of(migration, at, places, observed) else { continue };
        let change = consumers::change(state.catalog.as_ref(), pair, observed, &mapping)?;
        changes.push((change.with(policy), mapping));
    }
    Ok(changes)
}

/// Looks at all of them, on as many threads as there are processors.
fn observe_all(
    context: &Context,
    hosts: &dyn Hosts,
    names: &[String],
    changes: &[TableChange],
    policy: &ScopesSpec,
) -> Result<Vec<ScopeObserved>, Failure> {
    let bar = progress::bar(context);
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(names.len())));
    let stop = context.stop();
    let work = || {
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !stop.load(Ordering::Acquire))
        {
            let observed = scope::observe(hosts, name, changes, policy, Options::default());
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push(observed);
            progress::tick(&bar, found.len(), names.len());
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..wire::parallelism().min(names.len()) {
            scope.spawn(work);
        }
        work();
    });
    bar.finish_and_clear();
    if context.interrupted() {
        return Err(Failure::interrupted());
    }
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut found = found.into_iter().collect::<Result<Vec<_>, DriverError>>()?.concat();
    found.sort_by_key(ScopeObserved::name);
    Ok(found)
}

/// The very edits that the scopes of a plan would get, as one patch after the other.
pub(crate) fn patches(context: &Context, tasks: &[PlanTask]) -> Result<String, Failure> {
    let mut text = String::new();
    let mut scopes = tasks.iter().filter_map(PlanTask::scope).peekable();
    if scopes.peek().is_none() {
        return Ok(text);
    }
    let forge = wire::forge(context)?;
    for work in scopes {
        let found = &work.found;
        let tree = Hosts::repository(&forge, &found.repository)?.tree(&ObjectId::parse(&found.commit)?)?;
        let options = Options::default();
        let report = scope::look(&tree, found, &work.changes, &work.policy.scopes, options)?.report;
        // Writing to a string does not fail.
        let _ = writeln!(text, "# {} at {}", found.name(), found.commit);
        for file in &report.files {
            let Some(new) = &file.new else { continue };
            text.push_str(&rewrite::patch(&file.path, file.moved.as_deref(), &file.old, new));
        }
    }
    Ok(text)
}
