//! `greylag catalog list`.

use super::{headings, row};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{self, Format};
use clap::Args;
use greylag_driver::catalog::{Filter, Page};
use greylag_model::entity::EntityRef;

/// List entities.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only of this kind, e.g. `resource`, `component`, `group`.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only of this type, e.g. `dataset`.
    #[arg(long = "type", value_name = "TYPE")]
    entity_type: Option<String>,
    /// Only of this owner.
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// Only with this tag.
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Begin behind this reference.
    #[arg(long, value_name = "REF")]
    after: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
}

impl List {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let filter = Filter {
            kind: self.kind.as_ref().map(|kind| kind.to_lowercase()),
            entity_type: self.entity_type.clone(),
            owner: self.owner.as_deref().and_then(|owner| EntityRef::parse(owner, "group")),
            tag: self.tag.clone(),
            ..Filter::default()
        };
        let after = self.after.as_deref().and_then(|after| EntityRef::parse(after, "resource"));
        let listing = context.state()?.catalog.list(&filter, &Page { after, limit: self.limit })?;
        output::list(context.format(), "entities", &headings(), listing.items.iter().map(row).collect())?;
        if let (Some(next), Format::Table | Format::Wide) = (&listing.next, context.format()) {
            context.say(&format!("{} of {}; `--after {next}` shows the next", listing.items.len(), listing.total));
        }
        Ok(Exit::Done)
    }
}
