//! Literals and the values that they stand for.

use super::Literal;
use crate::cast::{Unfit, convert, text};
use crate::types::DataType;
use crate::value::Value;

impl Literal {
    /// The value, given the literal's type. Only a literal that this module made or that the type admits has one.
    pub fn value(&self, data_type: &DataType) -> Result<Value, Unfit> {
        let read = |text: &String| convert(Value::String(text.clone()), &DataType::String, data_type, None);
        match self {
            Self::Null => Ok(Value::Null),
            Self::Boolean(value) => Ok(Value::Boolean(*value)),
            Self::String(text) => Ok(Value::String(text.clone())),
            Self::Binary(hex) => from_hex(hex).map(Value::Binary).ok_or(Unfit("not hexadecimal")),
            Self::Integer(text) | Self::Decimal(text) | Self::Float(text) | Self::Temporal(text) => read(text),
        }
    }

    /// The literal of a value; none for lists, structs, maps and days without text.
    pub fn of(value: &Value, data_type: &DataType) -> Option<Self> {
        let written = || match convert(value.clone(), data_type, &DataType::String, None) {
            Ok(Value::String(text)) => Some(text),
            _ => None,
        };
        Some(match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Boolean(*value),
            Value::Int(value) => Self::Integer(value.to_string()),
            Value::Decimal(unscaled, scale) => Self::Decimal(text::decimal(*unscaled, *scale)),
            Value::Float32(_) | Value::Float64(_) => Self::Float(written()?),
            Value::String(text) => Self::String(text.clone()),
            Value::Binary(bytes) => Self::Binary(to_hex(bytes)),
            Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => Self::Temporal(written()?),
            Value::List(_) | Value::Struct(_) | Value::Map(_) => return None,
        })
    }
}

/// Lower-case hexadecimal.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes of hexadecimal in any case.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
