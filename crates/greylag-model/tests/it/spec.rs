//! Migration files: text in, diagnostics out.

mod documents;
mod examples;
mod expressions;
mod generated;
mod load;
mod mappings;
mod pairs;
mod policies;
mod property;
mod schema;

use greylag_model::spec::{Parsed, parse};

/// The diagnostics of a text, one after the other; what was read if there are none.
fn show(text: &str) -> String {
    let parsed = parse("m.yaml", text);
    let lines: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
    if lines.is_empty() { read(&parsed) } else { lines.join("\n") }
}

fn read(parsed: &Parsed) -> String {
    let names = parsed.documents.iter().map(|document| format!("{} {}", document.kind(), document.name()));
    names.collect::<Vec<_>>().join("\n")
}

/// A migration of which only `spec` is given, indented by two; its first line is line 6 of the file.
fn spec(body: &str) -> String {
    format!("apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata:\n  name: m\nspec:\n{body}")
}

/// A migration of one pair with a mapping, indented by four; its first line is line 9 of the file.
fn mapping(body: &str) -> String {
    spec(&format!("  datasets:\n    - {{from: a, to: b}}\n  mapping:\n{body}"))
}
