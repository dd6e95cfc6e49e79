//! `greylag status`: how a run is doing, and its tasks.

mod increments;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format, Row, heading, wide};
use crate::{follow, show};
use clap::Args;
use greylag_driver::journal::{Journal, RunRecord, TaskFilter, TaskRecord};
use greylag_engine::service;
use greylag_model::id::TaskId;
use greylag_model::rollout::CohortRow;
use greylag_model::task::{Direction, TaskState};
use increments::Increment;
use std::collections::BTreeMap;

/// Show how a run is doing and the state of its tasks.
///
/// Works while another process drives the run. The exit code is 0 as long as nothing ended badly, 3 if some tasks failed,
/// were quarantined, skipped or are stale, or if all that is left waits for a person, and 1 if no task ended well.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag status -w                 watch the newest run until it ends\n  \
                        greylag status RUN --failed       what ended badly, why, and what cures it\n  \
                        greylag status RUN -o wide        also attempts, and what increments took, kept and left\n  \
                        greylag status RUN -o json        for programs")]
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
        let task = self.task.as_deref().map(|name| super::select::task(journal, &run.id, name)).transpose()?;
        let filter = TaskFilter { states, id: task.map(|task| task.id) };
        let tasks = journal.tasks(&run.id, &filter, 0, self.limit)?;
        let notes = notes(journal, &run, &tasks)?;
        let looked = matches!(context.format(), Format::Wide | Format::Json | Format::Ndjson);
        let increments = if looked { increments::of(journal, &run, &tasks)? } else { BTreeMap::new() };
        if context.format().is_json() {
            let mut document = serde_json::json!({ "run": run, "tasks": tasks });
            if !notes.is_empty() {
                document["notes"] = serde_json::json!(notes);
            }
            if !increments.is_empty() {
                document["increments"] = serde_json::json!(increments);
            }
            output::document(context.format(), "status", &document)?;
        } else {
            if context.format() != Format::Name {
                output::text(&summary(context, &run))?;
            }
            listing(context, &tasks, &increments)?;
            if context.format() != Format::Name {
                for (task, note) in notes.iter().flat_map(|(task, notes)| notes.iter().map(move |note| (task, note))) {
                    output::text(&format!("{task}: {note}\n"))?;
                }
            }
            if (self.failed || self.task.is_some()) && context.format() != Format::Name {
                hints(context, &tasks);
            }
            let hidden = if filter.states.is_empty() && filter.id.is_none() {
                run.counters.total().saturating_sub(tasks.len() as u64)
            } else {
                0
            };
            if hidden > 0 && context.format() != Format::Name {
                context.say(&format!("{hidden} more tasks; `--limit N` shows more, `--failed` those that need a look"));
            }
        }
        follow::exit_of(journal, &run)
    }
}

/// What is not as it was before the run although it was taken back, because others changed it.
fn notes(
    journal: &dyn Journal,
    run: &RunRecord,
    tasks: &[TaskRecord],
) -> Result<BTreeMap<TaskId, Vec<String>>, Failure> {
    let mut all = BTreeMap::new();
    for task in tasks.iter().filter(|task| task.row.direction == Direction::Undo) {
        let notes = service::notes(journal, &run.id, task.ordinal)?;
        if !notes.is_empty() {
            all.insert(task.id.clone(), notes);
        }
    }
    Ok(all)
}

/// What cures the errors of these tasks, each cure once.
fn hints(context: &Context, tasks: &[TaskRecord]) {
    let mut cures: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for task in tasks {
        for hint in task.row.error.iter().flat_map(|error| &error.hints) {
            cures.entry(hint).or_default().push(task.id.as_str());
        }
    }
    for (cure, tasks) in cures {
        let more = if tasks.len() > 3 { format!(" and {} more", tasks.len() - 3) } else { String::new() };
        let first = tasks.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        context.say(&format!("hint: {cure} ({first}{more})"));
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
        "{}  {}  {} of {} done: {}\n{} rows, {} read, {} steps; plan {}, begun {}\n{}\n",
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
        cohorts(run),
    )
}

/// Where the cohorts are, a line each; nothing if there are none.
fn cohorts(run: &RunRecord) -> String {
    let width = run.cohorts.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    let line = |row: &CohortRow| {
        let bad = if row.bad > 0 { format!(", {} ended badly", row.bad) } else { String::new() };
        let state = match (&row.held, &row.approval) {
            (Some(held), _) => format!("; held: {}", show::why_held(*held)),
            (None, Some(approval)) => format!("; approved by {}", approval.by),
            (None, None) if row.released_at.is_none() => "; not released".to_owned(),
            (None, None) => String::new(),
        };
        format!("cohort {:width$}  {} of {} done{bad}{state}\n", row.name, row.landed, row.tasks)
    };
    run.cohorts.iter().map(line).collect()
}

fn listing(context: &Context, tasks: &[TaskRecord], increments: &BTreeMap<TaskId, Increment>) -> Result<(), Failure> {
    let rows = tasks
        .iter()
        .map(|task| {
            let row = &task.row;
            let progress = task.live.unwrap_or(row.progress);
            let note = row.error.as_ref().map(|error| format!("[{}] {}", error.code, error.message));
            let mut cells = vec![
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
            if !increments.is_empty() {
                cells.push(increments.get(&task.id).map(Increment::words).unwrap_or_default());
            }
            Row::new(task.id.to_string(), cells, task)
        })
        .collect();
    let mut headings = vec![
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
    if !increments.is_empty() {
        headings.push(wide("increment"));
    }
    output::list(context.format(), "tasks", &headings, rows)
}
