//! Names in SQL. A case is a text and the list of what is found in it, one line each, in the order of the text:
//!
//! - `table NAME ROLE` for a relation,
//! - `TEXT -> BASE, … ROLE CONFIDENCE` for a column, where a base is what it comes from in the end, `-` if nothing is known,
//! - `unknown REASON` for a region that was not understood.

mod aliases;
mod arbitrary;
mod attributes;
mod clickhouse;
mod define;
mod dialects;
mod fallback;
mod functions;
mod outputs;
mod phrase;
mod respell;
mod scope;
mod whole;
mod write;

use greylag_syntax::sql::{Confidence, Dialect, Quoting, Reading, Role, Schemas, read};

/// Relations with known columns: `t(a, b) u(c)`.
pub(crate) struct Known(Vec<(String, Vec<String>)>);

impl Known {
    pub(crate) fn new(text: &str) -> Self {
        let relation = |part: &str| {
            let (name, columns) = part.split_once('(')?;
            Some((name.trim().to_owned(), columns.split(',').map(|column| column.trim().to_owned()).collect()))
        };
        Self(text.split(')').filter_map(relation).collect())
    }
}

impl Schemas for Known {
    fn columns(&self, name: &[&str]) -> Option<Vec<String>> {
        let last = name.last()?;
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(last)).map(|(_, columns)| columns.clone())
    }
}

/// Reads a text of a dialect with known schemas and compares what is found.
#[track_caller]
pub(crate) fn check(dialect: Dialect, schemas: &str, text: &str, expected: &str) {
    let reading = read(text, dialect, &Known::new(schemas));
    honest(text, &reading);
    let found = lines(text, &reading);
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, expected, "of {text}");
}

/// Every range holds what is said to stand there.
#[track_caller]
pub(crate) fn honest(text: &str, reading: &Reading) {
    let names = reading
        .relations
        .iter()
        .flat_map(|relation| relation.parts.iter().chain(&relation.alias))
        .chain(reading.columns.iter().map(|column| &column.name));
    for name in names {
        let written = &text[name.range.clone()];
        let bare = match written.chars().next().filter(|_| name.quoting == Quoting::Own) {
            Some(quote @ ('"' | '`' | '\'')) => {
                written[1..written.len() - 1].replace(&format!("{quote}{quote}"), &quote.to_string())
            }
            _ => written.to_owned(),
        };
        assert_eq!(bare, &*name.text, "of {text}");
    }
    for column in &reading.columns {
        assert!(
            column.range.start <= column.name.range.start && column.name.range.end <= column.range.end,
            "of {text}"
        );
        if let Some(qualifier) = &column.qualifier {
            assert!(column.range.start == qualifier.start && qualifier.end < column.name.range.start, "of {text}");
        }
    }
}

fn lines(text: &str, reading: &Reading) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for relation in &reading.relations {
        let sure = if relation.confidence == Confidence::Certain { "" } else { " likely" };
        found.push((
            relation.range.start,
            format!("table {} {}{sure}", &text[relation.range.clone()], word(&relation.role)),
        ));
    }
    for (at, column) in reading.columns.iter().enumerate() {
        let bases = reading.bases(at);
        let confidence =
            bases.iter().map(|base| base.confidence).min().unwrap_or(column.confidence).min(column.confidence);
        let names: Vec<String> =
            bases.iter().map(|base| format!("{}.{}", relation_name(reading, base.relation), base.column)).collect();
        let from = if names.is_empty() { "-".to_owned() } else { names.join(", ") };
        found.push((
            column.range.start,
            format!("{} -> {from} {} {}", &text[column.range.clone()], role(column.role), word(&confidence)),
        ));
    }
    for unknown in &reading.unknown {
        found.push((unknown.range.start, format!("unknown {}", unknown.reason)));
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, line)| line).collect()
}

fn relation_name(reading: &Reading, relation: usize) -> &str {
    reading.relations[relation].parts.last().map_or("", |part| &part.text)
}

fn role(role: Role) -> String {
    word(&role)
}

fn word(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}

/// The outputs of the query of the first statement: `NAME KIND BASE, …`.
#[track_caller]
pub(crate) fn check_outputs(dialect: Dialect, schemas: &str, text: &str, expected: &str) {
    let reading = read(text, dialect, &Known::new(schemas));
    honest(text, &reading);
    let query = reading.statements[0].query.unwrap();
    let mut found = Vec::new();
    for (at, output) in reading.queries[query].outputs.iter().enumerate() {
        let bases: Vec<String> = reading
            .output_bases(query, at)
            .iter()
            .map(|base| format!("{}.{}", relation_name(&reading, base.relation), base.column))
            .collect();
        let kind = word(&output.kind);
        let kind = kind.split('(').next().unwrap_or_default();
        found.push(format!("{} {kind} {}", output.name.as_deref().unwrap_or("?"), bases.join(", ")).trim().to_owned());
    }
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, expected, "of {text}");
}
