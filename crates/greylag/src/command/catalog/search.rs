//! `greylag catalog search`.

use super::{headings, row};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output;
use clap::Args;

/// Search names, titles, descriptions, tags, columns, owners and paths.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Words; each must begin a word of the entity.
    #[arg(required = true, value_name = "WORD")]
    words: Vec<String>,
    /// At most so many.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
}

impl Search {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let found = context.state()?.catalog.search(&self.words.join(" "), self.limit)?;
        output::list(context.format(), "entities", &headings(), found.iter().map(row).collect())?;
        Ok(Exit::Done)
    }
}
