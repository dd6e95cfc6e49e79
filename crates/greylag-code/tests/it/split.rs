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
