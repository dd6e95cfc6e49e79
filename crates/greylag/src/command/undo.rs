//! `greylag undo`: takes a run back.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Row, heading};
use crate::{drive, wire};
use clap::Args;
use greylag_engine::{Engine, UndoPreview, service};
use greylag_model::id::RunId;

/// Tasks are asked after in pages of this size.
const PAGE: usize = 1_000;

/// Take a run back, newest steps first: targets go, old names come back, the catalog forgets what the run published.
///
/// Everything up to `retire` can be taken back. A dataset that was dropped cannot; it is named, and the rest goes back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag undo RUN --dry-run        the steps that would be walked back\n  \
                        greylag undo RUN --yes")]
pub(crate) struct Undo {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// Only show what would be taken back.
    #[arg(long)]
    dry_run: bool,
    /// Confirm beforehand.
    #[arg(short, long)]
    yes: bool,
}

impl Undo {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let run = super::select::run(context.journal()?, Some(&self.run))?;
        let state = context.state()?;
        let engine = wire::engine(context, state)?;
        service::stands_alone(&engine, &run.id)?;
        if self.dry_run {
            let preview = previews(&engine, &run.id)?;
            let refused = preview.iter().any(|task| task.refused.is_some());
            let rows = preview
                .iter()
                .map(|task| {
                    let what = match &task.refused {
                        Some(why) => format!("cannot be taken back [{}]: {}", why.code, why.message),
                        None if task.steps.is_empty() => "nothing to take back".to_owned(),
                        None => task.steps.join(", "),
                    };
                    Row::new(task.task.to_string(), vec![task.task.to_string(), what], task)
                })
                .collect();
            output::list(context.format(), "undo", &[heading("task"), heading("steps to take back")], rows)?;
            return Ok(if refused { Exit::Incomplete } else { Exit::Done });
        }
        let counters = run.counters;
        let question =
            format!("Take back {} ({} datasets, {} of them succeeded)?", run.id, counters.total(), counters.succeeded);
        context.confirm(&question, self.yes)?;
        let asked = service::undo(&engine, &run.id, &context.actor())?;
        drive::carry_on(context, &asked)
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
