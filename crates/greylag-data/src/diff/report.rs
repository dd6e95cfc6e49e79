//! What a diff says, and how picked rows are held against each other.

use super::merge::near;
use super::pick::PickedRow;
use greylag_model::diff::{Compared, Counts, Differing};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::HashMap;

/// The outcome of a diff.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether there is no difference at all.
    pub equal: bool,
    /// All rows, counted.
    pub counts: Counts,
    /// The key's columns.
    pub key: Vec<String>,
    /// Columns that were compared, the key's included.
    pub compared: Vec<String>,
    /// Columns that only the left side has.
    pub only_left: Vec<String>,
    /// Columns that only the right side has.
    pub only_right: Vec<String>,
    /// Columns of two types.
    pub differing_types: Vec<Differing>,
    /// How many of the named rows differ in each column, for those with any.
    pub changed_columns: Vec<(String, u64)>,
    /// The rows that are named, in the order of their keys.
    pub differences: Vec<Difference>,
    /// Whether those are all.
    pub complete: bool,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Both sides have its key, with other values.
    Changed,
    /// Only the left side has it.
    Removed,
    /// Only the right side has it.
    Added,
}

/// A row that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// How.
    pub kind: Kind,
    /// How often exactly this difference is there.
    pub rows: u64,
    /// The key's values; `None` is null. Empty without a key.
    pub key: Vec<Option<String>>,
    /// The values that differ, or all but the key's of a row that one side lacks.
    pub columns: Vec<Cell>,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Column.
    pub column: String,
    /// On the left; absent if the row is not there, null if the value is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Option<String>>,
    /// On the right, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<Option<String>>,
}

/// Holds the picked rows of both sides against each other, key by key.
pub(super) fn differences(columns: &[Compared], left: Vec<PickedRow>, right: Vec<PickedRow>) -> Vec<Difference> {
    let keyed = columns.iter().any(|column| column.key);
    let identity = |row: &PickedRow| -> Vec<u64> {
        let values = row.values.iter().zip(columns).filter(|(_, column)| column.key || !keyed);
        values.map(|(value, _)| *value).collect()
    };
    let mut by_key: HashMap<Vec<u64>, [Vec<PickedRow>; 2]> = HashMap::new();
    for (side, rows) in [left, right].into_iter().enumerate() {
        for row in rows {
            by_key.entry(identity(&row)).or_default()[side].push(row);
        }
    }
    let mut found: Vec<Difference> = Vec::new();
    for [left, right] in by_key.into_values() {
        let first = found.len();
        found.extend(of_one_key(columns, left, right));
        // Equal differences of one key are one, several times.
        let mut at = first;
        while at < found.len() {
            match (first..at).find(|earlier| found[*earlier].is_like(&found[at])) {
                Some(earlier) => {
                    found[earlier].rows += found.swap_remove(at).rows;
                }
                None => at += 1,
            }
        }
    }
    found.sort_by(compare);
    found
}

impl Difference {
    fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.key == other.key && self.columns == other.columns
    }
}

/// The rows of one key that have no equal.
fn of_one_key(columns: &[Compared], left: Vec<PickedRow>, mut right: Vec<PickedRow>) -> Vec<Difference> {
    let differs = |left: &PickedRow, right: &PickedRow, at: usize| match columns[at].tolerance {
        Some(tolerance) => !near(left.values[at], right.values[at], tolerance),
        None => left.values[at] != right.values[at],
    };
    let equal = |left: &PickedRow, right: &PickedRow| (0..columns.len()).all(|at| !differs(left, right, at));
    // Exact equals first, by hash: a key can have many rows.
    let mut exact: HashMap<&[u64], Vec<usize>> = HashMap::new();
    for (at, row) in right.iter().enumerate() {
        exact.entry(&row.values).or_default().push(at);
    }
    let mut gone = vec![false; right.len()];
    let mut rest: Vec<PickedRow> = Vec::new();
    for row in left {
        match exact.get_mut(row.values.as_slice()).and_then(Vec::pop) {
            Some(at) => gone[at] = true,
            None => rest.push(row),
        }
    }
    drop(exact);
    let mut gone = gone.into_iter();
    right.retain(|_| gone.next() == Some(false));
    if columns.iter().any(|column| column.tolerance.is_some()) {
        rest.retain(|row| match right.iter().position(|other| equal(row, other)) {
            Some(at) => {
                right.remove(at);
                false
            }
            None => true,
        });
    }
    let (mut left, mut right) = (rest.into_iter(), right.into_iter());
    let mut found = Vec::new();
    loop {
        let (kind, left, right) = match (left.next(), right.next()) {
            (None, None) => return found,
            (Some(left), Some(right)) => (Kind::Changed, Some(left), Some(right)),
            (Some(left), None) => (Kind::Removed, Some(left), None),
            (None, Some(right)) => (Kind::Added, None, Some(right)),
        };
        let some = left.as_ref().or(right.as_ref());
        let key = |(at, column): (usize, &Compared)| column.key.then(|| some.and_then(|row| row.texts[at].clone()));
        let cell = |(at, column): (usize, &Compared)| {
            let told = match (&left, &right) {
                (Some(left), Some(right)) => differs(left, right, at),
                _ => !column.key,
            };
            let text = |row: &Option<PickedRow>| row.as_ref().map(|row| row.texts[at].clone());
            told.then(|| Cell { column: column.name.clone(), left: text(&left), right: text(&right) })
        };
        found.push(Difference {
            kind,
            rows: 1,
            key: columns.iter().enumerate().filter_map(key).collect(),
            columns: columns.iter().enumerate().filter_map(cell).collect(),
        });
    }
}

/// By key, numbers as numbers; then by kind and values.
fn compare(left: &Difference, right: &Difference) -> Ordering {
    let pairs = left.key.iter().zip(&right.key);
    pairs
        .map(|(left, right)| value_order(left.as_deref(), right.as_deref()))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| {
            let cells = |difference: &Difference| -> Vec<_> {
                difference.columns.iter().map(|cell| (cell.left.clone(), cell.right.clone())).collect()
            };
            left.kind.cmp(&right.kind).then_with(|| cells(left).cmp(&cells(right)))
        })
}

fn value_order(left: Option<&str>, right: Option<&str>) -> Ordering {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
    match (number(left), number(right)) {
        (Some(one), Some(other)) => one.total_cmp(&other).then_with(|| left.cmp(&right)),
        (one, other) => one.is_none().cmp(&other.is_none()).then_with(|| left.cmp(&right)),
    }
}
