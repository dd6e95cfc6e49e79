//! Several dbt projects in one repository that share macros, sources and models.

use crate::maker::{change, shown};
use greylag_code::repository::index::{Index, Subject};
use greylag_code::repository::{Options, Report, look, look_again};
use greylag_code::tree::MemoryTree;
use greylag_model::consumer::{ColumnChange, Fate, TableChange};
use greylag_model::id::Timestamp;
use greylag_syntax::sql::Dialect;

const OPTIONS: Options<'static> = Options { dialect: Some(Dialect::DuckDb), stated: None };

/// Two projects with a package between them.
const SHOP: [(&str, &str); 2] =
    [("shop/dbt_project.yml", "name: shop\n"), ("shop/packages.yml", "packages: [{local: ../shared}]\n")];
const FINANCE: [(&str, &str); 2] =
    [("finance/dbt_project.yml", "name: finance\n"), ("finance/packages.yml", "packages: [{local: ../shared}]\n")];
const SHARED: (&str, &str) = ("shared/dbt_project.yml", "name: shared\n");

/// `shop.users_v1` changes, and `shop.cards_v1` in another way: its `uid` is `card_id` then.
fn changes() -> Vec<TableChange> {
    let card = ColumnChange { name: "uid".to_owned(), fate: Fate::Same("card_id".to_owned()), judgement: None };
    let cards = TableChange {
        new: "shop.cards_v2".parse().unwrap(),
        columns: vec![card],
        target: vec!["card_id".to_owned()],
        ..TableChange::unchanged("cards_v1", vec!["shop.cards_v1".parse().unwrap()], Vec::new())
    };
    vec![change(), cards]
}

fn looked(files: &[(&str, &str)]) -> Report {
    let tree = MemoryTree::new(SHOP.into_iter().chain(FINANCE).chain([SHARED]).chain(files.iter().copied()));
    let report = look(&tree, &changes(), OPTIONS).unwrap();
    // With an index it is the same, the first time and the second.
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let changes = changes();
        let subject = Subject { repository: "r", reader: "1", changes: &changes, options: OPTIONS };
        let mut index = Index::open(folder.path(), &subject, Timestamp(4_000_000_000_000));
        let again = look_again(&tree, &changes, OPTIONS, &mut index).unwrap();
        assert_eq!(format!("{:#?}", again.files), format!("{:#?}", report.files));
        index.save().unwrap();
    }
    // What is done stays done.
    let after = look(&report.after(&tree), &changes(), OPTIONS).unwrap();
    assert!(after.files.iter().all(|file| file.new.is_none()), "{}", shown(&after));
    report
}

fn check(files: &[(&str, &str)], expected: &str) {
    assert_eq!(shown(&looked(files)), expected);
}

const USERS: &str = "sources:\n  - name: shop\n    tables: [{name: users_v1}]\n";
const CARDS: &str = "sources:\n  - name: shop\n    tables: [{name: cards_v1}]\n";
const KEY: (&str, &str) = ("shared/macros/key.sql", "{% macro key() %}uid{% endmacro %}\n");
const OF_USERS: &str = "select {{ shared.key() }} as k from {{ source('shop', 'users_v1') }}\n";
const OF_CARDS: &str = "select {{ shared.key() }} as k from {{ source('shop', 'cards_v1') }}\n";

fn replaced(text: &str) -> String {
    text.replace("_v1", "_v2")
}

#[test]
fn a_shared_macro_changes_once_for_all_that_want_it() {
    let files = [
        ("finance/models/s.yml", USERS),
        ("finance/models/f.sql", OF_USERS),
        ("shop/models/s.yml", USERS),
        ("shop/models/m.sql", OF_USERS),
        KEY,
    ];
    let (model, yaml) = (replaced(OF_USERS), replaced(USERS));
    check(
        &files,
        &format!(
            "--- finance/models/f.sql\n{model}--- finance/models/s.yml\n{yaml}\
             --- shared/macros/key.sql\n{{% macro key() %}}user_id{{% endmacro %}}\n\
             --- shop/models/m.sql\n{model}--- shop/models/s.yml\n{yaml}"
        ),
    );
    // One report of the macro, with the code of both projects that reads through it.
    let report = looked(&files);
    let of_macro: Vec<_> = report.files.iter().filter(|file| file.path == KEY.0).collect();
    let via: Vec<&str> = of_macro[0].references.iter().flat_map(|found| &found.via).map(String::as_str).collect();
    assert_eq!((of_macro.len(), via), (1, vec!["finance/models/f.sql", "shop/models/m.sql"]));
}

#[test]
fn a_macro_that_another_project_has_for_something_else_stays() {
    let other = "select {{ shared.key() }} as k from {{ ref('seed') }}\n";
    check(
        &[
            ("finance/models/seed.sql", "select 1 as uid\n"),
            ("finance/models/f.sql", other),
            ("shop/models/s.yml", USERS),
            ("shop/models/m.sql", OF_USERS),
            KEY,
        ],
        "agentic shared/macros/key.sql: the project `finance` reads it, too, and `finance/models/f.sql` would be another text there\n\
         agentic shop/models/m.sql: the project `finance` reads it, too, and `finance/models/f.sql` would be another text there\n",
    );
}

#[test]
fn a_macro_that_another_project_does_not_call_changes() {
    let model = replaced(OF_USERS);
    check(
        &[
            ("finance/models/f.sql", "select 1 as uid\n"),
            ("shop/models/s.yml", USERS),
            ("shop/models/m.sql", OF_USERS),
            KEY,
        ],
        &format!(
            "--- shared/macros/key.sql\n{{% macro key() %}}user_id{{% endmacro %}}\n--- shop/models/m.sql\n{model}\
             --- shop/models/s.yml\n{}",
            replaced(USERS)
        ),
    );
}

