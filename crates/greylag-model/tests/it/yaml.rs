//! Trees, places, features, limits, and what survives what.

mod bombs;
mod features;
mod places;
mod property;
mod trees;

use greylag_model::yaml::{Features, Kind, Limits, Node, read};
use std::fmt::Write;

/// The documents and diagnostics of a text, as text.
fn show(text: &str, limits: &Limits) -> String {
    let stream = read("f.yaml", text, limits);
    let mut out = String::new();
    for document in &stream.documents {
        writeln!(out, "---{}", if document.sound { "" } else { " # not sound" }).unwrap();
        render(document.root(), 0, &mut out);
    }
    for diagnostic in &stream.diagnostics {
        writeln!(out, "{diagnostic}").unwrap();
    }
    out
}

fn plain(text: &str) -> String {
    show(text, &Limits::default())
}

fn full(text: &str) -> String {
    show(text, &Limits { features: Features::Full, ..Limits::default() })
}

/// Scalars as `kind text`, with byte ranges.
fn render(node: &Node, indent: usize, out: &mut String) {
    let range = format!("{}..{}", node.range.start, node.range.end);
    match &node.kind {
        Kind::Null => writeln!(out, "null @{range}").unwrap(),
        Kind::Boolean(value, _) => writeln!(out, "{value} @{range}").unwrap(),
        Kind::Number(value, text) => writeln!(out, "{value} ({text}) @{range}").unwrap(),
        Kind::String(text, _) => writeln!(out, "{text:?} @{range}").unwrap(),
        Kind::List(items) => {
            writeln!(out, "list @{range}").unwrap();
            for item in items {
                write!(out, "{:1$}- ", "", indent).unwrap();
                render(item, indent + 2, out);
            }
        }
        Kind::Map(entries) => {
            writeln!(out, "map @{range}").unwrap();
            for entry in entries {
                write!(out, "{:2$}{:?}: ", "", entry.key, indent).unwrap();
                render(&entry.value, indent + 2, out);
            }
        }
    }
}
