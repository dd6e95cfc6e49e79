//! Sources of which only some readers can move.

use crate::maker::{change, check_with, looked};
use greylag_model::consumer::{Fate, TableChange};
use greylag_model::spec::SourcePolicy;

/// As usual, but that nothing fills `kept` any more, so whoever reads it is left to a person.
fn parting() -> TableChange {
    let mut change = TableChange { sources: SourcePolicy::Split, ..change() };
    change.columns[2].fate = Fate::Lost("nobody fills it".to_owned());
    change
}

const SOURCES: &str = "sources:\n  - name: shop\n    tables:\n      - name: users\n        identifier: users_v1\n        columns:\n          - name: uid\n      - name: other\n";
const MOVES: (&str, &str) = ("models/moves.sql", "select uid from {{ source('shop', 'users') }}\n");
const STAYS: (&str, &str) = ("models/stays.sql", "select kept from {{ source('shop', 'users') }}\n");

#[test]
fn readers_that_can_move_get_an_entry_of_their_own() {
    let two = SOURCES.replace("      - name: other\n", "      - name: users_v2\n      - name: other\n");
    check_with(
        &parting(),
        &[("models/s.yml", SOURCES), MOVES, STAYS],
        &format!(
            "--- models/moves.sql\nselect user_id as uid from {{{{ source('shop', 'users_v2') }}}}\n--- models/s.yml\n{two}\
             judgement models/stays.sql: `kept` ends: nobody fills it\n"
        ),
    );
    // Done again, there is nothing to do.
    let moved = ("models/moves.sql", "select user_id as uid from {{ source('shop', 'users_v2') }}\n");
    check_with(
        &parting(),
        &[("models/s.yml", &two), moved, STAYS],
        "judgement models/stays.sql: `kept` ends: nobody fills it\n",
    );
}

#[test]
fn a_call_that_both_go_through_holds_the_source() {
    let macros = ("macros/users.sql", "{% macro users() %}{{ source('shop', 'users') }}{% endmacro %}\n");
    let moves = ("models/moves.sql", "select uid from {{ users() }}\n");
    let stays = ("models/stays.sql", "select kept from {{ users() }}\n");
    check_with(
        &parting(),
        &[("models/s.yml", SOURCES), macros, moves, stays],
        "agentic macros/users.sql: the same bytes are used where they must stay, by `stays`\n\
         agentic models/moves.sql: the same bytes are used where they must stay, by `stays`\n\
         judgement models/stays.sql: `kept` ends: nobody fills it\n",
    );
}

/// A macro that only a person runs, and what is left for whom because of it.
const IDLE: (&str, &str) = (
    "macros/hand.sql",
    "{% macro hand() %}{% set found = run_query('select max(uid) from ' ~ source('shop', 'users')) %}{% endmacro %}\n",
);
const BY_HAND: &str =
    "unknown macros/hand.sql: the macro `hand` reads `users_v1`, and nothing that is read here runs it\n";

#[test]
fn a_macro_that_nothing_renders_holds_the_source() {
    let whole = TableChange { sources: SourcePolicy::Whole, ..change() };
    let files = [("models/s.yml", SOURCES), IDLE, MOVES];
    let why = BY_HAND.replace("macros/hand.sql", "models/moves.sql");
    check_with(&whole, &files, &format!("{BY_HAND}{why}"));
    // Where a model calls it, it is read as any other.
    let called = ("models/calls.sql", "{{ hand() }}select uid from {{ source('shop', 'users') }}\n");
    check_with(
        &whole,
        &[("models/s.yml", SOURCES), IDLE, called],
        &format!(
            "--- models/calls.sql\n{{{{ hand() }}}}select user_id as uid from {{{{ source('shop', 'users') }}}}\n--- models/s.yml\n{}",
            SOURCES.replace("users_v1", "users_v2").replace("name: uid", "name: user_id")
        ),
    );
}

#[test]
fn a_source_parts_from_a_macro_that_nothing_renders() {
    let two = SOURCES.replace("      - name: other\n", "      - name: users_v2\n      - name: other\n");
    check_with(
        &parting(),
        &[("models/s.yml", SOURCES), IDLE, MOVES],
        &format!(
            "{BY_HAND}--- models/moves.sql\nselect user_id as uid from {{{{ source('shop', 'users_v2') }}}}\n--- models/s.yml\n{two}"
        ),
    );
}

#[test]
fn quotes_of_a_schema_are_no_part_of_its_name() {
    let quoted = "sources:\n  - name: shop\n    schema: '\"shop\"'\n    tables:\n      - name: users_v1\n";
    check_with(
        &TableChange { sources: SourcePolicy::Whole, ..change() },
        &[("models/s.yml", quoted), ("models/a.sql", "select uid from {{ source('shop', 'users_v1') }}\n")],
        &format!(
            "--- models/a.sql\nselect user_id as uid from {{{{ source('shop', 'users_v2') }}}}\n--- models/s.yml\n{}",
            quoted.replace("users_v1", "users_v2")
        ),
    );
}

