//! Repositories as text, and what a verifier says of them.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Options, verify};
use crate::repository;
use crate::tree::{MemoryTree, Tree};
use greylag_model::check::Verdict;
use greylag_model::consumer::{ColumnChange, Fate, TableChange};
use greylag_model::expr::{Node, TypedExpr};
use greylag_model::types::DataType;

/// A small project of dbt.
pub(super) const DBT: &[(&str, &str)] = &[
    ("dbt_project.yml", "name: shop\nversion: '1'\nmodel-paths: [models]\n"),
    (
        "models/sources.yml",
        "sources:\n  - name: raw\n    schema: raw\n    tables:\n      - name: users_v1\n        columns:\n          - name: uid\n      - name: orders\n",
    ),
    ("models/active.sql", "select uid, mail from {{ source('raw', 'users_v1') }} where uid > 1\n"),
    ("models/other.sql", "select uid from {{ source('raw', 'orders') }}\n"),
];

/// `raw.users_v1` becomes `raw.users_v2`: `uid` is `user_id`, `age` is computed from `years`, `flag` ends.
pub(super) fn change() -> TableChange {
    let column = |name: &str, fate: Fate| ColumnChange { name: name.to_owned(), fate, judgement: None };
    let years = TypedExpr { data_type: DataType::Int64, nullable: true, node: Node::Column("years".to_owned()) };
    let cast = Node::Cast { input: Box::new(years), loss: None, safe: false };
    TableChange {
        new: "raw.users_v2".parse().unwrap(),
        columns: vec![
            column("uid", Fate::Same("user_id".to_owned())),
            column("mail", Fate::Same("email".to_owned())),
            column("age", Fate::Computed(TypedExpr { data_type: DataType::Int32, nullable: true, node: cast })),
            column("flag", Fate::Lost("nobody fills it".to_owned())),
            column("kept", Fate::Same("kept".to_owned())),
        ],
        target: ["user_id", "email", "years", "kept"].map(str::to_owned).to_vec(),
        ..TableChange::unchanged("users_v1", vec!["raw.users_v1".parse().unwrap()], Vec::new())
    }
}

/// What a verifier says: verdict and detail.
pub(super) fn verdict(name: &str, old: &dyn Tree, new: &dyn Tree) -> String {
    let results = verify(old, new, &[change()], Options::default()).unwrap();
    let result = results.iter().find(|result| result.name == name).unwrap();
    let word = match result.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
    };
    assert_eq!(result.hint.is_none(), result.verdict == Verdict::Pass);
    format!("{word}: {}", result.detail)
}

/// Files, and the same as texts.
fn tree<T: AsRef<str>>(files: &[(T, T)]) -> MemoryTree {
    MemoryTree::new(files.iter().map(|(path, text)| (path.as_ref(), text.as_ref())))
}

/// Holds what a verifier says against a text.
pub(super) fn check<T: AsRef<str>>(name: &str, old: &[(&str, &str)], new: &[(T, T)], expected: &str) {
    assert_eq!(verdict(name, &tree(old), &tree(new)), expected);
}

/// The files as rules rewrite them.
pub(super) fn after(old: &[(&str, &str)]) -> Vec<(String, String)> {
    let report = repository::look(&tree(old), &[change()], repository::Options::default()).unwrap();
    let new = |path: &str, text: &str| {
        let file = report.files.iter().find(|file| file.path == path);
        file.and_then(|file| file.new.clone()).unwrap_or_else(|| text.to_owned())
    };
    old.iter().map(|(path, text)| ((*path).to_owned(), new(path, text))).collect()
}

/// Plants an error in what rules made, which passes without it: the verifier must find it, and say this.
pub(super) fn mutated(name: &str, old: &[(&str, &str)], path: &str, words: &str, by: &str, said: &str) {
    let mut new = after(old);
    let right = verdict(name, &tree(old), &tree(&new));
    assert!(right.starts_with("pass"), "without the error: {right}\n{new:#?}");
    match new.iter_mut().find(|(at, _)| at == path) {
        Some((_, text)) => {
            assert!(text.contains(words), "no `{words}` in {text}");
            *text = text.replacen(words, by, 1);
        }
        None => new.push((path.to_owned(), by.to_owned())),
    }
    let wrong = verdict(name, &tree(old), &tree(&new));
    assert!(wrong.starts_with("fail: ") && wrong.contains(said), "with the error: {wrong}\n{new:#?}");
}

/// The same for bytes that are no text.
pub(super) fn of_bytes(name: &str, old: &[(&str, &str)], path: &str, bytes: &[u8], said: &str) {
    let files = after(old).into_iter().map(|(at, text)| {
        let bytes = if at == path { bytes.to_vec() } else { text.into_bytes() };
        (at, bytes)
    });
    let wrong = verdict(name, &tree(old), &MemoryTree::of(files));
    assert!(wrong.starts_with("fail: ") && wrong.contains(said), "{wrong}");
}
