//! `greylag catalog show`.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, shown};
use crate::output;
use crate::show;
use clap::Args;
use greylag_catalog::ask;
use greylag_model::code;
use serde_json::Value;
use std::fmt::Write;

/// Show an entity: every fact with who says so, its schema and its history.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The entity, e.g. `users_v1` or `group:default/data-platform`.
    #[arg(value_name = "NAME")]
    name: String,
    /// Also show facts that others outweigh, and what changed when.
    #[arg(long)]
    history: bool,
}

impl Show {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let catalog = context.state()?.catalog.as_ref();
        let entity = ask::resolve(catalog, &self.name)?;
        let record = catalog
            .record(&entity)?
            .ok_or_else(|| Failure::error(code::cli::NOT_FOUND, format!("the catalog has no `{entity}`")))?;
        let schemas = catalog.schemas(&entity)?;
        let history = if self.history { catalog.history(&entity)? } else { Vec::new() };
        if context.format().is_json() {
            let value = serde_json::json!({ "ref": entity, "record": record, "schemas": schemas, "history": history });
            output::document(context.format(), "entity", &value)?;
            return Ok(Exit::Done);
        }
        let mut text = format!("{entity}\n");
        let mut last = None;
        for fact in &record.facts {
            let stands = last.replace(&fact.key) != Some(&fact.key);
            if stands || self.history {
                let mark = if stands { ' ' } else { '-' };
                let _ = writeln!(text, "{mark} {}: {}  ({})", fact.key, brief(&fact.value), fact.source);
            }
        }
        if let Some(newest) = schemas.last() {
            let _ = writeln!(
                text,
                "\nschema, version {} ({}, {})",
                newest.version,
                newest.source,
                show::instant(newest.at)
            );
            for column in &newest.schema.columns {
                let null = if column.nullable { "" } else { "  not null" };
                let _ = writeln!(text, "  {}  {}{null}", column.name, column.data_type);
            }
        }
        for change in &history {
            let _ = writeln!(text, "\n{}  {:?}", show::instant(change.at), change.outcome);
            for fact in &change.facts {
                let side = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), brief);
                let _ =
                    writeln!(text, "  {}: {} → {}  ({})", fact.key, side(&fact.before), side(&fact.after), fact.source);
            }
        }
        output::text(&shown(&text))?;
        Ok(Exit::Done)
    }
}

/// A value in one line of at most 120 characters.
fn brief(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() <= 120 {
        return text;
    }
    text.chars().take(119).chain(['…']).collect()
}
