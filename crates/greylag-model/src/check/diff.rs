//! Judges what a diff of the new dataset with another one counted.
//!
//! A diff of other rows than those that were asked for proves nothing, so columns that could not be compared fail it, however
//! many rows may differ. Details tell counts and names of columns; the keys that differ stand in a file beside the run.

use super::{CheckResult, Verdict};
use crate::diff::Counts;
use crate::spec::{DiffSpec, SOURCE};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Columns that a detail names.
const NAMES: usize = 5;

/// What a diff found: the other dataset is the left side, the new one the right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffEvidence {
    /// All rows, counted.
    pub counts: Counts,
    /// Columns that could not be compared: one side lacks them, or their types have nothing in common.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<String>,
    /// How many of the rows that are named differ in each column, for those with any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_columns: Vec<(String, u64)>,
    /// Differences that are named in the file.
    #[serde(default)]
    pub named: u64,
    /// Where they are named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The command that shows the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
}

/// What it means.
pub(super) fn judge(name: String, spec: &DiffSpec, found: Option<&DiffEvidence>) -> CheckResult {
    let Some(found) = found else {
        let detail = "it was not made".to_owned();
        return CheckResult { name, verdict: Verdict::Unknown, detail, hint: None };
    };
    let holds = found.not_compared.is_empty() && found.counts.differing() <= spec.max_differences;
    let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
    let hint = (!holds && !found.command.is_empty()).then(|| format!("`{}` shows the same", found.command));
    CheckResult { name, verdict, detail: detail(spec, found), hint }
}

