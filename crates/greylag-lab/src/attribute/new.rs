//! A column that comes from no old one.

use super::{Attribute, Column, Making, NewColumn, Place, Rules, rule};
use crate::cell::Cell;
use crate::values::decimal;
use greylag_model::types::DataType;

fn cases() -> Vec<(&'static str, DataType, Cell)> {
    vec![
        ("'eu-north'", DataType::String, Cell::text("eu-north")),
        ("2", DataType::Int32, Cell::Int(2)),
        ("DATE '2024-02-29'", DataType::Date, Cell::Date(19_782)),
        ("false", DataType::Boolean, Cell::Bool(false)),
        ("12.50", decimal(6, 2), Cell::Decimal(1_250)),
        ("'it''s'", DataType::String, Cell::text("it's")),
        ("NULL", DataType::Int64, Cell::Null),
    ]
}

pub(super) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let cases = cases();
    let (expr, data_type, cell) = cases[making.turn % cases.len()].clone();
    let column = Column { name: making.name(), data_type: data_type.clone() };
    Some(Attribute {
        rules: Rules {
            columns: vec![rule([("name", &column.name), ("expr", expr), ("type", &data_type.to_string())])],
            ..Rules::default()
        },
        old: vec![],
        new: vec![NewColumn::new(column, Place::Columns)],
        marks: vec!["operation/new".to_owned()],
        draw: Box::new(move |_, record| record.new.push(cell.clone())),
    })
}
