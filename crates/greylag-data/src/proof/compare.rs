//! Two results compared.
//!
//! Columns pair by place and must have the same names, letters' case aside, and types of one family. Where the dialect has all widths of
//! numbers, a number must have the very type that it had: a cast that is missing changes what readers get although the values are the same.
//! Rows are compared as bags, and in order where the text asks for one. Floats are the same
//! if nine digits are, or six of single precision: sums of them hang on the order of rows.

use super::frame::Frame;
use greylag_model::proof::{Difference, DifferenceKind};
use greylag_model::types::{DataType, TimeUnit};
use greylag_model::value::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How two results differ; `what` says which result it is.
pub(super) fn compare(old: &Frame, new: &Frame, how: How, what: &str) -> Option<Difference> {
    shape(old, new, how, what).or_else(|| rows(old, new, how.ordered, what))
}

/// How results are compared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How {
    /// The order of rows counts.
    pub(super) ordered: bool,
    /// Numbers have the very same type.
    pub(super) strict: bool,
}

impl How {
    /// What a dialect asks for: in some, all whole numbers are of one type.
    pub(super) fn of(dialect: &str) -> Self {
        Self { ordered: false, strict: matches!(dialect, "duckdb" | "postgres" | "trino" | "spark") }
    }
}

/// Whether a number has another type. Columns of types that a dialect lacks have those that stand for them there.
fn is_other_number(was: &DataType, is: &DataType) -> bool {
    use DataType::{Decimal, Int8, Int16, Int32, Int64};
    matches!(was, Int8 | Int16 | Int32 | Int64 | Decimal { .. }) && was != is
}

fn shape(old: &Frame, new: &Frame, how: How, what: &str) -> Option<Difference> {
    let differs = |why: String, columns: Vec<String>| {
        Some(Difference { kind: DifferenceKind::Columns, why, columns, ..Difference::default() })
    };
    if old.names.len() != new.names.len() {
        return differs(format!("{what} has {} columns and had {}", new.names.len(), old.names.len()), Vec::new());
    }
    for (at, (one, other)) in old.names.iter().zip(&new.names).enumerate() {
        if one.to_lowercase() != other.to_lowercase() && !(is_made_up(one) && is_made_up(other)) {
            let why = format!("column {} of {what} is called `{other}` and was called `{one}`", at + 1);
            return differs(why, vec![one.clone()]);
        }
        let (was, is) = (&old.types[at], &new.types[at]);
        if family(was) != family(is) || how.strict && is_other_number(was, is) {
            let why = format!("column `{one}` of {what} is `{is}` and was `{was}`");
            return differs(why, vec![one.clone()]);
        }
    }
    None
}

/// Whether a name is the engine's for an expression without an alias, which has the names of tables and columns in it.
fn is_made_up(name: &str) -> bool {
    name.contains(['(', ' ', '.'])
}

fn rows(old: &Frame, new: &Frame, ordered: bool, what: &str) -> Option<Difference> {
    let kept: Vec<usize> = (0..old.names.len()).collect();
    let coarse: Vec<bool> = kept.iter().map(|at| single(&old.types[*at]) || single(&new.types[*at])).collect();
    let keys = |frame: &Frame| -> Vec<Vec<String>> {
        let mut all = Vec::with_capacity(frame.rows.len());
        for row in &frame.rows {
            let places = kept.iter().zip(&coarse);
            all.push(places.map(|(at, coarse)| key(&row[*at], &frame.types[*at], *coarse)).collect());
        }
        all
    };
    let (old_keys, new_keys) = (keys(old), keys(new));
    let mut counts: BTreeMap<&Vec<String>, i64> = BTreeMap::new();
    for row in &old_keys {
        *counts.entry(row).or_default() += 1;
    }
    for row in &new_keys {
        *counts.entry(row).or_default() -= 1;
    }
    let only = |sign: i64| counts.values().map(|count| (count * sign).max(0) as u64).sum::<u64>();
    let (only_old, only_new) = (only(1), only(-1));
    if only_old + only_new > 0 {
        let names = kept.iter().map(|at| old.names[*at].clone()).collect::<Vec<_>>();
        let columns = differing(&old_keys, &new_keys, &names);
        let why = format!("{what}: {only_old} rows of the old text alone and {only_new} of the new one alone");
        return Some(Difference { kind: DifferenceKind::Rows, why, columns, only_old, only_new });
    }
    (ordered && old_keys != new_keys).then(|| Difference {
        kind: DifferenceKind::Order,
        why: format!("{what} has the same rows in another order"),
        ..Difference::default()
    })
}

/// The columns whose values, taken alone, are other ones; all of them if each has the same.
fn differing(old: &[Vec<String>], new: &[Vec<String>], names: &[String]) -> Vec<String> {
    let sorted = |rows: &[Vec<String>], at: usize| {
        let mut values: Vec<String> = rows.iter().map(|row| row[at].clone()).collect();
        values.sort_unstable();
        values
    };
    let found: Vec<String> = names
        .iter()
        .enumerate()
        .filter(|(at, _)| sorted(old, *at) != sorted(new, *at))
        .map(|(_, name)| name.clone())
        .collect();
    if found.is_empty() { names.to_vec() } else { found }
}

fn single(data_type: &DataType) -> bool {
    *data_type == DataType::Float32
}

/// What can be equal.
fn family(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        _ if data_type.integer().is_some() => "number",
        DataType::Decimal { .. } => "number",
        DataType::Float32 | DataType::Float64 => "float",
        DataType::Date => "date",
        DataType::Time(_) => "time",
        DataType::Timestamp { zone: None, .. } => "timestamp",
        DataType::Timestamp { .. } => "instant",
        DataType::String => "text",
        DataType::Binary => "bytes",
        DataType::List(_) => "list",
        DataType::Struct(_) => "struct",
        _ => "map",
    }
}

