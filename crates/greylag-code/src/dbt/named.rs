//! Names that a project makes by macros of its own: `generate_schema_name`, `generate_alias_name`, `generate_database_name`.

use super::evaluate::Shared;
use super::host::{DbtHost, Part, relation_part};
use greylag_syntax::jinja::ast::{Arguments, Expr, ExprKind, Node};
use greylag_syntax::jinja::{Rendering, render};
use greylag_syntax::trace::{FileId, Span, Traced};
use std::sync::Arc;

/// The macros, in the order of a relation's parts.
const MACROS: [(&str, &str); 3] =
    [("database", "generate_database_name"), ("schema", "generate_schema_name"), ("alias", "generate_alias_name")];

/// Database, schema and identifier of a node: as usual, but for what macros of the project say otherwise.
pub(super) fn parts_of(shared: &Arc<Shared>, node: usize) -> [Option<Part>; 3] {
    let mut parts = shared.node_parts(node);
    for ((key, name), part) in MACROS.iter().zip(&mut parts) {
        if shared.is_overridden(name) {
            *part = by_macro(shared, node, name, shared.configured(node, key)).or(part.take());
        }
    }
    parts
}

/// What a macro makes of what is configured. Where it hangs on the target, the part is open and its text the first that there is.
fn by_macro(shared: &Arc<Shared>, node: usize, name: &str, custom: Option<Traced>) -> Option<Part> {
    let at = Span::new(FileId(0), 0..0);
    let expr = |kind: ExprKind| Expr { kind, at };
    let custom = custom.map_or(ExprKind::None, |custom| ExprKind::Text(Arc::new(custom)));
    let positional = vec![expr(custom), expr(ExprKind::Name(Arc::from("node")))];
    let arguments = Arguments { positional, ..Arguments::default() };
    let callee = Box::new(expr(ExprKind::Name(Arc::from(name))));
    let body = [Node::Print(expr(ExprKind::Call(callee, arguments)))];
    let package = shared.loaded.drafts.get(node)?.package;
    let ways = render(&body, &shared.few, || DbtHost::new(shared, Some(node), package));
    ways.all.into_iter().find_map(part)
}

fn part(way: Rendering<DbtHost>) -> Option<Part> {
    let text = way.text.ok()?;
    let whole = text.text();
    let start = whole.len() - whole.trim_start().len();
    let name = text.slice(start..whole.trim_end().len().max(start));
    if way.holes.is_empty() {
        return Some(relation_part(name, !way.decisions.is_empty()));
    }
    // The target's schema has a stand-in; anything else that is open leaves the name unknown.
    let mut shown = name.text().to_owned();
    for hole in &way.holes {
        if &*hole.what != "target.schema" {
            return None;
        }
        shown = shown.replace(hole.placeholder().text(), "target_schema");
    }
    Some(relation_part(Traced::generated(shown), true))
}