#[test]
fn two_projects_that_want_different_changes_are_both_held() {
    let why = "the project `finance` and the project `shop` want different changes of the same bytes";
    check(
        &[
            ("finance/models/s.yml", CARDS),
            ("finance/models/f.sql", OF_CARDS),
            ("shop/models/s.yml", USERS),
            ("shop/models/m.sql", OF_USERS),
            KEY,
        ],
        &format!(
            "agentic finance/models/f.sql: {why}\nagentic shared/macros/key.sql: {why}\nagentic shop/models/m.sql: {why}\n"
        ),
    );
}

#[test]
fn different_macros_of_one_file_change_for_each_project() {
    let both = "{% macro key() %}uid{% endmacro %}\n{% macro card() %}uid{% endmacro %}\n";
    let of_cards = OF_CARDS.replace("key", "card");
    check(
        &[
            ("finance/models/s.yml", CARDS),
            ("finance/models/f.sql", &of_cards),
            ("shop/models/s.yml", USERS),
            ("shop/models/m.sql", OF_USERS),
            ("shared/macros/keys.sql", both),
        ],
        &format!(
            "--- finance/models/f.sql\n{}--- finance/models/s.yml\n{}\
             --- shared/macros/keys.sql\n{{% macro key() %}}user_id{{% endmacro %}}\n{{% macro card() %}}card_id{{% endmacro %}}\n\
             --- shop/models/m.sql\n{}--- shop/models/s.yml\n{}",
            replaced(&of_cards),
            replaced(CARDS),
            replaced(OF_USERS),
            replaced(USERS)
        ),
    );
}

#[test]
fn a_shared_source_moves_for_the_readers_of_all_projects_or_for_none() {
    let reader = "select uid from {{ source('shop', 'users_v1') }}\n";
    let moved = "select user_id as uid from {{ source('shop', 'users_v2') }}\n";
    let source = ("shared/models/s.yml", USERS);
    check(
        &[source, ("finance/models/f.sql", reader), ("shop/models/m.sql", reader)],
        &format!(
            "--- finance/models/f.sql\n{moved}--- shared/models/s.yml\n{}--- shop/models/m.sql\n{moved}",
            replaced(USERS)
        ),
    );
    // One of them cannot.
    let star = "select uid, {{ nobody.knows('x') }} as x from {{ source('shop', 'users_v1') }}\n";
    let report = looked(&[source, ("finance/models/f.sql", star), ("shop/models/m.sql", reader)]);
    assert!(report.files.iter().all(|file| file.new.is_none()), "{}", shown(&report));
    let held = report.files.iter().find(|file| file.path == "shop/models/m.sql").unwrap();
    let why: Vec<&str> = held.findings.iter().map(|finding| finding.why.as_str()).collect();
    assert!(why.iter().any(|why| why.contains("the project `finance` reads it, too")), "{why:?}");
}

#[test]
fn a_folder_of_macros_may_be_no_package() {
    // Named by a path, so that it is in the projects themselves.
    let paths = |name: &str| format!("name: {name}\nmacro-paths: [macros, ../library]\n");
    let library = ("library/key.sql", KEY.1);
    let (shop, finance) = (paths("shop"), paths("finance"));
    let (of_cards, of_users) = (OF_CARDS.replace("shared.", ""), OF_USERS.replace("shared.", ""));
    check(
        &[
            ("shop/dbt_project.yml", &shop),
            ("finance/dbt_project.yml", &finance),
            ("finance/models/s.yml", CARDS),
            ("finance/models/f.sql", &of_cards),
            ("shop/models/s.yml", USERS),
            ("shop/models/m.sql", &of_users),
            library,
        ],
        "agentic finance/models/f.sql: the project `finance` and the project `shop` want different changes of the same bytes\n\
         agentic library/key.sql: the project `finance` and the project `shop` want different changes of the same bytes\n\
         agentic shop/models/m.sql: the project `finance` and the project `shop` want different changes of the same bytes\n",
    );
}

#[test]
fn a_shared_model_takes_another_name_only_where_all_want_it() {
    let model = "{{ config(schema='shop') }}\nselect a as uid, b as age, c as kept from {{ ref('feed') }}\n";
    let feed = ("shared/models/feed.sql", "select 1 as a, 2 as b, 3 as c\n");
    let reader = "select uid from {{ ref('users_v1') }}\n";
    let files =
        [feed, ("shared/models/users_v1.sql", model), ("finance/models/f.sql", reader), ("shop/models/m.sql", reader)];
    let report = looked(&files);
    let moved = report.files.iter().find(|file| file.path == "shared/models/users_v1.sql").unwrap();
    assert_eq!(moved.moved.as_deref(), Some("shared/models/users_v2.sql"), "{}", shown(&report));
    assert!(report.files.iter().filter(|file| file.new.is_some()).count() == 3, "{}", shown(&report));
    // One project has a reader that is left to somebody.
    let held = "select {{ x.y() }}, * from {{ ref('users_v1') }}\n";
    let files =
        [feed, ("shared/models/users_v1.sql", model), ("finance/models/f.sql", held), ("shop/models/m.sql", reader)];
    let report = looked(&files);
    let all = report.files.iter().all(|file| file.new.is_none());
    assert!(all, "{}", shown(&report));
}
