//! `greylag undo`: takes a run back, or rehearses that.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format, Row, heading};
use crate::{drive, wire};
use clap::Args;
use greylag_engine::{Engine, StepBack, UndoPreview, service};
use greylag_model::id::RunId;
use std::collections::BTreeSet;

/// Tasks are asked after in pages of this size.
const PAGE: usize = 1_000;

/// Take a run back, newest steps first: targets go, old names come back, the catalog forgets what the run published.
///
/// Everything up to `retire` can be taken back. A dataset that was dropped cannot; it is named, and the rest goes back.
///
/// What others have changed since is kept and named. Rows that were added to a new dataset are carried back into the old one
/// before the new one goes, where the plan says `undo carries new rows back`; where it says that they cannot be, or where
/// files were changed or removed, the new dataset stays and the error names the files.
///
/// `--dry-run` rehearses all of that and touches no dataset: new rows are converted and proven in a directory of the state
/// folder that is removed afterwards. It works also while another process drives the run. The exit code is 3 if something
/// stands in the way of some dataset.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag undo RUN --dry-run        what each step back would do, and what stands in its way\n  \
                        greylag undo RUN --dry-run -o json\n  \
                        greylag undo RUN --yes")]
pub(crate) struct Undo {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// Only show what would be taken back, and what stands in the way.
    #[arg(long)]
    dry_run: bool,
    /// Confirm beforehand.
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    waits: drive::Waits,
}

impl Undo {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let run = super::select::run(context.journal()?, Some(&self.run))?;
        let state = context.state()?;
        let engine = wire::engine(context, state)?;
        service::stands_alone(&engine, &run.id)?;
        if self.dry_run {
            return show(context, &previews(&engine, &run.id)?);
        }
        let counters = run.counters;
        let question =
            format!("Take back {} ({} datasets, {} of them succeeded)?", run.id, counters.total(), counters.succeeded);
        context.confirm(&question, self.yes)?;
        let asked = service::undo(&engine, &run.id, &context.actor())?;
        drive::carry_on(context, &asked, &self.waits)
    }
}

/// What undoing would do to every task.
fn previews(engine: &Engine, run: &RunId) -> Result<Vec<UndoPreview>, Failure> {
    let mut previews = Vec::new();
    let mut cursor = 0;
    loop {
        let page = service::undo_preview(engine, run, cursor, PAGE)?;
        previews.extend(page.items);
        match page.next {
            Some(next) => cursor = next,
            None => return Ok(previews),
        }
    }
}

/// A line for each thing that a step would do; for programs, a value for each task.
fn show(context: &Context, previews: &[UndoPreview]) -> Outcome {
    let stuck = previews.iter().filter(|task| !task.is_free()).count();
    let format = context.format();
    let rows = match format {
        Format::Table | Format::Wide => previews.iter().flat_map(lines).collect(),
        Format::Json | Format::Ndjson | Format::Name => {
            previews.iter().map(|task| Row::new(task.task.to_string(), Vec::new(), task)).collect()
        }
    };
    output::list(format, "undo", &[heading("task"), heading("step"), heading("what an undo would do")], rows)?;
    if matches!(format, Format::Table | Format::Wide) {
        for hint in hints(previews) {
            context.say(&format!("hint: {hint}"));
        }
        let free = previews.len() - stuck;
        let rest = if stuck > 0 { format!(", {stuck} cannot") } else { String::new() };
        context.say(&format!("{free} of {} datasets can be taken back{rest}; nothing was touched", previews.len()));
    }
    Ok(if stuck > 0 { Exit::Incomplete } else { Exit::Done })
}

fn lines(task: &UndoPreview) -> Vec<Row> {
    let row = |step: &str, what: String| {
        Row::new(task.task.to_string(), vec![task.task.to_string(), step.to_owned(), what], task)
    };
    if let Some(why) = &task.refused {
        return vec![row("", format!("cannot be taken back [{}]: {}", why.code, why.message))];
    }
    let of_step = |back: &StepBack| {
        let found = &back.rehearsal;
        let does = found.does.iter().cloned();
        let kept = found.kept.iter().map(|what| format!("kept: {what}"));
        let obstacles = found.obstacles.iter().map(|error| format!("in the way [{}]: {}", error.code, error.message));
        does.chain(kept).chain(obstacles).map(|what| row(&back.step, what)).collect::<Vec<_>>()
    };
    let rows: Vec<Row> = task.steps.iter().flat_map(of_step).collect();
    if rows.is_empty() { vec![row("", "nothing to take back".to_owned())] } else { rows }
}

/// What cures what stands in the way, each cure once.
fn hints(previews: &[UndoPreview]) -> BTreeSet<&str> {
    let obstacles = previews.iter().flat_map(|task| &task.steps).flat_map(|step| &step.rehearsal.obstacles);
    let errors = obstacles.chain(previews.iter().filter_map(|task| task.refused.as_ref()));
    errors.flat_map(|error| &error.hints).map(String::as_str).collect()
}
