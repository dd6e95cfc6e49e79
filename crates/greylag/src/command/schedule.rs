//! `greylag schedule`: runs migrations with increments when they are due.

use super::plan::plan_files;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::migration_files;
use crate::output::{self, Row, heading};
use crate::templates::Parameters;
use crate::{drive, recheck, show, wire};
use clap::Args;
use greylag_driver::journal::Journal;
use greylag_engine::service;
use greylag_model::code;
use greylag_model::id::Timestamp;
use greylag_model::schedule::Schedule as Times;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// So long it sleeps at most before it looks at the clock again: clocks are set, and machines are put to sleep.
const LOOK_MILLIS: i64 = 1_000;
/// Runs that are looked through for the last one of a migration.
const RUNS: usize = 10_000;

/// Run migrations with increments whenever their schedule says so, until it is stopped.
///
/// Each time the files are read, planned and applied anew, so that changes of them and new datasets count from the next time
/// on. What a run cannot do (a dataset is blocked, a task fails) is told, and the next time comes all the same. A time that
/// passed while nothing ran is made up for once; one that comes while the run before it is still under way is passed over.
///
/// Ctrl-C and SIGTERM stop it: a run under way goes on with `greylag resume RUN`, or at the next start.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag schedule -f events.yaml\n  \
                        greylag schedule -f events.yaml --list 5    when it would run\n  \
                        greylag schedule -f events.yaml --times 1   run once when it is due, then end")]
pub(crate) struct Schedule {
    /// Migration files, or directories of them.
    #[arg(short, long, required = true, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Only show the next N times (5 if no number is given).
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "5",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    list: Option<u32>,
    /// End after so many times.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "list")]
    times: Option<u32>,
    #[command(flatten)]
    parameters: Parameters,
}

/// A file's migration, and when it is due.
struct Due {
    file: PathBuf,
    migration: String,
    times: Times,
    next: Timestamp,
}

#[derive(Serialize)]
struct Listed {
    migration: String,
    at: Timestamp,
}

impl Schedule {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let mut all = self.read(context)?;
        if let Some(count) = self.list {
            return list(context, &all, count);
        }
        let journal = context.journal()?;
        for due in &mut all {
            due.next = first(journal, due, context.now())?;
        }
        let mut left = self.times;
        let mut told = None;
        loop {
            let Some(index) = (0..all.len()).min_by_key(|index| all[*index].next) else { return Ok(Exit::Done) };
            let due = &all[index];
            if told != Some(due.next) {
                told = Some(due.next);
                context.say(&format!("{} is due at {}", due.migration, show::instant(due.next)));
            }
            while context.now() < due.next {
                if context.interrupted() {
                    return Ok(Exit::Done);
                }
                let wait = due.next.millis_since(context.now()).clamp(0, LOOK_MILLIS);
                std::thread::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0)));
            }
            if self.once(context, &all[index])? == Exit::Interrupted {
                return Ok(Exit::Interrupted);
            }
            left = left.map(|left| left - 1);
            if left == Some(0) {
                return Ok(Exit::Done);
            }
            // A time that came meanwhile is passed over.
            let now = context.now();
            let due = &mut all[index];
            due.next = due.times.next(now.max(due.next)).ok_or_else(|| never(&due.migration))?;
        }
    }

    /// The migrations of the files that have a schedule.
    fn read(&self, context: &Context) -> Result<Vec<Due>, Failure> {
        let mut all = Vec::new();
        for path in &self.file {
            let mut files = migration_files::read(std::slice::from_ref(path), context.format().is_json())?;
            self.parameters.render(context, &mut files)?;
            for (migration, _) in &files.migrations {
                let name = migration.metadata.name.clone();
                let schedule = migration.spec.increments.as_ref().and_then(|increments| increments.schedule.as_ref());
                let Some(schedule) = schedule else {
                    let message = format!("the migration `{name}` has no schedule");
                    return Err(Failure::usage(message)
                        .hint("add `increments: {schedule: {cron: \"15 * * * *\"}}` to its spec"));
                };
                let times = Times::new(&schedule.cron, schedule.zone.as_deref())
                    .map_err(|why| Failure::error(code::spec::BAD_SCHEDULE, format!("`{name}`: {why}")))?;
                let next = times.next(context.now()).ok_or_else(|| never(&name))?;
                all.push(Due { file: path.clone(), migration: name, times, next });
            }
        }
        Ok(all)
    }

    /// Plans and applies one migration; what goes wrong with it is told, and is no reason to end.
    fn once(&self, context: &Context, due: &Due) -> Outcome {
        match self.apply(context, due) {
            Ok(exit) => Ok(exit),
            Err(failure) if failure.exit == Exit::Interrupted => Err(failure),
            Err(failure) => {
                failure.report(context.format().is_json());
                Ok(Exit::Incomplete)
            }
        }
    }

    fn apply(&self, context: &Context, due: &Due) -> Outcome {
        let state = context.state()?;
        let mut exit = Exit::Done;
        for planned in plan_files(context, std::slice::from_ref(&due.file), &self.parameters, None, None)? {
            if planned.header.migration != due.migration {
                continue;
            }
            for blocked in &planned.header.blocked {
                let why = blocked.reasons.first().map(|reason| reason.message.as_str()).unwrap_or_default();
                context.say(&format!("{} → {} is left out: {why}", blocked.from, blocked.to));
            }
            let plan = &recheck::recheck(context, state, &planned.header, true)?;
            let run = super::apply::next_name(state, plan)?;
            service::start_run(&wire::engine(context, state)?, &plan.id, &run)?;
            context.say(&format!("run {run} of {} recorded", plan.id));
            exit = exit.max(drive::drive_and_tell(context, &run, &drive::Waits::default())?);
        }
        Ok(exit)
    }
}

/// The first time: one that has passed since the last run began is made up for at once.
fn first(journal: &dyn Journal, due: &Due, now: Timestamp) -> Result<Timestamp, Failure> {
    let last = journal.runs(RUNS)?.into_iter().find(|run| run.migration == due.migration);
    let missed = last.and_then(|run| due.times.next(run.created_at)).filter(|at| *at <= now);
    Ok(missed.map_or(due.next, |_| now))
}

fn list(context: &Context, all: &[Due], count: u32) -> Outcome {
    let mut listed: Vec<Listed> = Vec::new();
    for due in all {
        let mut at = Some(due.next);
        for _ in 0..count {
            let Some(time) = at else { break };
            listed.push(Listed { migration: due.migration.clone(), at: time });
            at = due.times.next(time);
        }
    }
    listed.sort_by_key(|one| one.at);
    listed.truncate(count as usize);
    let row = |one: &Listed| Row::new(one.migration.clone(), vec![show::instant(one.at), one.migration.clone()], one);
    output::list(
        context.format(),
        "schedule",
        &[heading("at"), heading("migration")],
        listed.iter().map(row).collect(),
    )?;
    Ok(Exit::Done)
}

fn never(migration: &str) -> Failure {
    Failure::error(code::spec::BAD_SCHEDULE, format!("no more times of `{migration}`'s schedule come"))
}
