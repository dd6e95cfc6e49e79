//! The reference page's part on types.

use super::{Conversion, conversion};
use crate::types::DataType;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Types that stand for their kind.
const SHOWN: &[&str] = &[
    "boolean",
    "int8",
    "int32",
    "int64",
    "uint8",
    "uint64",
    "decimal(9,0)",
    "decimal(15,2)",
    "decimal(38,10)",
    "float32",
    "float64",
    "date",
    "time(us)",
    "time(ns)",
    "timestamp(s)",
    "timestamp(us)",
    "timestamp(ns)",
    "timestamp(us, UTC)",
    "timestamp(us, Europe/Berlin)",
    "string",
    "binary",
    "list<int32>",
    "list<int64>",
    "struct<a: int32>",
    "map<string, int32>",
];

/// The matrix as Markdown: one row per source type, one column per target type, and what the words mean.
pub fn matrix_markdown() -> String {
    let types: Vec<DataType> = SHOWN.iter().filter_map(|text| text.parse().ok()).collect();
    let mut page = String::from(
        "Each cell says what converting the row's type to the column's type may do to values.\n\n\
         - `=` every value is carried, and the way back is exact\n\
         - `fit` values can be out of range or malformed: `misfit` says what then\n\
         - `loss` fractions, sub-units or digits can be lost: `loss: truncate`, `round` or `fail` must be given\n\
         - `loss, fit` both\n\
         - an empty cell: there is no such conversion\n\n\
         `truncate` goes towards zero, for timestamps towards the past; `round` goes to the nearest, halves away from \
         zero, and to a float as IEEE 754 says (there is no `truncate` to a float). Text is read strictly; digits of text that the type cannot carry are misfits unless a \
         `loss` is given. Where clocks are set forward, a wall-clock reading in the gap is read with the offset \
         before it; where they are set back, a reading that exists twice is the later instant.\n\n\
         Parquet has no unit of seconds: `timestamp(s)` and `time(s)` are whole numbers in its files, which engines \
         that do not read Arrow's schema (DuckDB, Spark) show as such. The compatibility view gives readers what they \
         had; for new datasets `timestamp(ms)` and `time(ms)` are the better choice.\n\n|from \\ to|",
    );
    for to in &types {
        let _ = write!(page, "`{to}`|");
    }
    page.push_str("\n|");
    page.push_str(&"---|".repeat(types.len() + 1));
    page.push('\n');
    let mut reasons = BTreeSet::new();
    for from in &types {
        let _ = write!(page, "|`{from}`|");
        for to in &types {
            page.push_str(match conversion(from, to) {
                Conversion::Exact => "=",
                Conversion::Lossy { needs_loss: true, may_misfit: true } => "loss, fit",
                Conversion::Lossy { needs_loss: true, .. } => "loss",
                Conversion::Lossy { .. } => "fit",
                Conversion::Unsupported { reason } => {
                    reasons.insert(reason);
                    ""
                }
            });
            page.push('|');
        }
        page.push('\n');
    }
    page.push_str("\nWhy some are missing:\n\n");
    for reason in reasons {
        let _ = writeln!(page, "- {reason}");
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_shown_type_is_in_the_page() {
        let page = super::matrix_markdown();
        assert_eq!(page.lines().filter(|line| line.starts_with("|`")).count(), super::SHOWN.len());
        assert!(page.contains("|`decimal(15,2)`|"));
    }
}
