//! `greylag plans`: what was planned.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{self, Row, heading, wide};
use crate::show;
use clap::Args;

/// List saved plans, newest first.
#[derive(Debug, Args)]
pub(crate) struct Plans {
    /// At most so many.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
}

impl Plans {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let plans = context.journal()?.plans(self.limit)?;
        let now = context.now();
        let rows = plans
            .iter()
            .map(|plan| {
                let cells = vec![
                    plan.id.to_string(),
                    plan.migration.clone(),
                    plan.totals.datasets.to_string(),
                    plan.totals.breaking.to_string(),
                    plan.totals.blocked.to_string(),
                    output::bytes(plan.totals.bytes),
                    show::ago(now, plan.taken_at),
                    plan.totals.steps.to_string(),
                    plan.samples.as_ref().map(|samples| samples.datasets.to_string()).unwrap_or_default(),
                ];
                Row::new(plan.id.to_string(), cells, plan)
            })
            .collect();
        let headings = [
            heading("plan"),
            heading("migration"),
            heading("datasets"),
            heading("breaking"),
            heading("blocked"),
            heading("bytes"),
            heading("taken"),
            wide("steps"),
            wide("sampled"),
        ];
        output::list(context.format(), "plans", &headings, rows)?;
        Ok(Exit::Done)
    }
}