/// Each file as a rewrite leaves it.
fn after(files: &[(&str, &str)], change: &TableChange) -> Vec<(String, String)> {
    let report = looked(files, change);
    let new = |path: &str| report.files.iter().find(|file| file.path == path).and_then(|file| file.new.clone());
    files.iter().map(|(path, text)| ((*path).to_owned(), new(path).unwrap_or_else(|| (*text).to_owned()))).collect()
}

fn lent(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(path, text)| (&**path, &**text)).collect()
}

#[test]
fn an_entry_that_was_added_goes_with_its_readers() {
    let plain = "sources:\n  - name: shop\n    tables:\n      - name: users_v1\n        description: who\n";
    let called = [("models/moves.sql", "select uid from {{ source('shop', 'users_v1') }}\n"), (STAYS.0, STAYS.1)]
        .map(|(path, text)| (path, text.replace("'users'", "'users_v1'")));
    let flow = "sources:\n- name: shop\n  tables:\n  - {name: users_v1}\n  - {name: other}\n";
    for (sources, models) in [
        (SOURCES.to_owned(), lent_of([MOVES, STAYS])),
        (SOURCES.replace('\n', "\r\n"), lent_of([MOVES, STAYS])),
        (plain.to_owned(), called.clone()),
        (flow.to_owned(), called.clone()),
    ] {
        let files = [("models/s.yml", &*sources), (models[0].0, &models[0].1), (models[1].0, &models[1].1)];
        let moved = after(&files, &parting());
        assert!(moved.iter().take(2).all(|(path, text)| text.contains("users_v2") || panic!("{path} stays")));
        let back = after(&lent(&moved), &parting().reversed("users_v2"));
        assert_eq!(lent(&back), files, "by way of {moved:#?}");
    }
}

fn lent_of(files: [(&'static str, &str); 2]) -> [(&'static str, String); 2] {
    files.map(|(path, text)| (path, text.to_owned()))
}

#[test]
fn tests_that_lead_to_an_added_entry_go_back_as_well() {
    let two = SOURCES.replace("      - name: other\n", "      - name: users_v2\n      - name: other\n");
    let yaml = "models:\n  - name: moves\n    columns:\n      - name: uid\n        tests:\n          - relationships:\n              \
                to: source('shop', 'users_v2')\n              field: user_id\n";
    let reads = ("models/moves.sql", "select user_id as uid from {{ source('shop', 'users_v2') }}\n");
    check_with(
        &parting().reversed("users_v2"),
        &[("models/s.yml", &two), ("models/m.yml", yaml), reads, STAYS],
        &format!(
            "--- models/m.yml\n{}--- models/moves.sql\n{}--- models/s.yml\n{SOURCES}",
            yaml.replace("users_v2", "users").replace("user_id", "uid"),
            MOVES.1
        ),
    );
}

#[test]
fn an_added_entry_stays_for_whom_somebody_must_move() {
    let two = SOURCES.replace("      - name: other\n", "      - name: users_v2\n      - name: other\n");
    let reads = ("models/moves.sql", "select user_id as uid from {{ source('shop', 'users_v2') }}\n");
    let hand = IDLE.1.replace("'users'", "'users_v2'").replace("(uid)", "(user_id)");
    check_with(
        &parting().reversed("users_v2"),
        &[("models/s.yml", &two), (IDLE.0, &hand), reads],
        &format!("{}--- models/moves.sql\n{}", BY_HAND.replace("users_v1", "users_v2"), MOVES.1),
    );
}

#[test]
fn an_entry_of_which_somebody_made_more_stays() {
    let more = "      - name: users_v2\n        description: who\n      - name: other\n";
    let two = SOURCES.replace("      - name: other\n", more);
    let reads = ("models/moves.sql", "select user_id as uid from {{ source('shop', 'users_v2') }}\n");
    check_with(
        &parting().reversed("users_v2"),
        &[("models/s.yml", &two), reads, STAYS],
        &format!("--- models/moves.sql\n{}", MOVES.1),
    );
}

/// A word of SQL is a name to a call, with quotes that stand in no file.
#[test]
fn a_table_may_be_called_as_a_word_of_sql_or_need_quotes() {
    for (name, new) in [("order", "order_v2"), ("users", "order"), ("old-users", "users"), ("old-users", "new-users")] {
        let quoted = |name: &str| format!("shop.\"{name}\"").parse().unwrap();
        let whole = TableChange { sources: SourcePolicy::Whole, old: vec![quoted(name)], new: quoted(new), ..change() };
        let sources = format!("sources:\n  - name: shop\n    tables:\n      - name: {name}\n");
        let model = format!("select uid, age from {{{{ source('shop', '{name}') }}}}\n");
        let files = [("models/s.yml", &*sources), ("models/a.sql", &*model)];
        let moved = after(&files, &whole);
        assert_eq!(moved[0].1, sources.replace(name, new));
        let expected =
            format!("select user_id as uid, cast(age as integer) as age from {{{{ source('shop', '{new}') }}}}\n");
        assert_eq!(moved[1].1, expected);
        assert_eq!(lent(&after(&lent(&moved), &whole.reversed(new))), files);
    }
}
