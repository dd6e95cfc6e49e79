#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Counts, FaultKind, RewriteComparison, compare_repositories, compare_repository, file};
use crate::repository::text::{Change, Hold, Text};
use crate::repository::truth::{ConsumerClass, FileTruth};
use crate::{Options, generate};
use std::fs;
use std::path::Path;

/// A file from a text in which `<old|new>` changes, `<old|new|other>` has an alternative, `<old?new>` may change and
/// `<=word>` must stay.
fn truth(text: &str, class: ConsumerClass) -> (FileTruth, String) {
    let mut out = Text::new(false);
    for part in text.split_inclusive('>') {
        let (fixed, mark) = part.split_once('<').unwrap_or((part, ""));
        out.fixed(fixed);
        let mark = mark.trim_end_matches('>');
        if let Some(word) = mark.strip_prefix('=') {
            out.decoy(word, "decoy");
        } else if let Some((old, new)) = mark.split_once('?') {
            let change = Change { old: old.to_owned(), new: new.to_owned(), alternatives: vec![] };
            out.change(change, "edit", Hold::Optional);
        } else if let Some((old, new)) = mark.split_once('|') {
            let (new, other) = new.split_once('|').map_or((new, None), |(new, other)| (new, Some(other)));
            let alternatives = other.into_iter().map(str::to_owned).collect();
            out.change(Change { old: old.to_owned(), new: new.to_owned(), alternatives }, "edit", Hold::Made);
        }
    }
    let truth = FileTruth {
        path: "a.sql".to_owned(),
        moved: None,
        class,
        reason: None,
        traps: vec!["whole".to_owned()],
        old: String::new(),
        new: None,
        edits: out.edits,
        lossy: false,
        references: vec![],
        decoys: out.decoys,
    };
    (truth, out.old)
}

fn compared(text: &str, class: ConsumerClass, actual: &str) -> RewriteComparison {
    let (truth, old) = truth(text, class);
    let mut comparison = RewriteComparison::default();
    file::compare(&truth, &old, actual, &mut comparison);
    comparison
}

/// Counts as `found/alike/missed/wrong/elsewhere` and the traps of the faults.
fn check(text: &str, actual: &str, expected: &str) {
    let comparison = compared(text, ConsumerClass::Mechanical, actual);
    let Counts { found, alike, missed, wrong, elsewhere, .. } = comparison.totals;
    let traps: Vec<&str> = comparison.faults.iter().map(|fault| fault.trap.as_str()).collect();
    let shown = format!("{found}/{alike}/{missed}/{wrong}/{elsewhere} {}", traps.join(" "));
    assert_eq!(shown.trim_end(), expected, "{actual}");
}

const QUERY: &str = "select <uid|user_id as uid>, b as <=uid> from <t1|t2> where <uid|user_id> > 3\n";

#[test]
fn what_was_made_of_a_file() {
    check(QUERY, "select user_id as uid, b as uid from t2 where user_id > 3\n", "3/0/0/0/0");
    check(QUERY, "select uid, b as uid from t1 where uid > 3\n", "0/0/3/0/0 edit edit edit");
    check(QUERY, "select user_id as uid, b as uid from t2 where uid > 3\n", "2/0/1/0/0 edit");
    check(QUERY, "select user_id AS uid, b as uid from t2 where \"user_id\" > 3\n", "1/2/0/0/0");
    check(QUERY, "select user_name as uid, b as uid from t2 where user_id > 3\n", "2/0/0/1/0 edit");
    check(QUERY, "select user_id as uid, b as user_id from t2 where user_id > 3\n", "3/0/0/0/10 decoy");
    check(QUERY, "select user_id as uid, b as uid from t2 where user_id > 4\n", "3/0/0/0/2 whole");
    check(QUERY, "select user_id as uid, b as uid from t2 where user_id > 3", "3/0/0/0/1 whole");
    check(QUERY, "select user_id as uid, b as uid\nfrom t2 where user_id > 3\n", "3/0/0/0/2 whole");
    check(QUERY, "select user_id, b as uid from t2 where user_id > 3\n", "2/0/0/1/0 edit");
}

#[test]
fn other_texts_that_are_right() {
    let query = "where a in (select <uid|user_id|user_id as uid> from t)";
    check(query, "where a in (select user_id from t)", "1/0/0/0/0");
    check(query, "where a in (select user_id as uid from t)", "0/1/0/0/0");
    check(query, "where a in (select uid from t)", "0/0/1/0/0 edit");
}

#[test]
fn a_star_that_was_left() {
    let query = "a\nselect <*|x as a, y as b> from <t1|t2> -- <=t1>\n";
    check(query, "a\nselect * from t2 -- t1\n", "1/0/1/0/0 edit");
    check(query, "a\nselect x as a, y as b from t2 -- t2\n", "2/0/0/0/4 decoy");
}

#[test]
fn a_file_that_has_nothing_to_do_with_it() {
    let query = format!("select <uid|user_id> from t -- {}", "a ".repeat(2_000));
    let comparison = compared(&query, ConsumerClass::Mechanical, &"b,".repeat(2_000));
    assert_eq!((comparison.totals.wrong, comparison.totals.found), (1, 0));
    assert!(comparison.totals.elsewhere > 4_000);
}

