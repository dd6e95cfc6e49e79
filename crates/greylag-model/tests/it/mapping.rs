//! Mappings: a schema and rules in, the resolved mapping or all errors out, as text.

mod back;
mod cast;
mod compose;
mod default;
mod drop;
mod errors;
mod expression;
mod judgement;
mod keep;
mod merge;
mod new;
mod partition;
mod property;
mod rename;
mod reverse;
mod split;

use greylag_model::diagnostic::{Diagnostic, Place};
use greylag_model::expr::Dialect;
use greylag_model::mapping::{Request, Resolved, ReverseWay, resolve};
use greylag_model::plan::{Change, ChangeSymbol};
use greylag_model::schema::{Column, Schema};
use greylag_model::spec::MappingSpec;
use serde_json::Value;
use std::fmt::Write as _;

/// Columns as `name: type` between semicolons; `!` behind the type means no nulls.
pub(crate) fn schema(text: &str) -> Schema {
    let column = |text: &str| {
        let (name, data_type) = text.trim().split_once(": ").unwrap();
        let (data_type, nullable) = data_type.strip_suffix('!').map_or((data_type, true), |rest| (rest, false));
        Column { name: name.to_owned(), data_type: data_type.parse().unwrap(), nullable }
    };
    Schema { columns: text.split(';').filter(|text| !text.trim().is_empty()).map(column).collect() }
}

/// A place that names the pointer that was asked for.
pub(crate) fn place(pointer: &str) -> Option<Place> {
    Some(Place { file: pointer.to_owned(), line: 1, column: 1, span: (0, 0) })
}

pub(crate) fn resolved(source: &str, rules: Value) -> Result<Resolved, Vec<Diagnostic>> {
    partitioned(source, &[], None, rules)
}

pub(crate) fn partitioned(
    source: &str,
    partition_by: &[&str],
    asked: Option<&[&str]>,
    rules: Value,
) -> Result<Resolved, Vec<Diagnostic>> {
    let spec: MappingSpec = serde_json::from_value(rules).unwrap();
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let asked = asked.map(owned);
    resolve(Request {
        spec: &spec,
        source: &schema(source),
        partition_by: &owned(partition_by),
        target_partition_by: asked.as_deref(),
        place: &place,
        layout_place: &|pointer| place(&format!("layout {pointer}")),
    })
}

/// Resolves and shows the outcome.
pub(crate) fn check(source: &str, rules: Value) -> String {
    show(resolved(source, rules))
}

pub(crate) fn show(outcome: Result<Resolved, Vec<Diagnostic>>) -> String {
    match outcome {
        Ok(resolved) => text(&resolved),
        Err(errors) => errors.iter().fold(String::new(), |text, error| text + &diagnostic(error)),
    }
}

/// `GL0401 at /columns/0/from: message`, hints below.
pub(crate) fn diagnostic(error: &Diagnostic) -> String {
    let place = error.place.as_ref().map(|place| format!(" at {}", place.file)).unwrap_or_default();
    let mut text = format!("{}{place}: {}\n", error.code, error.message);
    for hint in &error.hints {
        writeln!(text, "    {hint}").unwrap();
    }
    text
}

fn text(resolved: &Resolved) -> String {
    let mut text = String::new();
    let mapping = &resolved.mapping;
    for (column, mapping) in mapping.target.columns.iter().zip(&mapping.columns) {
        let null = if column.nullable { "" } else { "!" };
        let kind = format!("{:?}", mapping.operation).to_lowercase();
        write!(text, "{}: {}{null}  {kind} {}", column.name, column.data_type, mapping.expr.to_sql(Dialect::Canonical))
            .unwrap();
        if let Some(cast) = &mapping.cast {
            let loss = cast.loss.map(|loss| format!(" {loss:?}").to_lowercase()).unwrap_or_default();
            write!(text, " → {}{loss}", cast.to).unwrap();
        }
        if let Some(default) = &mapping.default {
            write!(text, ", null → {}", default.to_sql(Dialect::Canonical)).unwrap();
        }
        text.push('\n');
    }
    for reverse in &mapping.reverse {
        let way = match &reverse.way {
            ReverseWay::Same(name) => format!("= {name}"),
            ReverseWay::Expr { expr, derived, tolerance } => {
                let how = if *derived { "derived" } else { "given" };
                let within = tolerance.map(|tolerance| format!(" within {tolerance:?}")).unwrap_or_default();
                format!("{how} {}{within}", expr.to_sql(Dialect::Canonical))
            }
            ReverseWay::Lost(why) => format!("lost: {why}"),
        };
        writeln!(text, "< {} {way}", reverse.source).unwrap();
    }
    if !resolved.partition_by.is_empty() {
        writeln!(text, "partitions {}", resolved.partition_by.join("/")).unwrap();
    }
    resolved.changes.iter().for_each(|line| writeln!(text, "{}", change(line)).unwrap());
    resolved.breaks.iter().for_each(|why| writeln!(text, "! {why}").unwrap());
    text
}

fn change(change: &Change) -> String {
    let symbol = match change.symbol {
        ChangeSymbol::Add => '+',
        ChangeSymbol::Change => '~',
        ChangeSymbol::Remove => '-',
        ChangeSymbol::Judge => '?',
    };
    format!("{symbol} {}  {}", change.subject, change.detail)
}
