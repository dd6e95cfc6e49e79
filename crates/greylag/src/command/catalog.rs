//! `greylag catalog`: what is registered, who says so.

mod import;
mod list;
mod scan_code;
mod search;
mod show;

use crate::context::Context;
use crate::failure::Outcome;
use crate::output::{Heading, Row, heading, wide};
use clap::{Args, Subcommand};
use greylag_driver::catalog::Summary;

/// Register datasets, owners and consumers, and look at them.
#[derive(Debug, Args)]
pub(crate) struct Catalog {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    Import(import::Import),
    ScanCode(scan_code::ScanCode),
    List(list::List),
    Show(show::Show),
    Search(search::Search),
}

impl Catalog {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            CatalogCommand::Import(command) => command.run(context),
            CatalogCommand::ScanCode(command) => command.run(context),
            CatalogCommand::List(command) => command.run(context),
            CatalogCommand::Show(command) => command.run(context),
            CatalogCommand::Search(command) => command.run(context),
        }
    }
}

/// Columns of a listing of entities.
fn headings() -> [Heading; 6] {
    [heading("entity"), heading("type"), heading("owner"), heading("lifecycle"), heading("location"), wide("said by")]
}

fn row(summary: &Summary) -> Row {
    let said_by: Vec<String> = summary.registered_by.iter().map(ToString::to_string).collect();
    let cells = vec![
        summary.entity.to_string(),
        summary.entity_type.clone().unwrap_or_default(),
        summary.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
        summary.lifecycle.clone().unwrap_or_default(),
        summary.location.as_ref().map(|location| location.path.clone()).unwrap_or_default(),
        said_by.join(", "),
    ];
    Row::new(summary.entity.to_string(), cells, summary)
}
