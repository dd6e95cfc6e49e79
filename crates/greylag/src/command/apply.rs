//! `greylag apply`: runs exactly what was planned.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use crate::wire::State;
use crate::{drive, follow, output, recheck, wire};
use clap::Args;
use greylag_engine::service;
use greylag_model::code;
use greylag_model::id::RunId;
use greylag_model::plan::PlanHeader;
use std::path::PathBuf;

/// Run exactly what a plan says, with progress; nothing outside the plan is touched.
///
/// The plan's datasets are probed again first: one whose identity or schema has changed since is stale and is not begun.
/// The run goes on in this process until all tasks have ended, also while owners look at change requests, which may take
/// weeks: `--no-wait` ends when nothing else is left, and several plans do not wait for one another's owners then. Ctrl-C
/// stops it gracefully; killed or stopped, it goes on with `greylag resume RUN`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag apply PLAN                    what `greylag plan` printed last\n  \
                        greylag apply -f orders.yaml          plan, show, ask, run\n  \
                        greylag apply -f orders.yaml --sample the same, tried on the first rows beforehand\n  \
                        greylag apply PLAN --record-only      only record it; `greylag resume RUN` drives it")]
pub(crate) struct Apply {
    /// Plans to run, one after the other.
    #[arg(value_name = "PLAN", required_unless_present = "file")]
    plans: Vec<String>,
    /// Plan these migration files first, show the plan, and ask.
    #[arg(short, long, value_name = "FILE", conflicts_with = "plans")]
    file: Vec<PathBuf>,
    #[command(flatten)]
    sample: super::plan::Sample,
    #[command(flatten)]
    parameters: crate::templates::Parameters,
    /// Confirm beforehand.
    #[arg(short, long)]
    yes: bool,
    /// Name of the run; the default is the migration's name and a number.
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Run although some datasets changed since the plan; those end as stale.
    #[arg(long)]
    keep_going: bool,
    /// Only record the run; `greylag resume RUN` drives it.
    #[arg(long)]
    record_only: bool,
    #[command(flatten)]
    waits: drive::Waits,
}

impl Apply {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let journal = context.journal()?;
        if self.sample.rows.is_some() && self.file.is_empty() {
            return Err(Failure::usage("`--sample` belongs to planning, and a plan was given")
                .hint("say it to `greylag plan`, or give the migration files with `-f FILE`"));
        }
        let plans: Vec<PlanHeader> = if self.file.is_empty() {
            self.plans.iter().map(|name| super::select::plan(journal, name)).collect::<Result<_, _>>()?
        } else {
            let shown = matches!(context.format(), Format::Table | Format::Wide)
                .then_some(super::plan::Show::Plan { full: false });
            let planned = super::plan::plan_files(context, &self.file, &self.parameters, self.sample.rows, shown)?;
            planned.into_iter().map(|planned| planned.header).collect()
        };
        if self.run.is_some() && plans.len() > 1 {
            return Err(Failure::usage("`--run` names one run, and several plans were given")
                .hint("apply them one by one, or leave `--run` out"));
        }
        context.confirm(&question(&plans), self.yes || !self.plans.is_empty())?;
        let state = context.state()?;
        let mut exit = Exit::Done;
        for plan in &plans {
            let run = match &self.run {
                Some(name) => RunId::new(name),
                None => next_name(state, plan)?,
            };
            let plan = &recheck::recheck(context, state, plan, self.keep_going)?;
            service::start_run(&wire::engine(context, state)?, &plan.id, &run)?;
            context.say(&format!("run {run} of {} recorded", plan.id));
            if self.record_only {
                recorded(context, &run)?;
                continue;
            }
            let ended = drive::drive_and_tell(context, &run, &self.waits)?;
            exit = exit.max(ended);
            if ended == Exit::Interrupted {
                break;
            }
        }
        Ok(exit)
    }
}

/// A run that only was recorded: its name, or all of it for programs.
fn recorded(context: &Context, run: &RunId) -> Result<(), Failure> {
    if context.format().is_json() {
        let record = follow::record(context.journal()?, run)?;
        return output::document(context.format(), "run", &serde_json::json!({ "outcome": "recorded", "run": record }));
    }
    output::text(&format!("{run}\n"))
}

fn question(plans: &[PlanHeader]) -> String {
    let datasets: u64 = plans.iter().map(|plan| plan.totals.datasets).sum();
    let bytes: u64 = plans.iter().map(|plan| plan.totals.bytes).sum();
    let noun = if datasets == 1 { "dataset" } else { "datasets" };
    format!("Migrate {datasets} {noun} ({})?", output::bytes(bytes))
}

/// The migration's name and the next free number.
pub(super) fn next_name(state: &State, plan: &PlanHeader) -> Result<RunId, Failure> {
    let (journal, prune) = (&state.journal, &state.prune);
    for number in 1..=100_000 {
        let run = RunId::new(format!("{}-{number}", plan.migration));
        if journal.run(&run)?.is_none() && prune.removed_at(&run)?.is_none() {
            return Ok(run);
        }
    }
    Err(Failure::error(code::cli::INTERNAL, "no free name for the run").hint("name it with `--run NAME`"))
}
