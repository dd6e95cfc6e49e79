//! Values from YAML and JSON.

use crate::dbt::yaml::{Yaml, is_null};
use greylag_syntax::jinja::Value;
use greylag_syntax::jinja::value::Dict;

/// A node of YAML as a value, whose text keeps its bytes.
pub(crate) fn yaml_value(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::List(items) => Value::list(items.iter().map(yaml_value).collect()),
        Yaml::Map(entries) => Value::Dict(
            entries.iter().map(|(key, value)| (Value::Text(key.text.clone()), yaml_value(value))).collect::<Dict>(),
        ),
        Yaml::Scalar(scalar) if scalar.plain => {
            let (text, at) = (scalar.as_str(), scalar.inner());
            match text {
                "true" | "True" | "TRUE" => Value::Bool(true),
                "false" | "False" | "FALSE" => Value::Bool(false),
                text if is_null(text) => Value::None,
                text if is_number(text) => match (text.parse(), text.parse()) {
                    (Ok(number), _) if text == format!("{number}") => Value::Int(number, at),
                    (Ok(number), _) => Value::int(number),
                    (_, Ok(number)) => Value::float(number),
                    _ => Value::Text(scalar.text.clone()),
                },
                _ => Value::Text(scalar.text.clone()),
            }
        }
        Yaml::Scalar(scalar) => Value::Text(scalar.text.clone()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'))
}

/// A value of JSON.
pub(crate) fn json_value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::None,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::float(number.as_f64().unwrap_or(0.0)), Value::int)
        }
        serde_json::Value::String(text) => Value::generated(&**text),
        serde_json::Value::Array(items) => Value::list(items.iter().map(json_value).collect()),
        serde_json::Value::Object(entries) => Value::Dict(
            entries.iter().map(|(key, value)| (Value::generated(&**key), json_value(value))).collect::<Dict>(),
        ),
    }
}
