//! The JSON Schema of migration files, from the structs.
//!
//! Two forms of it: what the parser holds trees against, and what is published for editors. They differ in one thing:
//! plain scalars under some keys ([`TEXTS`]) are text to Greylag whatever they look like, and an editor that has read
//! them as YAML must not call that wrong.

use super::{Connection, Limits, Migration, MigrationTemplate};
use crate::task::Phase;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema as json_schema_of};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Keys whose plain scalars are taken as text: `default: 1.50`, `misfit: null`.
pub(super) const TEXTS: [&str; 4] = ["expr", "default", "misfit", "null"];

/// A schema and what checks values against it.
pub(super) struct Compiled {
    /// The schema as checked.
    pub(super) schema: Value,
    /// Absent only if the schema itself were broken, which a test excludes.
    pub(super) validator: Option<jsonschema::Validator>,
}

/// Of `kind: Migration`.
pub(super) static MIGRATION: LazyLock<Compiled> = LazyLock::new(compile::<Migration>);
/// Of `kind: Connection`.
pub(super) static CONNECTION: LazyLock<Compiled> = LazyLock::new(compile::<Connection>);

/// Of `kind: MigrationTemplate`.
pub(super) static TEMPLATE: LazyLock<Compiled> = LazyLock::new(compile::<MigrationTemplate>);

/// Of `kind: Limits`.
pub(super) static LIMITS: LazyLock<Compiled> = LazyLock::new(compile::<Limits>);

/// The published JSON Schema (draft 2020-12) of `kind: Limits`.
pub fn limits_json_schema() -> Value {
    published(LIMITS.schema.clone(), "limits")
}

/// The published JSON Schema (draft 2020-12) of `kind: Migration`.
pub fn json_schema() -> Value {
    published(MIGRATION.schema.clone(), "migration")
}

/// The published JSON Schema (draft 2020-12) of `kind: Connection`.
pub fn connection_json_schema() -> Value {
    published(CONNECTION.schema.clone(), "connection")
}

/// The published JSON Schema (draft 2020-12) of `kind: MigrationTemplate`.
pub fn template_json_schema() -> Value {
    published(TEMPLATE.schema.clone(), "template")
}

/// The phases that a migration can end with.
pub(super) fn through(_: &mut SchemaGenerator) -> Schema {
    let phases: [(Phase, &str); 4] = [
        (Phase::Publish, "Old and new stand side by side."),
        (Phase::Cutover, "The new one becomes authoritative; the old name gets its compatibility view."),
        (Phase::Retire, "The old one is renamed and revoked. This can be undone."),
        (Phase::Drop, "The old one is deleted after `retention`. This cannot be undone."),
    ];
    let cases = phases.map(|(phase, text)| json!({"const": phase, "type": "string", "description": text}));
    json_schema_of!({"oneOf": cases})
}

fn compile<T: JsonSchema>() -> Compiled {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    refuse_null(&mut schema);
    let validator = jsonschema::validator_for(&schema).ok();
    Compiled { schema, validator }
}

/// Absent and null differ in files: a key without a value is most often a mistake, so optional things are not nullable.
fn refuse_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        Value::Object(map) => {
            drop_null(map);
            map.values_mut().for_each(refuse_null);
        }
        _ => {}
    }
}

fn drop_null(map: &mut Map<String, Value>) {
    if map.get("default") == Some(&Value::Null) {
        map.remove("default");
    }
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &mut types[..] {
            let only = only.take();
            map.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(cases)) = map.get_mut("anyOf") {
        cases.retain(|case| case.get("type") != Some(&json!("null")));
        if let [Value::Object(only)] = &mut cases[..] {
            let only = std::mem::take(only);
            map.remove("anyOf");
            map.extend(only);
        }
    }
}

fn published(mut schema: Value, name: &str) -> Value {
    admit_plain_scalars(&mut schema);
    let id = format!("https://greylag.dev/schemas/{name}.v1alpha1.schema.json");
    if let Value::Object(map) = &mut schema {
        map.insert("$id".to_owned(), Value::String(id));
    }
    schema
}

fn admit_plain_scalars(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(admit_plain_scalars),
        Value::Object(map) => {
            map.values_mut().for_each(admit_plain_scalars);
            let Some(Value::Object(properties)) = map.get_mut("properties") else { return };
            for (_, property) in properties.iter_mut().filter(|(key, _)| TEXTS.contains(&key.as_str())) {
                let words: Map<String, Value> = property
                    .as_object_mut()
                    .map(|property| {
                        let own = ["description", "default", "examples"];
                        own.iter().filter_map(|key| Some(((*key).to_owned(), property.remove(*key)?))).collect()
                    })
                    .unwrap_or_default();
                let also = json!({"type": ["number", "boolean", "null"]});
                *property = json!({"anyOf": [property.take(), also]});
                if let Value::Object(property) = property {
                    property.extend(words);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{CONNECTION, LIMITS, MIGRATION, TEMPLATE};
    use super::{connection_json_schema, json_schema, limits_json_schema, template_json_schema};
    use serde_json::Value;

    #[test]
    fn schemas_compile_and_refer_to_what_is_there() {
        assert!([&MIGRATION, &CONNECTION, &TEMPLATE, &LIMITS].iter().all(|compiled| compiled.validator.is_some()));
        for schema in [json_schema(), connection_json_schema(), template_json_schema(), limits_json_schema()] {
            assert_eq!(jsonschema::meta::validate(&schema).map_err(|error| error.to_string()), Ok(()));
            assert!(jsonschema::validator_for(&schema).is_ok());
        }
    }

    fn check_documented(node: &Value, at: &str) {
        let Some(map) = node.as_object() else { return };
        for (key, property) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let words = property.get("description").and_then(Value::as_str).unwrap_or_default();
            assert!(words.ends_with('.') && words.len() > 4, "`{at}.{key}` is not documented: {words:?}");
        }
        for case in map.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            assert!(case.get("description").is_some(), "`{at}` has a value that is not documented: {case}");
        }
        map.iter().for_each(|(key, value)| check_documented(value, &format!("{at}/{key}")));
    }

    #[test]
    fn every_key_and_value_is_documented() {
        check_documented(&json_schema(), "migration");
        check_documented(&connection_json_schema(), "connection");
        check_documented(&template_json_schema(), "template");
        check_documented(&limits_json_schema(), "limits");
    }
}