fn detail(spec: &DiffSpec, found: &DiffEvidence) -> String {
    let counts = &found.counts;
    let with = spec.with.as_deref().unwrap_or(SOURCE);
    let by = if spec.key.is_empty() { "whole rows".to_owned() } else { format!("by {}", listed(&spec.key)) };
    let mut text = format!(
        "with `{with}`, {by}: {} rows the same, {} changed, {} only there, {} only in the new dataset, at most {} wanted",
        counts.same, counts.changed, counts.removed, counts.added, spec.max_differences
    );
    if !found.not_compared.is_empty() {
        let _ = write!(text, "; not comparable: {}", listed(&found.not_compared));
    }
    let repeated = (counts.repeated_left, counts.repeated_right);
    if !spec.key.is_empty() && repeated != (0, 0) {
        let _ = write!(text, "; rows that repeat a key: {} there, {} in the new dataset", repeated.0, repeated.1);
    }
    if counts.rejected > 0 {
        let _ = write!(text, "; {} rejected by the mapping", counts.rejected);
    }
    if !found.changed_columns.is_empty() {
        let names: Vec<String> = found.changed_columns.iter().map(|(name, _)| name.clone()).collect();
        let _ = write!(text, "; changed columns: {}", listed(&names));
    }
    if let Some(file) = &found.file {
        let _ = write!(text, "; {} named in `{file}`", found.named);
    }
    text
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > NAMES { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// The command line that makes the diff of a check again; `left` and `right` are names or paths, and `mapping` says that the
/// left side goes through the migration's mapping.
pub fn command(spec: &DiffSpec, left: &str, right: &str, mapping: bool) -> String {
    let mut text = format!("greylag diff {} {}", quoted(left), quoted(right));
    if mapping {
        text.push_str(" --mapping FILE");
    }
    let list = |names: &[String]| quoted(&names.join(","));
    if !spec.key.is_empty() {
        let _ = write!(text, " --key {}", list(&spec.key));
    }
    if !spec.ignore.is_empty() {
        let _ = write!(text, " --ignore {}", list(&spec.ignore));
    }
    let single = spec.tolerances.iter().map(|(name, tolerance)| (format!("{name}="), tolerance));
    let all = spec.tolerance.iter().map(|tolerance| (String::new(), tolerance));
    for (prefix, tolerance) in all.chain(single) {
        let bounds = [tolerance.absolute.map(|most| most.to_string()), tolerance.relative.map(percent)];
        for bound in bounds.into_iter().flatten() {
            let _ = write!(text, " --tolerance {}", quoted(&format!("{prefix}{bound}")));
        }
    }
    text
}

fn percent(share: f64) -> String {
    format!("{}%", share * 100.0)
}

/// A word of a shell's command line.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./,:=%+@".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::{DiffEvidence, command, judge};
    use crate::diff::Counts;
    use crate::spec::{DiffSpec, Tolerance};

    fn spec() -> DiffSpec {
        DiffSpec { key: vec!["id".to_owned()], ..DiffSpec::default() }
    }

    fn found(counts: Counts) -> DiffEvidence {
        DiffEvidence { counts, command: "greylag diff a b --key id".to_owned(), ..DiffEvidence::default() }
    }

    /// Verdict, detail and hint.
    fn check(spec: &DiffSpec, found: Option<&DiffEvidence>) -> String {
        let result = judge("diff".to_owned(), spec, found);
        let hint = result.hint.map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
        format!("{:?}: {}{hint}", result.verdict, result.detail)
    }

    #[test]
    fn rows_that_differ_are_counted_together_against_the_bound() {
        let mut evidence = found(Counts { same: 7, changed: 1, removed: 2, added: 3, ..Counts::default() });
        evidence.changed_columns = vec![("name".to_owned(), 1)];
        (evidence.named, evidence.file) = (6, Some("/runs/r/t.diff-0.jsonl".to_owned()));
        insta::assert_snapshot!(check(&spec(), Some(&evidence)), @"
        Fail: with `source`, by `id`: 7 rows the same, 1 changed, 2 only there, 3 only in the new dataset, at most 0 wanted; changed columns: `name`; 6 named in `/runs/r/t.diff-0.jsonl`
          hint: `greylag diff a b --key id` shows the same
        ");
        let most = DiffSpec { max_differences: 6, ..spec() };
        insta::assert_snapshot!(check(&most, Some(&evidence)), @"Pass: with `source`, by `id`: 7 rows the same, 1 changed, 2 only there, 3 only in the new dataset, at most 6 wanted; changed columns: `name`; 6 named in `/runs/r/t.diff-0.jsonl`");
        let fewer = DiffSpec { max_differences: 5, ..spec() };
        assert!(check(&fewer, Some(&evidence)).starts_with("Fail"));
    }

    #[test]
    fn what_was_not_compared_is_no_proof() {
        let equal = found(Counts { same: 9, rejected: 1, repeated_left: 1, repeated_right: 2, ..Counts::default() });
        insta::assert_snapshot!(check(&spec(), Some(&equal)), @"Pass: with `source`, by `id`: 9 rows the same, 0 changed, 0 only there, 0 only in the new dataset, at most 0 wanted; rows that repeat a key: 1 there, 2 in the new dataset; 1 rejected by the mapping");
        let without = DiffEvidence { not_compared: vec!["code".to_owned()], ..equal };
        let lenient = DiffSpec { max_differences: 1_000, with: Some("ref".to_owned()), ..DiffSpec::default() };
        insta::assert_snapshot!(check(&lenient, Some(&without)), @"
        Fail: with `ref`, whole rows: 9 rows the same, 0 changed, 0 only there, 0 only in the new dataset, at most 1000 wanted; not comparable: `code`; 1 rejected by the mapping
          hint: `greylag diff a b --key id` shows the same
        ");
        insta::assert_snapshot!(check(&spec(), None), @"Unknown: it was not made");
    }

    #[test]
    fn the_command_says_all_that_the_check_does() {
        insta::assert_snapshot!(command(&DiffSpec::default(), "a", "b", false), @"greylag diff a b");
        let one = |absolute, relative| Tolerance { absolute, relative };
        let spec = DiffSpec {
            key: vec!["id".to_owned(), "sold on".to_owned()],
            ignore: vec!["it's".to_owned()],
            tolerance: Some(one(Some(0.005), None)),
            tolerances: [("amount".to_owned(), one(Some(1.0), Some(0.001)))].into(),
            ..DiffSpec::default()
        };
        insta::assert_snapshot!(command(&spec, "sales/orders", "/lake/.new orders", true), @r"
        greylag diff sales/orders '/lake/.new orders' --mapping FILE --key 'id,sold on' --ignore 'it'\''s' --tolerance 0.005 --tolerance amount=1 --tolerance amount=0.1%
        ");
    }
}
