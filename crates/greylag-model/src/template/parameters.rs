//! Values of parameters.

use crate::code::spec as code;
use crate::diagnostic::Diagnostic;
use crate::spec::{MigrationTemplate, ParameterSpec, ParameterType};
use crate::yaml::Places;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The values of a template's parameters: those that are given, else the defaults. All errors at once.
pub fn parameters(
    template: &MigrationTemplate,
    places: &Places,
    given: &BTreeMap<String, String>,
) -> Result<Value, Vec<Diagnostic>> {
    let (mut values, mut errors) = (Map::new(), Vec::new());
    for (at, parameter) in template.spec.parameters.iter().enumerate() {
        let place = |key: &str| Some(places.value(&format!("/spec/parameters/{at}{key}")));
        let value = match (given.get(&parameter.name), &parameter.default) {
            (Some(text), _) => value_of(parameter, text).map_err(|why| (why, place(""))),
            (None, Some(Value::String(text))) => value_of(parameter, text).map_err(|why| (why, place("/default"))),
            (None, Some(value)) => value_of(parameter, &value.to_string()).map_err(|why| (why, place("/default"))),
            (None, None) => {
                let message = format!("the template's parameter `{}` has no value", parameter.name);
                errors.push(
                    Diagnostic::error(code::PARAMETER, message)
                        .at(place(""))
                        .hint(format!("give it: `--set {}=…`", parameter.name)),
                );
                continue;
            }
        };
        match value {
            Ok(value) => drop(values.insert(parameter.name.clone(), value)),
            Err((why, place)) => errors.push(
                Diagnostic::error(code::PARAMETER, format!("the parameter `{}` {why}", parameter.name)).at(place),
            ),
        }
    }
    if errors.is_empty() { Ok(Value::Object(values)) } else { Err(errors) }
}

fn value_of(parameter: &ParameterSpec, text: &str) -> Result<Value, String> {
    let value = match parameter.value_type {
        ParameterType::String => Value::String(text.to_owned()),
        ParameterType::Integer => {
            text.parse::<i64>().map(Value::from).map_err(|_| format!("takes a whole number, not `{text}`"))?
        }
        ParameterType::Number => {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            number.map(Value::from).ok_or_else(|| format!("takes a number, not `{text}`"))?
        }
        ParameterType::Boolean => {
            text.parse::<bool>().map(Value::from).map_err(|_| format!("takes `true` or `false`, not `{text}`"))?
        }
    };
    let same = |allowed: &Value| allowed == &value || allowed.as_f64().is_some_and(|one| value.as_f64() == Some(one));
    if !parameter.one_of.is_empty() && !parameter.one_of.iter().any(same) {
        let allowed: Vec<String> = parameter.one_of.iter().map(|one| format!("`{}`", shown(one))).collect();
        return Err(format!("is one of {}, not `{text}`", allowed.join(", ")));
    }
    Ok(value)
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
