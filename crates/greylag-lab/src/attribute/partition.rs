//! A column with few values, such as datasets are partitioned by.

use super::{Attribute, Column, Making, Rules, at, rule};
use crate::cell::Cell;
use crate::values::Letters;
use greylag_model::types::DataType;

/// Types of partition columns, in turn.
pub(crate) fn partition_types() -> Vec<DataType> {
    vec![DataType::String, DataType::Int32, DataType::Date, DataType::Boolean, DataType::Int64]
}

const PLAIN: &[&str] = &["se", "de", "us", "jp", "br"];
/// Values whose directory names need escapes.
const ODD: &[&str] =
    &["a/b", "x=y", "100%", "Größe", "new york", "q:r", "it's", "\"q\"", "back\\slash", "日本", "%41", "a+b"];

fn values(making: &mut Making<'_>, data_type: &DataType) -> Vec<Cell> {
    let count = 2 + making.draws.below(4);
    let mut cells: Vec<Cell> = match data_type {
        DataType::String if making.turn.is_multiple_of(2) => {
            let mut odd = ODD.to_vec();
            odd.retain(|value| making.letters == Letters::Any || !value.contains('日'));
            making.draws.shuffle(&mut odd);
            odd.iter().take(count).map(|value| Cell::text(value)).collect()
        }
        DataType::String => PLAIN.iter().take(count).map(|value| Cell::text(value)).collect(),
        DataType::Date => (0..count).map(|day| Cell::Date(19_780 + day as i32)).collect(),
        DataType::Boolean => vec![Cell::Bool(false), Cell::Bool(true)],
        _ => (0..count).map(|year| Cell::Int(2_020 + year as i128)).collect(),
    };
    if making.turn.is_multiple_of(3) {
        cells.push(Cell::Null);
    }
    cells
}

/// A column of the type, kept or (`renamed`) under another name.
pub(crate) fn partition(making: &mut Making<'_>, data_type: DataType, renamed: bool) -> Attribute {
    let values = values(making, &data_type);
    let null = values.contains(&Cell::Null);
    let old = Column { name: making.names.next(making.draws, 0), data_type: data_type.clone() };
    let mut rules = Rules::default();
    let mut new = old.clone();
    let mut marks = vec![format!("partition/{data_type}")];
    if null {
        marks.push("partition/default".to_owned());
    }
    if data_type == DataType::String && making.turn.is_multiple_of(2) {
        marks.push("partition/escaped".to_owned());
    }
    if renamed {
        new.name = making.names.next(making.draws, 0);
        rules.columns.push(rule([("name", &new.name), ("from", &old.name)]));
        marks.push("operation/rename".to_owned());
    }
    Attribute {
        old: vec![old],
        new: vec![at(0, new)],
        rules,
        marks,
        draw: Box::new(move |draws, record| {
            let cell = values[draws.below(values.len())].clone();
            record.same(cell);
        }),
    }
}
