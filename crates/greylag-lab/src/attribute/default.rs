//! Nulls that get a value.

use super::{Attribute, Making, Rules, at, rule};
use crate::cell::Cell;
use crate::values::{decimal, value};
use crate::yaml::Node;
use greylag_model::types::DataType;

fn cases() -> Vec<(&'static str, DataType, Cell)> {
    vec![
        ("'unknown'", DataType::String, Cell::text("unknown")),
        ("0", DataType::Int64, Cell::Int(0)),
        ("DATE '1970-01-01'", DataType::Date, Cell::Date(0)),
        ("true", DataType::Boolean, Cell::Bool(true)),
        ("0.00", decimal(9, 2), Cell::Decimal(0)),
        ("-1", DataType::Int32, Cell::Int(-1)),
    ]
}

pub(super) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let cases = cases();
    let (default, data_type, cell) = cases[making.turn % cases.len()].clone();
    let column = making.column(data_type.clone());
    let letters = making.letters;
    Some(Attribute {
        rules: Rules {
            columns: vec![rule([("name", &column.name), ("default", default)])],
            checks: vec![Node::map([("notNull", Node::texts([&column.name]))])],
            // A default cannot be told from a value that was there before.
            reverse: vec![rule([("name", &column.name), ("lost", "a default cannot be told from a value")])],
            ..Rules::default()
        },
        old: vec![column.clone()],
        new: vec![at(0, column)],
        marks: vec!["operation/default".to_owned(), "reverse/lost".to_owned()],
        draw: Box::new(move |draws, record| {
            if draws.chance(25) {
                record.both(Cell::Null, cell.clone());
            } else {
                record.same(value(draws, &data_type, letters));
            }
        }),
    })
}
