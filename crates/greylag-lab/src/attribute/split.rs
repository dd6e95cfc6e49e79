//! One text column cut into several; the last part takes the rest.

use super::{Attribute, Column, Making, NewColumn, Place, Rules};
use crate::cell::Cell;
use crate::values::word;
use crate::yaml::{Node, text};
use greylag_model::types::DataType;

const SEPARATORS: &[&str] = &["-", ", ", "/", "::", "→", " "];

pub(super) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let latin = making.letters == crate::values::Letters::Latin;
    let separator = SEPARATORS[making.turn % SEPARATORS.len()];
    let separator = if latin && !separator.is_ascii() { "|" } else { separator };
    let source = making.column(DataType::String);
    let parts = 2 + making.turn % 2;
    let into: Vec<Column> = (0..parts).map(|_| making.column(DataType::String)).collect();
    let rule = Node::map([
        ("from", text(&source.name)),
        ("into", Node::texts(into.iter().map(|column| &column.name))),
        ("separator", text(separator)),
    ]);
    Some(Attribute {
        old: vec![source],
        new: into.into_iter().map(|column| NewColumn::new(column, Place::At(0))).collect(),
        rules: Rules { split: vec![rule], ..Rules::default() },
        marks: vec!["operation/split".to_owned(), format!("split/{parts}")],
        draw: Box::new(move |draws, record| {
            if draws.chance(10) {
                record.old.push(Cell::Null);
                record.new.extend((0..parts).map(|_| Cell::Null));
                return;
            }
            let mut words: Vec<String> =
                (0..parts).map(|_| if draws.chance(10) { String::new() } else { word(draws) }).collect();
            if draws.chance(10) {
                // Too few separators: the last parts are null.
                record.old.push(Cell::Text(words[0].clone()));
                record.new.push(Cell::Text(words.swap_remove(0)));
                record.new.extend((1..parts).map(|_| Cell::Null));
                return;
            }
            if draws.chance(20) {
                // One separator too many: it belongs to the last part.
                words[parts - 1] = format!("{}{separator}{}", word(draws), word(draws));
            }
            record.old.push(Cell::Text(words.join(separator)));
            record.new.extend(words.into_iter().map(Cell::Text));
        }),
    })
}