#[test]
fn people_may_let_places_change_and_be_told_of_them() {
    let query = "select <uid?user_id as uid>,\n    b\nfrom t\n";
    let note = "-- judgement: https://guides.example.com/migrations/identity\n";
    let check = |actual: &str, optional, noted, wrong, elsewhere| {
        let totals = compared(query, ConsumerClass::Judgement, actual).totals;
        let shown = (totals.optional, totals.noted, totals.wrong, totals.elsewhere);
        assert_eq!((shown, totals.expected, totals.missed), ((optional, noted, wrong, elsewhere), 0, 0), "{actual}");
    };
    check("select uid,\n    b\nfrom t\n", 0, 0, 0, 0);
    check("select user_id as uid,\n    b\nfrom t\n", 1, 0, 0, 0);
    check(&format!("{note}select uid,\n    b\nfrom t\n"), 0, 1, 0, 0);
    check(&format!("select uid, {note}\n    b\nfrom t\n"), 0, 1, 0, 0);
    check("select user_name as uid,\n    b\nfrom t\n", 0, 0, 1, 0);
    check("-- todo\nselect uid,\n    b\nfrom t\n", 0, 0, 0, 8);
}

/// The trees as they must be, below `trees`.
fn rewritten(estate: &Path, trees: &Path) -> Vec<crate::RepositoryTruth> {
    let all: crate::RepositoriesTruth = crate::truth::read_json(estate, "repositories.json").unwrap();
    let read = |name: &String| {
        let truth: crate::RepositoryTruth =
            crate::truth::read_json(estate, &format!("repositories/{name}.json")).unwrap();
        for file in &truth.files {
            let kind = if file.new.is_some() { "new" } else { "old" };
            let path = file.moved.as_ref().unwrap_or(&file.path);
            let place = trees.join(name).join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::copy(estate.join(format!("truth/repositories/{name}/{kind}/{path}")), place).unwrap();
        }
        truth
    };
    all.names.iter().map(read).collect()
}

#[test]
fn planted_errors_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let (estate, trees) = (directory.path().join("estate"), directory.path().join("trees"));
    let options = Options { most_rows: Some(2), repositories: 24, ..Options::new(5, 120, &estate) };
    generate(&options, &|_, _| {}).unwrap();
    let truths = rewritten(&estate, &trees);
    let right = compare_repositories(&estate, &trees).unwrap();
    assert!(right.is_right() && right.totals.expected > 400, "{:?}", right.faults.first());
    assert_eq!((right.totals.found, right.files, right.totals.alike), (right.totals.expected, right.right, 0));

    // As they were: everything is missed, and nothing else is wrong.
    let old = compare_repositories(&estate, &estate.join("repositories")).unwrap();
    assert_eq!(
        old.totals,
        Counts { expected: right.totals.expected, missed: right.totals.expected, ..Counts::default() }
    );

    for truth in truths.iter().filter(|truth| truth.class == ConsumerClass::Mechanical) {
        plant(&estate, &trees, truth);
    }
}

/// Plants an error of each kind in the files of a repository, one after the other, and looks that it is seen.
fn plant(estate: &Path, trees: &Path, truth: &crate::RepositoryTruth) {
    let tree = trees.join(&truth.name);
    for file in truth.files.iter().filter(|file| file.new.is_some()) {
        let place = tree.join(file.moved.as_ref().unwrap_or(&file.path));
        let sound = fs::read_to_string(&place).unwrap();
        let old = fs::read_to_string(estate.join("repositories").join(&truth.name).join(&file.path)).unwrap();
        let counts = |text: String| {
            fs::write(&place, text).unwrap();
            let comparison = compare_repository(estate, &truth.name, &tree).unwrap();
            assert!(comparison.faults.iter().all(|fault| fault.path == file.path && file.traps.contains(&fault.trap)));
            comparison.totals
        };
        let mut shift = 0_isize;
        // What is optional is not made in the expected tree.
        for edit in file.edits.iter().filter(|edit| !edit.optional) {
            let start = edit.start.saturating_add_signed(shift);
            shift += edit.new.len().cast_signed() - (edit.end - edit.start).cast_signed();
            let with = |text: &str| sound[..start].to_owned() + text + &sound[start + edit.new.len()..];
            let missed = counts(with(&old[edit.start..edit.end]));
            assert_eq!((missed.missed, missed.wrong, missed.elsewhere), (1, 0, 0), "{}: {edit:?}", file.path);
            let wrong = counts(with("planted"));
            assert_eq!((wrong.missed, wrong.wrong, wrong.elsewhere), (0, 1, 0), "{}: {edit:?}", file.path);
        }
        if let Some(moved) = &file.moved {
            fs::write(&place, &sound).unwrap();
            fs::rename(tree.join(moved), tree.join(&file.path)).unwrap();
            let unmoved = compare_repository(estate, &truth.name, &tree).unwrap().totals;
            assert_eq!((unmoved.missed, unmoved.wrong, unmoved.elsewhere), (1, 0, 0), "{}", file.path);
            fs::remove_file(tree.join(&file.path)).unwrap();
        }
        let beside = counts(format!("{sound} "));
        assert_eq!((beside.missed, beside.wrong, beside.elsewhere), (0, 0, 1), "{}", file.path);
        fs::write(&place, sound).unwrap();
    }
}

#[test]
fn files_that_are_gone_or_new_are_faults() {
    let directory = tempfile::tempdir().unwrap();
    let (estate, trees) = (directory.path().join("estate"), directory.path().join("trees"));
    let options = Options { most_rows: Some(2), repositories: 2, ..Options::new(5, 40, &estate) };
    generate(&options, &|_, _| {}).unwrap();
    let truths = rewritten(&estate, &trees);
    let tree = trees.join(&truths[0].name);
    fs::remove_file(tree.join("README.md")).unwrap();
    fs::write(tree.join("models/left.over"), "abc").unwrap();
    fs::create_dir(tree.join(".git")).unwrap();
    fs::write(tree.join(".git/config"), "").unwrap();
    let kinds: Vec<FaultKind> =
        compare_repositories(&estate, &trees).unwrap().faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::Absent, FaultKind::Added]);
}
