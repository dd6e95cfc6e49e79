//! `greylag lineage`: where data comes from and goes.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Outcome, shown};
use crate::output::{self, Format, Row, heading};
use clap::Args;
use greylag_catalog::ask;
use greylag_model::lineage::{Direction, Graph, Tree};
use std::fmt::Write;

/// Show where a dataset's data comes from or goes.
#[derive(Debug, Args)]
pub(crate) struct Lineage {
    /// The entity, e.g. `users_v1` or `component:default/daily-report`.
    #[arg(value_name = "NAME")]
    name: String,
    /// Where the data comes from.
    #[arg(long, conflicts_with = "down")]
    up: bool,
    /// Where the data goes (the default).
    #[arg(long)]
    down: bool,
    /// How many edges far.
    #[arg(long, default_value_t = 32, value_name = "N")]
    depth: usize,
}

impl Lineage {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let catalog = context.state()?.catalog.as_ref();
        let entity = ask::resolve(catalog, &self.name)?;
        let graph = Graph::of_relations(&catalog.relations(None)?);
        let direction = if self.up { Direction::Up } else { Direction::Down };
        match context.format() {
            Format::Table => output::text(&drawing(&graph.tree(&entity, direction, self.depth)))?,
            Format::Wide | Format::Name | Format::Json | Format::Ndjson => {
                let rows = graph
                    .walk(&entity, direction, self.depth)
                    .iter()
                    .map(|hop| {
                        let far = if self.up { &hop.from } else { &hop.to };
                        let cells = vec![hop.from.to_string(), hop.to.to_string(), hop.depth.to_string()];
                        let value = serde_json::json!({ "from": hop.from, "to": hop.to, "depth": hop.depth });
                        Row::new(far.to_string(), cells, &value)
                    })
                    .collect();
                output::list(context.format(), "edges", &[heading("from"), heading("to"), heading("depth")], rows)?;
            }
        }
        Ok(Exit::Done)
    }
}

/// The tree with one entity a line.
fn drawing(tree: &Tree) -> String {
    let mut text = format!("{}\n", shown(&tree.entity.to_string()));
    branches(&tree.next, "", &mut text);
    if tree.next.is_empty() {
        text.push_str("(nothing further is known)\n");
    }
    text
}

fn branches(trees: &[Tree], indent: &str, text: &mut String) {
    for (index, tree) in trees.iter().enumerate() {
        let last = index + 1 == trees.len();
        let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let note = match (tree.seen, tree.more) {
            (true, _) => "  (shown elsewhere)",
            (_, true) => "  …",
            _ => "",
        };
        let _ = writeln!(text, "{indent}{branch}{}{note}", shown(&tree.entity.to_string()));
        branches(&tree.next, &format!("{indent}{below}"), text);
    }
}
