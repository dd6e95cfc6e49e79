//! Several text columns joined into one.

use super::{Attribute, Column, Making, NewColumn, Place, Rules};
use crate::cell::Cell;
use crate::values::word;
use crate::yaml::{Node, text};
use greylag_model::types::DataType;

const SEPARATORS: &[&str] = &[" ", "/", ", ", "--"];

pub(super) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let separator = SEPARATORS[making.turn % SEPARATORS.len()];
    let parts = 2 + making.turn % 2;
    let from: Vec<Column> = (0..parts).map(|_| making.column(DataType::String)).collect();
    let into = making.column(DataType::String);
    let rule = Node::map([
        ("from", Node::texts(from.iter().map(|column| &column.name))),
        ("into", text(&into.name)),
        ("separator", text(separator)),
    ]);
    Some(Attribute {
        old: from,
        new: vec![NewColumn::new(into, Place::Merge)],
        rules: Rules { merge: vec![rule], ..Rules::default() },
        marks: vec!["operation/merge".to_owned(), format!("merge/{parts}")],
        draw: Box::new(move |draws, record| {
            let words: Vec<Option<String>> =
                (0..parts).map(|_| if draws.chance(10) { None } else { Some(word(draws)) }).collect();
            // Nulls are left out with their separator; all null is null.
            let present: Vec<&str> = words.iter().flatten().map(String::as_str).collect();
            record.new.push(if present.is_empty() { Cell::Null } else { Cell::Text(present.join(separator)) });
            record.old.extend(words.into_iter().map(|word| word.map_or(Cell::Null, Cell::Text)));
        }),
    })
}
