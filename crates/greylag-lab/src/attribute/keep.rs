//! A column that is carried over as it is; the mapping does not mention it.

use super::{Attribute, Making, Rules, at};
use crate::values::{nullable, palette};

pub(crate) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let types = palette(making.flat);
    let data_type = types[making.turn % types.len()].clone();
    let column = making.column(data_type.clone());
    let letters = making.letters;
    let nulls = if making.draws.chance(50) { 12 } else { 0 };
    Some(Attribute {
        old: vec![column.clone()],
        new: vec![at(0, column)],
        rules: Rules::default(),
        marks: vec!["operation/keep".to_owned()],
        draw: Box::new(move |draws, record| record.same(nullable(draws, &data_type, letters, nulls))),
    })
}
