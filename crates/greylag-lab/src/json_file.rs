//! JSON lines of flat values, written and read. The reader is here for the comparison; numbers are taken by their digits.

use crate::attribute::Column;
use crate::cell::Cell;
use greylag_model::types::DataType;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The bytes of a file with these columns; a blank line, if there are no rows.
pub(crate) fn bytes(columns: &[(&Column, Vec<&Cell>)], rows: usize) -> Vec<u8> {
    let mut text = if rows == 0 { "\n".to_owned() } else { String::new() };
    for row in 0..rows {
        for (index, (column, cells)) in columns.iter().enumerate() {
            text.push(if index == 0 { '{' } else { ',' });
            text.push_str(&quoted(&column.name));
            text.push(':');
            match cells[row].to_text(&column.data_type) {
                None => text.push_str("null"),
                Some(value) if is_bare(&value, &column.data_type) => text.push_str(&value),
                Some(value) => text.push_str(&quoted(&value)),
            }
        }
        text.push_str("}\n");
    }
    text.into_bytes()
}

/// Whether a value stands without quotes: a number that JSON has, or a boolean.
fn is_bare(value: &str, data_type: &DataType) -> bool {
    let number = data_type.integer().is_some() || data_type.is_float();
    *data_type == DataType::Boolean || (number && !value.ends_with(['N', 'y']))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// One field: its text, or null.
pub(crate) type Field = Option<String>;

/// The keys of a line and their values.
pub(crate) fn line(text: &str) -> Result<BTreeMap<String, Field>, String> {
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?;
    let field = |(key, raw): (String, &RawValue)| {
        let value = match raw.get() {
            "null" => None,
            raw if raw.starts_with('"') => Some(serde_json::from_str(raw).map_err(|error| format!("{error}: {raw}"))?),
            raw => Some(raw.to_owned()),
        };
        Ok((key, value))
    };
    members.into_iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{bytes, line};
    use crate::attribute::Column;
    use crate::cell::Cell;
    use greylag_model::types::DataType;

    #[test]
    fn values_go_there_and_back() {
        let column = |name: &str, data_type: DataType| Column { name: name.to_owned(), data_type };
        let cases = [
            (column("a \"b\"\n", DataType::UInt64), Cell::Int(u64::MAX.into()), "18446744073709551615"),
            (column("b", DataType::Float64), Cell::Float64(f64::NEG_INFINITY), "-Infinity"),
            (column("c", DataType::Float32), Cell::Float32(0.1), "0.1"),
            (column("d", DataType::Decimal { precision: 9, scale: 2 }), Cell::Decimal(-5), "-0.05"),
            (column("e", DataType::Boolean), Cell::Bool(true), "true"),
            (column("f", DataType::String), Cell::text("null \u{0}\""), "null \u{0}\""),
        ];
        let columns: Vec<(&Column, Vec<&Cell>)> =
            cases.iter().map(|(column, cell, _)| (column, vec![cell, &Cell::Null])).collect();
        let text = String::from_utf8(bytes(&columns, 2)).unwrap();
        let lines: Vec<_> = text.lines().map(|text| line(text).unwrap()).collect();
        for (column, _, expected) in &cases {
            assert_eq!(lines[0][&column.name].as_deref(), Some(*expected), "{text}");
            assert_eq!(lines[1][&column.name], None);
        }
        assert_eq!(bytes(&columns, 0), b"\n");
    }
}
