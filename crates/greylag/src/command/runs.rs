//! `greylag runs`: what was applied.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{self, Row, heading, wide};
use crate::show;
use clap::Args;

/// List runs, newest first.
///
/// DONE counts datasets that succeeded or were undone; NOT GOOD those that failed, were quarantined or skipped, or are
/// stale. `interrupted` is a run that nobody drives: `greylag resume` goes on with it.
#[derive(Debug, Args)]
pub(crate) struct Runs {
    /// At most so many.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
}

impl Runs {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let runs = context.journal()?.runs(self.limit)?;
        let now = context.now();
        let rows = runs
            .iter()
            .map(|run| {
                let counters = run.counters;
                let cells = vec![
                    run.id.to_string(),
                    show::run_state(run).to_owned(),
                    format!("{}/{}", counters.succeeded + counters.undone, counters.total()),
                    counters.bad().to_string(),
                    output::count(run.progress.rows),
                    output::bytes(run.progress.bytes),
                    show::ago(now, run.created_at),
                    run.plan.to_string(),
                    run.migration.clone(),
                    run.lease.as_ref().map(|holder| holder.worker.to_string()).unwrap_or_default(),
                ];
                Row::new(run.id.to_string(), cells, run)
            })
            .collect();
        let headings = [
            heading("run"),
            heading("state"),
            heading("done"),
            heading("not good"),
            heading("rows"),
            heading("bytes"),
            heading("begun"),
            wide("plan"),
            wide("migration"),
            wide("driven by"),
        ];
        output::list(context.format(), "runs", &headings, rows)?;
        Ok(Exit::Done)
    }
}
