//! Filters that turn a value into another sort of value, or give another instead.

use super::super::value::{Arguments, Value, repr};
use super::{Result, flag, json, text_of};
use crate::jinja::error::ErrorKind;
use crate::jinja::evaluate::{Evaluator, fail, words};

pub(super) fn call(evaluator: &mut Evaluator<'_>, name: &str, value: Value, mut arguments: Arguments) -> Result {
    let at = arguments.at;
    match name {
        "default" | "d" => {
            let default = arguments.take("default_value").unwrap_or_else(|| Value::generated(""));
            let empty = flag(arguments.take("boolean").as_ref());
            let missing = matches!(value, Value::Undefined(_)) || empty && !evaluator.truth(&value, at);
            Ok(if missing { default } else { value })
        }
        "attr" => {
            let name = text_of(&arguments.take("name").unwrap_or(Value::None));
            Ok(evaluator.attribute(&value, name.text(), at))
        }
        "tojson" => match json(&value, true, true) {
            Some(text) => evaluator.text(text, at),
            // What the embedding has may be a mapping where the template is run.
            None if matches!(value, Value::Object(_)) => {
                let what = format!("{} | tojson()", words(&value));
                Ok(evaluator.open(&what, at))
            }
            None => fail(ErrorKind::Type, format!("a value of type `{}` is no JSON", value.type_name()), at),
        },
        "pprint" => evaluator.text(repr(&value), at),
        "is_list" => Ok(Value::Bool(matches!(value, Value::List(_)))),
        "as_text" | "as_bool" | "as_native" | "as_number" => Ok(value),
        _ => fail(ErrorKind::Name, format!("there is no filter `{name}`"), at),
    }
}
