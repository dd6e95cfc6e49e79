//! Another name; every third time two columns change names with each other.

use super::{Attribute, Column, Making, Rules, at, rule};
use crate::values::{nullable, palette};

pub(super) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let types = palette(making.flat);
    let data_type = types[making.turn % types.len()].clone();
    let letters = making.letters;
    let first = making.column(data_type.clone());
    if making.turn % 3 == 2 {
        let second = making.column(data_type.clone());
        let rules = Rules {
            columns: vec![
                rule([("name", &second.name), ("from", &first.name)]),
                rule([("name", &first.name), ("from", &second.name)]),
            ],
            ..Rules::default()
        };
        return Some(Attribute {
            old: vec![first.clone(), second.clone()],
            new: vec![at(0, second), at(1, first)],
            rules,
            marks: vec!["operation/rename".to_owned(), "rename/swap".to_owned()],
            draw: Box::new(move |draws, record| {
                record.same(nullable(draws, &data_type, letters, 10));
                record.same(nullable(draws, &data_type, letters, 10));
            }),
        });
    }
    let renamed = Column { name: making.name(), data_type: data_type.clone() };
    Some(Attribute {
        rules: Rules { columns: vec![rule([("name", &renamed.name), ("from", &first.name)])], ..Rules::default() },
        old: vec![first],
        new: vec![at(0, renamed)],
        marks: vec!["operation/rename".to_owned()],
        draw: Box::new(move |draws, record| record.same(nullable(draws, &data_type, letters, 10))),
    })
}
