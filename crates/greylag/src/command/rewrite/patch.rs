//! Rewritten files as a patch that `git apply` takes.

use similar::TextDiff;
use std::fmt::Write as _;

/// The patch of one file, by its old path and its new one.
pub(crate) fn of(path: &str, moved: Option<&str>, old: &str, new: &str) -> String {
    let to = moved.unwrap_or(path);
    let (old_name, new_name) = (format!("a/{path}"), format!("b/{to}"));
    let mut text = String::new();
    if moved.is_some() {
        let similarity = similarity(old, new);
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "diff --git {old_name} {new_name}\nsimilarity index {similarity}%\nrename from {path}\nrename to {to}\n"
        );
    }
    let _ = write!(text, "{}", TextDiff::from_lines(old, new).unified_diff().header(&old_name, &new_name));
    text
}

/// How much of two texts is the same, in percent; 100 only where all is.
fn similarity(old: &str, new: &str) -> u32 {
    if old == new { 100 } else { ((TextDiff::from_lines(old, new).ratio() * 100.0) as u32).min(99) }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_file_that_moves_is_renamed() {
        let moved = of("m/a.sql", Some("m/b.sql"), "x\n", "x\n");
        assert_eq!(
            moved,
            "diff --git a/m/a.sql b/m/b.sql\nsimilarity index 100%\nrename from m/a.sql\nrename to m/b.sql\n"
        );
        let both = of("m/a.sql", Some("m/b.sql"), "x\ny\n", "x\nz\n");
        assert!(
            both.ends_with("rename to m/b.sql\n--- a/m/a.sql\n+++ b/m/b.sql\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n"),
            "{both}"
        );
        assert!(!of("a.sql", None, "x\n", "y\n").contains("diff --git"));
    }
}