/// A text that is the same for values that are.
fn key(value: &Value, data_type: &DataType, coarse: bool) -> String {
    match value {
        Value::Null => "∅".to_owned(),
        Value::Int(whole) => decimal(*whole, 0),
        Value::Decimal(unscaled, scale) => decimal(*unscaled, *scale),
        Value::Float32(number) => float(f64::from(*number), true),
        Value::Float64(number) => float(*number, coarse),
        Value::Timestamp(ticks) | Value::Time(ticks) => {
            let unit = match data_type {
                DataType::Timestamp { unit, .. } | DataType::Time(unit) => *unit,
                _ => TimeUnit::Ns,
            };
            let nanos = i128::from(*ticks) * i128::from(1_000_000_000 / unit.per_second());
            nanos.to_string()
        }
        Value::List(items) => {
            let of = if let DataType::List(item) = data_type { item } else { data_type };
            joined(items.iter().map(|item| key(item, of, coarse)))
        }
        Value::Struct(fields) => {
            let types: Vec<&DataType> = match data_type {
                DataType::Struct(types) => types.iter().map(|(_, field)| field).collect(),
                _ => Vec::new(),
            };
            joined(fields.iter().enumerate().map(|(at, field)| key(field, types.get(at).unwrap_or(&data_type), coarse)))
        }
        other => format!("{other:?}"),
    }
}

fn joined(keys: impl Iterator<Item = String>) -> String {
    let mut text = String::from("[");
    for key in keys {
        let _ = write!(text, "{}:{key},", key.len());
    }
    text
}

fn decimal(mut unscaled: i128, mut scale: u8) -> String {
    while scale > 0 && unscaled % 10 == 0 {
        unscaled /= 10;
        scale -= 1;
    }
    format!("{unscaled}e{scale}")
}

fn float(number: f64, coarse: bool) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if coarse { format!("{number:.5e}") } else { format!("{number:.8e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(names: &str, types: &[&str], rows: Vec<Vec<Value>>) -> Frame {
        let types = types.iter().filter_map(|text| text.parse().ok()).collect();
        Frame { names: names.split(' ').map(str::to_owned).collect(), types, rows }
    }

    fn ints(names: &str, rows: &[[i128; 2]]) -> Frame {
        frame(names, &["int64", "int64"], rows.iter().map(|row| row.map(Value::Int).to_vec()).collect())
    }

    fn check(old: &Frame, new: &Frame, expected: Option<DifferenceKind>) {
        assert_eq!(compare(old, new, How { ordered: true, ..How::default() }, "it").map(|found| found.kind), expected);
    }

    #[test]
    fn rows_are_bags_with_an_order_where_it_is_asked_for() {
        let old = ints("a b", &[[1, 2], [1, 2], [3, 4]]);
        check(&old, &old, None);
        check(&old, &ints("A b", &[[1, 2], [1, 2], [3, 4]]), None);
        check(&old, &ints("a b", &[[3, 4], [1, 2], [1, 2]]), Some(DifferenceKind::Order));
        check(&old, &ints("a b", &[[1, 2], [3, 4], [3, 4]]), Some(DifferenceKind::Rows));
        check(&old, &ints("a c", &[[1, 2], [1, 2], [3, 4]]), Some(DifferenceKind::Columns));
    }

    #[test]
    fn the_columns_that_differ_are_named() {
        let found = compare(&ints("a b", &[[1, 2], [3, 4]]), &ints("a b", &[[1, 2], [3, 5]]), How::default(), "it");
        assert_eq!(found.as_ref().map(|found| (found.columns.join(" "), found.only_old)), Some(("b".to_owned(), 1)));
        let swapped = compare(&ints("a b", &[[1, 2], [3, 4]]), &ints("a b", &[[1, 4], [3, 2]]), How::default(), "it");
        assert_eq!(swapped.map(|found| found.columns.join(" ")), Some("a b".to_owned()));
    }

    #[test]
    fn values_are_equal_across_types_of_a_family() {
        let of = |data_type: &str, value: Value| frame("a", &[data_type], vec![vec![value]]);
        check(&of("int32", Value::Int(5)), &of("decimal(9,2)", Value::Decimal(500, 2)), None);
        let (old, new) = (of("int32", Value::Int(5)), of("int64", Value::Int(5)));
        check(&old, &new, None);
        let found = compare(&old, &new, How::of("duckdb"), "it").map(|found| found.kind);
        assert_eq!(found, Some(DifferenceKind::Columns));
        assert_eq!(compare(&old, &new, How::of("bigquery"), "it"), None);
        let (tiny, small, wide) = (of("int8", Value::Int(5)), of("int16", Value::Int(5)), of("int64", Value::Int(5)));
        let kinds = |dialect: &str| {
            [&tiny, &small, &wide].map(|new| compare(&tiny, new, How::of(dialect), "it").map(|found| found.kind))
        };
        let other = Some(DifferenceKind::Columns);
        assert_eq!(kinds("duckdb"), [None, other, other]);
        assert_eq!(kinds("bigquery"), [None, None, None]);
        check(&of("float32", Value::Float32(0.1)), &of("float64", Value::Float64(0.1)), None);
        check(&of("float64", Value::Float64(0.3)), &of("float64", Value::Float64(0.1 + 0.2)), None);
        check(&of("timestamp(s)", Value::Timestamp(1)), &of("timestamp(ms)", Value::Timestamp(1000)), None);
        check(&of("string", Value::Null), &of("int64", Value::Null), Some(DifferenceKind::Columns));
    }
}
