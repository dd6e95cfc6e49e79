//! dbt models that take another name: what is right passes, and everything that can be left behind is seen.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Options, verify};
use crate::repository;
use crate::tree::MemoryTree;
use greylag_model::check::Verdict;
use greylag_model::consumer::{ColumnChange, Fate, MadeColumn, TableChange};
use greylag_model::expr::{Node, TypedExpr};
use greylag_model::spec::{Outputs, SourcePolicy};
use greylag_model::types::DataType;
use greylag_syntax::sql::Dialect;

/// `shop.users_v1 (uid, age, kept)` becomes `shop.users_v2 (user_id, age bigint, kept)`.
fn change() -> TableChange {
    let column =
        |name: &str| TypedExpr { data_type: DataType::Int32, nullable: true, node: Node::Column(name.to_owned()) };
    let cast = |to: DataType| {
        let node = Node::Cast { input: Box::new(column("age")), loss: None, safe: false };
        TypedExpr { data_type: to, nullable: true, node }
    };
    let fate = |name: &str, fate: Fate| ColumnChange { name: name.to_owned(), fate, judgement: None };
    let made = |name: &str, value: TypedExpr| MadeColumn {
        name: name.to_owned(),
        data_type: value.data_type.clone(),
        value,
        why: None,
    };
    TableChange {
        new: "shop.users_v2".parse().unwrap(),
        columns: vec![
            fate("uid", Fate::Same("user_id".to_owned())),
            fate("age", Fate::Computed(cast(DataType::Int32))),
            fate("kept", Fate::Same("kept".to_owned())),
        ],
        target: ["user_id", "age", "kept"].map(str::to_owned).to_vec(),
        made: vec![made("user_id", column("uid")), made("age", cast(DataType::Int64)), made("kept", column("kept"))],
        ..TableChange::unchanged("users_v1", vec!["shop.users_v1".parse().unwrap()], Vec::new())
    }
}

const PROJECT: &str = "name: p\nversion: '1'\nmodels:\n  p:\n    users_v1:\n      +tags: nightly\n";
const MODEL: &str = "select a as uid, b as age, c as kept from {{ ref('feed') }}\n";
const ENTRY: &str = "models:\n  - name: users_v1\n    config: {schema: shop, materialized: table, contract: {enforced: true}}\n    \
                     columns:\n      - name: uid\n        data_type: integer\n        tests: [unique]\n      \
                     - {name: age, data_type: integer}\n      - {name: kept, data_type: integer}\n    \
                     tests:\n      - dbt_utils.unique_combination_of_columns:\n          combination_of_columns: [uid, kept]\n";
const USES: &str = "models:\n  - name: reader\n    columns:\n      - name: id\n        tests:\n          \
                    - relationships:\n              to: ref('users_v1')\n              field: uid\n\
                    exposures:\n  - name: board\n    type: dashboard\n    depends_on: [ref('users_v1')]\n";
const FILES: [(&str, &str); 6] = [
    ("dbt_project.yml", PROJECT),
    ("models/feed.sql", "select 1 as a, 2 as b, 3 as c\n"),
    ("models/reader.sql", "select uid as id, age from {{ ref('users_v1') }} where uid > 1\n"),
    ("models/users.yml", ENTRY),
    ("models/users_v1.sql", MODEL),
    ("models/uses.yml", USES),
];

type Files = Vec<(String, String)>;

/// The files as rules leave them.
fn rewritten(files: &[(&str, &str)]) -> Files {
    rewritten_by(&change(), files)
}

fn rewritten_by(change: &TableChange, files: &[(&str, &str)]) -> Files {
    let tree = MemoryTree::new(files.iter().copied());
    let options = repository::Options { dialect: Some(Dialect::DuckDb), stated: None };
    let report = repository::look(&tree, std::slice::from_ref(change), options).unwrap();
    let now = |(path, text): &(&str, &str)| {
        let file = report.files.iter().find(|file| file.path == *path);
        let new = file.and_then(|file| file.new.clone()).unwrap_or_else(|| (*text).to_owned());
        (file.and_then(|file| file.moved.clone()).unwrap_or_else(|| (*path).to_owned()), new)
    };
    files.iter().map(now).collect()
}

/// The checks that do not pass, one a line.
fn said(old: &[(&str, &str)], new: &Files) -> String {
    said_of(&change(), old, new)
}

