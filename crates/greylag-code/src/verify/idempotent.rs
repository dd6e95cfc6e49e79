//! Rules find nothing more to rewrite.

use super::{Complaints, counted};
use crate::repository::Report;
use greylag_model::check::CheckResult;

/// `report` is what rules make of the new tree.
pub(super) fn check(report: &Report) -> CheckResult {
    let mut complaints = Complaints::default();
    for file in report.files.iter().filter(|file| file.new.is_some()) {
        let line =
            file.edits.first().map_or(1, |edit| crate::repository::line_and_position(&file.old, edit.at.start).0);
        complaints.wrong(format!("`{}:{line}` would be rewritten: {}", file.path, counted(file.edits.len(), "edit")));
    }
    let holds = format!("nothing to rewrite in {}", counted(report.seen.files as usize, "file"));
    complaints.result("idempotent", holds, "rewrite once more; if that does not end, it is a defect of the rules")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, mutated};

    #[test]
    fn what_is_done_stays_done() {
        check(
            "idempotent",
            &[("a.sql", "select uid from raw.users_v1")],
            &[("a.sql", "select user_id as uid from raw.users_v2")],
            "pass: nothing to rewrite in 1 file",
        );
    }

    #[test]
    fn what_is_left_is_found() {
        let old = [("a.sql", "select 1;\nselect uid from raw.users_v1")];
        mutated("idempotent", &old, "a.sql", "users_v2", "users_v1", "`a.sql:2` would be rewritten: 1 edit");
    }
}
