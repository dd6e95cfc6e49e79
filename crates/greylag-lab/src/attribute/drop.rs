//! A column that ends.

use super::{Attribute, Making, Rules, rule};
use crate::values::{nullable, palette};

pub(super) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let types = palette(making.flat);
    let data_type = types[making.turn % types.len()].clone();
    let column = making.column(data_type.clone());
    let letters = making.letters;
    Some(Attribute {
        rules: Rules {
            drop: vec![rule([("name", &column.name), ("reason", "nobody has read it since the last audit")])],
            ..Rules::default()
        },
        old: vec![column],
        new: vec![],
        marks: vec!["operation/drop".to_owned()],
        draw: Box::new(move |draws, record| record.old.push(nullable(draws, &data_type, letters, 20))),
    })
}