fn said_of(change: &TableChange, old: &[(&str, &str)], new: &Files) -> String {
    let old = MemoryTree::new(old.iter().copied());
    let new = MemoryTree::new(new.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let options = Options { dialect: Some(Dialect::DuckDb), ..Options::default() };
    let results = verify(&old, &new, std::slice::from_ref(change), options).unwrap();
    let bad = results.into_iter().filter(|result| result.verdict != Verdict::Pass);
    bad.map(|result| format!("{} {:?}: {}", result.name, result.verdict, result.detail)).collect::<Vec<_>>().join("\n")
}

fn replaced(files: &mut Files, path: &str, words: &str, by: &str) {
    let (_, text) = files.iter_mut().find(|(at, _)| at == path).unwrap();
    assert!(text.contains(words), "no `{words}` in {text}");
    *text = text.replacen(words, by, 1);
}

/// Plants an error in what rules made, and finds it: a check fails, and says this.
fn wrong(check: &str, path: &str, words: &str, by: &str, expected: &str) {
    let mut new = rewritten(&FILES);
    replaced(&mut new, path, words, by);
    let said = said(&FILES, &new);
    let found = said.lines().any(|line| line.starts_with(&format!("{check} Fail: ")) && line.contains(expected));
    assert!(found, "{said}");
}

#[test]
fn a_model_that_moves_with_all_that_hangs_on_it_passes() {
    let new = rewritten(&FILES);
    assert!(new.iter().any(|(path, _)| path == "models/users_v2.sql"), "{new:#?}");
    assert_eq!(said(&FILES, &new), "");
}

#[test]
fn an_entry_that_is_left_behind_is_found() {
    wrong(
        "resolves",
        "models/users.yml",
        "users_v2",
        "users_v1",
        "`models/users.yml`: the entry of `users_v1` is lost",
    );
    wrong("resolves", "models/users.yml", "users_v2", "users_v1", "where `shop.users_v2` must be made");
}

#[test]
fn a_key_of_the_project_that_is_left_behind_is_found() {
    let said = "`dbt_project.yml`: the configuration of `users_v1` is lost";
    wrong("resolves", "dbt_project.yml", "users_v2", "users_v1", said);
}

#[test]
fn a_schema_that_is_lost_is_found() {
    let said = "`models/users_v2.sql` makes `target_schema.users_v2`, where `shop.users_v2` must be made";
    wrong("resolves", "models/users.yml", "schema: shop, ", "", said);
    let other = "`models/users_v2.sql` makes `target_schema_stage.users_v2`";
    wrong("resolves", "models/users.yml", "schema: shop", "schema: stage", other);
}

#[test]
fn a_materialization_or_a_contract_that_is_lost_is_found() {
    let said = "`models/users_v2.sql` has lost `materialized: table`";
    wrong("resolves", "models/users.yml", "materialized: table, ", "", said);
    let view = "`models/users_v2.sql` has `materialized: view`, where it had `table`";
    wrong("resolves", "models/users.yml", "materialized: table", "materialized: view", view);
    let contract = "`models/users_v2.sql` has lost `contract: enforced`";
    wrong("resolves", "models/users.yml", ", contract: {enforced: true}", "", contract);
}

#[test]
fn a_ref_that_is_left_behind_is_found() {
    let said = "`models/reader.sql` refers to `users_v1`, which is nowhere";
    wrong("resolves", "models/reader.sql", "users_v2", "users_v1", said);
    let board = "`models/uses.yml`: the exposure `board` does not lead to `model.p.users_v2` any more";
    wrong("resolves", "models/uses.yml", "depends_on: [ref('users_v2')", "depends_on: [ref('users_v1')", board);
    let test = "`models/uses.yml`: the test `relationships` of `id` of `reader` does not lead to `model.p.users_v2`";
    wrong("resolves", "models/uses.yml", "to: ref('users_v2')", "to: ref('users_v1')", test);
    let other = "`models/reader.sql` does not refer to `model.p.users_v2` any more";
    wrong("resolves", "models/reader.sql", "users_v2", "feed", other);
}

#[test]
fn a_column_or_a_test_that_is_lost_is_found() {
    let column = "the entry of `models/users_v2.sql` declares no `user_id`, and declared `uid`";
    wrong("resolves", "models/users.yml", "name: user_id", "name: uid", column);
    let old = "the entry of `models/users_v2.sql` declares `uid`, which is not there";
    wrong("resolves", "models/users.yml", "name: user_id", "name: uid", old);
    let test = "`models/users.yml`: the test `unique` of `uid` of `users_v1` is lost";
    wrong("resolves", "models/users.yml", "        tests: [unique]\n", "", test);
    let field = "the test `relationships` says `field: uid`, where `user_id` is meant";
    wrong("resolves", "models/uses.yml", "field: user_id", "field: uid", field);
    let list = "`combination_of_columns: uid`, where `user_id` is meant";
    wrong("resolves", "models/users.yml", "[user_id, kept]", "[uid, kept]", list);
}

#[test]
fn columns_that_stay_what_they_were_are_found() {
    let name = "gives no `user_id`, which `target_schema_shop.users_v2` has";
    wrong("outputs", "models/users_v2.sql", "a as user_id", "a as uid", name);
    let gone = "gives no `kept`";
    wrong("outputs", "models/users_v2.sql", ", c as kept", "", gone);
    let swapped = "`kept` is of `b`, where it should be of `c`";
    wrong("lineage", "models/users_v2.sql", "c as kept", "b as kept", swapped);
    let cast = "`age` is `age` as it was, and is of another value or type now";
    wrong("lineage", "models/users_v2.sql", "cast(b as bigint) as age", "b as age", cast);
}

#[test]
fn a_file_that_stays_or_goes_is_found() {
    let mut both = rewritten(&FILES);
    both.push(("models/users_v1.sql".to_owned(), MODEL.to_owned()));
    let said_both = said(&FILES, &both);
    assert!(
        said_both.contains("parses Fail: `model.p.users_v1` of `models/users_v1.sql` was not there before"),
        "{said_both}"
    );
    let without: Files = rewritten(&FILES).into_iter().filter(|(path, _)| path != "models/users_v2.sql").collect();
    let said_without = said(&FILES, &without);
    let expected =
        "parses Fail: `model.p.users_v1` of `models/users_v1.sql` is gone, and nothing makes `shop.users_v2`";
    assert!(said_without.contains(expected), "{said_without}");
    let stays: Files = FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let said_stays = said(&FILES, &stays);
    assert!(said_stays.contains("`models/users_v1.sql` still makes `target_schema_shop.users_v1`"), "{said_stays}");
}

#[test]
fn a_folder_that_configures_is_not_left() {
    let project = "name: p\nversion: '1'\nmodels:\n  p:\n    marts:\n      +schema: shop\n      +materialized: table\n";
    let files = [("dbt_project.yml", project), FILES[1], ("models/marts/users_v1.sql", MODEL)];
    let mut new = rewritten(&files);
    assert_eq!(said(&files, &new), "");
    let (path, _) = new.iter_mut().find(|(path, _)| path == "models/marts/users_v2.sql").unwrap();
    "models/users_v2.sql".clone_into(path);
    let said = said(&files, &new);
    for expected in [
        "resolves Fail: `models/users_v2.sql` makes `target_schema.users_v2`, where `shop.users_v2` must be made",
        "`models/users_v2.sql` has lost `materialized: table`",
    ] {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn an_alias_is_a_name_too() {
    let model = format!("{{{{ config(schema='shop', alias='users_v1', materialized='table') }}}}\n{MODEL}");
    let reader = "select uid as id from {{ ref('people') }}\n";
    let files = [
        ("dbt_project.yml", "name: p\nversion: '1'\n"),
        FILES[1],
        ("models/people.sql", model.as_str()),
        ("models/reader.sql", reader),
    ];
    let new = rewritten(&files);
    assert_eq!(said(&files, &new), "");
    let mut wrong = new.clone();
    replaced(&mut wrong, "models/people.sql", "alias='users_v2'", "alias='users_v3'");
    let said_wrong = said(&files, &wrong);
    assert!(
        said_wrong.contains("resolves Fail: `models/people.sql` names")
            || said_wrong.contains("`models/people.sql` makes"),
        "{said_wrong}"
    );
    let mut wrong = new;
    replaced(&mut wrong, "models/people.sql", ", materialized='table'", "");
    let said_wrong = said(&files, &wrong);
    assert!(said_wrong.contains("resolves Fail: `models/people.sql` has lost `materialized: table`"), "{said_wrong}");
}

#[test]
fn a_namesake_of_the_new_model_is_not_its_successor() {
    // Rules leave the model, since another one has the name; so nothing has moved, and nothing is paired with the other one.
    let other = ("models/other/users_v2.sql", "{{ config(schema='shop') }}\nselect 7 as x\n");
    let files = [FILES[0], FILES[1], FILES[2], FILES[3], FILES[4], FILES[5], other];
    let new = rewritten(&files);
    assert!(new.iter().any(|(path, _)| path == "models/users_v1.sql"), "{new:#?}");
    assert_eq!(said(&files, &new), "");
}

/// New names go on to readers, and to theirs: as they should, or not at all.
#[test]
fn outputs_that_take_new_names_are_followed() {
    let change = TableChange { outputs: Outputs::Propagate, ..change() };
    let files = [
        ("dbt_project.yml", "name: p\n"),
        ("models/s.yml", "sources:\n  - name: shop\n    tables: [{name: users_v1}]\n"),
        ("models/stg.sql", "select uid, kept as k from {{ source('shop', 'users_v1') }}\n"),
        ("models/stg.yml", "models:\n  - name: stg\n    columns:\n      - name: uid\n        tests: [unique]\n"),
        ("models/mart.sql", "select s.uid, count(*) as n from {{ ref('stg') }} s group by s.uid order by n\n"),
        ("models/last.sql", "select max(uid) as top from {{ ref('mart') }}\n"),
    ];
    let right = rewritten_by(&change, &files);
    assert_eq!(said_of(&change, &files, &right), "");
    let wrong = |path: &str, words: &str, by: &str, expected: &str| {
        let mut new = right.clone();
        replaced(&mut new, path, words, by);
        let said = said_of(&change, &files, &new);
        assert!(said.contains("Fail") && said.contains(expected), "{said}");
    };
    wrong("models/stg.sql", "user_id", "user_id as person", "column 1 is `person`, and was `uid`");
    wrong("models/stg.sql", "kept as k", "kept as j", "column 2 is `j`, and was `k`");
    wrong(
        "models/stg.sql",
        "user_id, kept as k",
        "kept as user_id, kept as k",
        "`user_id` is of `kept`, where it should be of `user_id`",
    );
    wrong("models/mart.sql", "group by s.user_id", "group by s.uid", "`models/mart.sql`");
    wrong("models/last.sql", "max(user_id)", "max(n)", "`top` is of `n`, where it should be of `user_id`");
    wrong("models/stg.yml", "name: user_id", "name: uid", "the entry of `models/stg.sql` declares no `user_id`");
}

/// What is declared twice is held against the declaration that is as it was.
#[test]
fn a_column_that_is_declared_twice_is_as_it_was() {
    let twice = "models:\n  - name: apart\n    columns:\n      - {name: n, data_type: int}\n      - {name: n, data_type: text}\n";
    let files = [
        ("dbt_project.yml", "name: p\n"),
        ("models/s.yml", "sources:\n  - name: shop\n    tables:\n      - name: users_v1\n"),
        ("models/reads.sql", "select uid from {{ source('shop', 'users_v1') }}\n"),
        ("models/apart.sql", "select 1 as n\n"),
        ("models/apart.yml", twice),
    ];
    let mut new = rewritten_by(&change(), &files);
    assert_eq!(said_of(&change(), &files, &new), "");
    replaced(&mut new, "models/apart.yml", "data_type: text", "data_type: date");
    assert!(said_of(&change(), &files, &new).contains("Fail"));
}

/// A source that parts has a second entry, and nothing else comes with it.
#[test]
fn a_source_that_parts_is_followed() {
    let mut change = TableChange { sources: SourcePolicy::Split, ..change() };
    change.columns[2].fate = Fate::Lost("nobody fills it".to_owned());
    let files = [
        ("dbt_project.yml", "name: p\n"),
        (
            "models/s.yml",
            "sources:\n  - name: shop\n    tables:\n      - name: users_v1\n        columns:\n          - name: uid\n",
        ),
        ("models/moves.sql", "select uid from {{ source('shop', 'users_v1') }}\n"),
        ("models/stays.sql", "select kept from {{ source('shop', 'users_v1') }}\n"),
    ];
    let mut new = rewritten_by(&change, &files);
    assert!(new.iter().any(|(_, text)| text.contains("- name: users_v2")), "{new:#?}");
    assert_eq!(said_of(&change, &files, &new), "");
    replaced(&mut new, "models/s.yml", "- name: users_v2", "- name: users_v3");
    let said = said_of(&change, &files, &new);
    assert!(said.contains("the source `source.p.shop.users_v3` was not declared before"), "{said}");
    // The way back takes the entry away again, and no other one.
    let moved = rewritten_by(&change, &files);
    let moved: Vec<(&str, &str)> = moved.iter().map(|(path, text)| (&**path, &**text)).collect();
    let back = change.reversed("users_v2");
    let mut new = rewritten_by(&back, &moved);
    assert!(new.iter().all(|(_, text)| !text.contains("users_v2")), "{new:#?}");
    assert_eq!(said_of(&back, &moved, &new), "");
    replaced(&mut new, "models/s.yml", "- name: users_v1", "- name: users");
    assert!(said_of(&back, &moved, &new).contains("Fail"));
}
