//! The way back: given by the file where it cannot be derived, or declared lost.

use super::{Attribute, Column, Making, Rules, at, quoted, rule};
use crate::cell::Cell;
use crate::values::word;
use greylag_model::types::DataType;

pub(super) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let source = making.column(DataType::String);
    let target = Column { name: making.name(), data_type: DataType::String };
    let lost = making.turn % 2 == 1;
    let expr = format!("upper({})", quoted(&source.name));
    let back = format!("lower({})", quoted(&target.name));
    let reverse = if lost {
        rule([("name", &source.name), ("lost", "mixed case is gone")])
    } else {
        rule([("name", &source.name), ("expr", &back)])
    };
    Some(Attribute {
        rules: Rules {
            columns: vec![rule([("name", &target.name), ("from", &source.name), ("expr", &expr)])],
            reverse: vec![reverse],
            ..Rules::default()
        },
        old: vec![source],
        new: vec![at(0, target)],
        marks: vec![
            "operation/reverse".to_owned(),
            "operation/expression".to_owned(),
            format!("reverse/{}", if lost { "lost" } else { "given" }),
        ],
        draw: Box::new(move |draws, record| {
            let word = word(draws);
            let old = if lost && draws.chance(50) { word.replace('a', "A") } else { word.clone() };
            record.both(Cell::Text(old), Cell::Text(word.to_ascii_uppercase()));
        }),
    })
}
