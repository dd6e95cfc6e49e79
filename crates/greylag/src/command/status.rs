//! `greylag status`: how a run is doing, and its tasks.

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format, Row, heading, wide};
use crate::{follow, show};
use clap::Args;
use greylag_driver::journal::{RunRecord, TaskFilter, TaskRecord};
use greylag_model::id::TaskId;
use greylag_model::task::TaskState;

/// Show how a run is doing and the state of its tasks.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The run (or an unambiguous beginning of its name); the default is the newest.
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Keep showing until the run ends.
    #[arg(short, long)]
    watch: bool,
    /// Only tasks that failed, were quarantined, are stale or were skipped.
    #[arg(long)]
    failed: bool,
    /// Only this task.
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// At most so many tasks.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
}

impl Status {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let journal = context.journal()?;
        let mut run = super::select::run(journal, self.run.as_deref())?;
        if self.watch {
            run = follow::until_ended(context, &run.id)?;
        }
        let states = if self.failed {
            vec![TaskState::Failed, TaskState::Quarantined, TaskState::Stale, TaskState::Skipped]
        } else {
            Vec::new()
        };
        let filter = TaskFilter { states, id: self.task.as_deref().map(TaskId::new) };
        let tasks = journal.tasks(&run.id, &filter, 0, self.limit)?;
        if context.format().is_json() {
            output::document(context.format(), "status", &serde_json::json!({ "run": run, "tasks": tasks }))?;
        } else {
            if context.format() != Format::Name {
                output::text(&summary(context, &run))?;
            }
            listing(context, &tasks)?;
            let hidden = if filter.states.is_empty() && filter.id.is_none() {
                run.counters.total().saturating_sub(tasks.len() as u64)
            } else {
                0
            };
            if hidden > 0 && context.format() != Format::Name {
                context.say(&format!("{hidden} more tasks; `--limit N` shows more, `--failed` those that need a look"));
            }
        }
        Ok(follow::exit_of(&run))
    }
}

fn summary(context: &Context, run: &RunRecord) -> String {
    let counters = run.counters;
    let parts: Vec<String> = TaskState::ALL
        .into_iter()
        .filter(|&state| counters.get(state) > 0)
        .map(|state| format!("{} {}", counters.get(state), show::task_state(state)))
        .collect();
    format!(
        "{}  {}  {} of {} done: {}\n{} rows, {} read, {} steps; plan {}, begun {}\n\n",
        run.id,
        show::run_state(run),
        counters.succeeded + counters.undone,
        counters.total(),
        parts.join(", "),
        output::count(run.progress.rows),
        output::bytes(run.progress.bytes),
        run.steps_done,
        run.plan,
        show::ago(context.now(), run.created_at),
    )
}

fn listing(context: &Context, tasks: &[TaskRecord]) -> Result<(), Failure> {
    let rows = tasks
        .iter()
        .map(|task| {
            let row = &task.row;
            let progress = task.live.unwrap_or(row.progress);
            let note = row.error.as_ref().map(|error| format!("[{}] {}", error.code, error.message));
            let cells = vec![
                task.id.to_string(),
                show::task_state(row.state).to_owned(),
                format!("{}/{}", row.step, task.steps),
                output::count(progress.rows),
                output::bytes(progress.bytes),
                row.attempt.to_string(),
                row.epoch.to_string(),
                row.handle.clone().unwrap_or_default(),
                note.unwrap_or_default(),
            ];
            Row::new(task.id.to_string(), cells, task)
        })
        .collect();
    let headings = [
        heading("task"),
        heading("state"),
        heading("step"),
        heading("rows"),
        heading("bytes"),
        wide("attempt"),
        wide("epoch"),
        wide("handle"),
        heading("note"),
    ];
    output::list(context.format(), "tasks", &headings, rows)
}
