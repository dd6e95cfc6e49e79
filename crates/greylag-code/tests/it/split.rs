//! Sources of which only some readers can move.

use crate::maker::{change, check_with};
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
