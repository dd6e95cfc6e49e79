//! Entities to facts and back.
//!
//! Keys: `identity`; `metadata.title`, `metadata.description` and the like; `metadata.labels.<key>`,
//! `metadata.annotations.<key>`, `metadata.tags.<tag>`; `spec.owner` and the like; `spec.<list>.<reference>` for each
//! element of a list of references. What several annotations only say together is one fact, so that no fold can mix the
//! path of one source with the connection of another: `location`, `layout`, `schema`, `partitions`. A migration's ties
//! are `predecessor.<reference>` and `successor.<reference>`; an entity with a successor is deprecated. What a scan found code to
//! read and write is `reads.<reference>` and `writes.<reference>`, with the places; it adds to what the annotations name.

use super::{Resolved, Values};
use crate::dataset::Location;
use crate::entity::{Entity, EntityRef, annotation, relation};
use crate::schema::Schema;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// That the entity exists: its API version, and kind, namespace and name as written.
pub const IDENTITY: &str = "identity";
/// Whose it is: a reference.
pub const OWNER: &str = "spec.owner";
/// Its type, e.g. `dataset`.
pub const TYPE: &str = "spec.type";
/// Where it is in its life, e.g. `production`.
pub const LIFECYCLE: &str = "spec.lifecycle";
/// Its title.
pub const TITLE: &str = "metadata.title";
/// Its description.
pub const DESCRIPTION: &str = "metadata.description";
/// Before each of its tags.
pub const TAG: &str = "metadata.tags.";
/// Before each of its labels.
pub const LABEL: &str = "metadata.labels.";
/// Before each of its annotations, but those that make up `location` and `layout`.
pub const ANNOTATION: &str = "metadata.annotations.";
/// Where a dataset lies: a [`Location`].
pub const LOCATION: &str = "location";
/// Declared layout: annotation → text.
pub const LAYOUT: &str = "layout";
/// Columns of a dataset: a [`Schema`].
pub const SCHEMA: &str = "schema";
/// Hive partition columns of a dataset: a list of names.
pub const PARTITIONS: &str = "partitions";
/// Before each dataset that a migration made out of this one.
pub const SUCCESSOR: &str = "successor.";
/// Before each dataset that a migration made this one from.
pub const PREDECESSOR: &str = "predecessor.";

/// Before each dataset that code was found to read: where, and which columns.
pub const READS: &str = "reads.";
/// Before each dataset that code was found to write.
pub const WRITES: &str = "writes.";

/// What identifies an entity.
pub fn identity(api_version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    json!({ "apiVersion": api_version, "kind": kind, "namespace": namespace, "name": name })
}

/// The facts that `entity` states. Annotations of location and layout are read by [`annotation::location`] and
/// [`annotation::layout`]; the caller has made the location absolute.
pub fn of_entity(entity: &Entity) -> Values {
    let reference = entity.reference();
    let mut values = Values::new();
    let text = |key: &str| entity.metadata.get(key).and_then(Value::as_str);
    let (namespace, name) = (text("namespace").unwrap_or("default"), text("name").unwrap_or_default());
    values.insert(IDENTITY.to_owned(), identity(&entity.api_version, &entity.kind, namespace, name));
    for (key, value) in &entity.metadata {
        match (key.as_str(), value) {
            ("name" | "namespace", _) => {}
            ("annotations", Value::Object(annotations)) => of_annotations(annotations, &mut values),
            ("labels", Value::Object(labels)) => {
                values.extend(labels.iter().map(|(label, value)| (format!("{LABEL}{label}"), value.clone())));
            }
            ("tags", Value::Array(tags)) => {
                values.extend(tags.iter().filter_map(Value::as_str).map(|tag| (format!("{TAG}{tag}"), json!(true))));
            }
            _ => {
                values.insert(format!("metadata.{key}"), value.clone());
            }
        }
    }
    for (key, value) in &entity.spec {
        match (relation::list(&reference.kind, key), value) {
            (Some(field), Value::Array(elements)) if !elements.is_empty() => {
                for element in elements.iter().filter_map(Value::as_str) {
                    let target = EntityRef::parse_in(element, field.kind, &reference.namespace);
                    let target = target.map_or_else(|_| element.to_lowercase(), |target| target.to_string());
                    values.insert(format!("spec.{key}.{target}"), Value::from(target));
                }
            }
            _ => {
                values.insert(format!("spec.{key}"), value.clone());
            }
        }
    }
    values
}

fn of_annotations(annotations: &Map<String, Value>, values: &mut Values) {
    if let Some(location) = annotation::location(annotations) {
        values.insert(LOCATION.to_owned(), json!(location));
    }
    let layout = annotation::layout(annotations);
    if let Some(Ok(schema)) = layout.get(annotation::COLUMNS).map(|text| annotation::parse_columns(text)) {
        values.insert(SCHEMA.to_owned(), json!(schema));
    }
    if !layout.is_empty() {
        values.insert(LAYOUT.to_owned(), json!(layout));
    }
    for (key, value) in annotations {
        if !annotation::is_location(key) && !annotation::is_layout(key) {
            values.insert(format!("{ANNOTATION}{key}"), value.clone());
        }
    }
}

/// The entity that the facts which stand make up; `None` without an identity.
pub(super) fn to_entity(reference: &EntityRef, resolved: &Resolved) -> Option<Entity> {
    let identity = resolved.standing(IDENTITY)?;
    let text = |key: &str| identity.value.get(key).and_then(Value::as_str);
    let mut entity = Entity {
        api_version: text("apiVersion").unwrap_or("backstage.io/v1alpha1").to_owned(),
        kind: text("kind").unwrap_or(&reference.kind).to_owned(),
        metadata: Map::new(),
        spec: Map::new(),
    };
    entity.metadata.insert("name".to_owned(), json!(text("name").unwrap_or(&reference.name)));
    entity.metadata.insert("namespace".to_owned(), json!(text("namespace").unwrap_or(&reference.namespace)));
    let mut annotations = Map::new();
    let mut ties: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for fact in resolved.all_standing() {
        let value = fact.value.clone();
        let (head, tail) = fact.key.split_once('.').unwrap_or((&fact.key, ""));
        match (head, tail) {
            ("metadata", tail) => metadata(&mut entity.metadata, &mut annotations, tail, value),
            ("spec", tail) => spec(&mut entity.spec, &reference.kind, tail, value),
            ("location", _) => annotation::put_location(&mut annotations, &value),
            ("layout", _) => annotation::put_layout(&mut annotations, &value),
            ("successor", tail) => ties.entry(annotation::SUCCESSOR).or_default().push(tail.to_owned()),
            ("predecessor", tail) => ties.entry(annotation::PREDECESSOR).or_default().push(tail.to_owned()),
            ("reads", tail) => found.entry(annotation::READS).or_default().push(tail.to_owned()),
            ("writes", tail) => found.entry(annotation::WRITES).or_default().push(tail.to_owned()),
            _ => {}
        }
    }
    annotations.extend(ties.into_iter().map(|(key, references)| (key.to_owned(), json!(references.join(", ")))));
    for (key, references) in found {
        add_references(&mut annotations, key, references, &reference.namespace);
    }
    if !annotations.is_empty() {
        entity.metadata.insert("annotations".to_owned(), Value::Object(annotations));
    }
    Some(entity)
}

/// Adds references to the text of an annotation that does not name them yet.
fn add_references(annotations: &mut Map<String, Value>, key: &str, references: Vec<String>, namespace: &str) {
    let mut text = annotations.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let full = |name: &str| EntityRef::parse_in(name, Some("resource"), namespace).ok();
    let named: Vec<EntityRef> = annotation::references(&text).filter_map(full).collect();
    for reference in references.iter().filter(|found| full(found).is_none_or(|found| !named.contains(&found))) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(reference);
    }
    annotations.insert(key.to_owned(), Value::from(text));
}

fn metadata(metadata: &mut Map<String, Value>, annotations: &mut Map<String, Value>, tail: &str, value: Value) {
    match tail.split_once('.') {
        Some(("annotations", key)) => {
            annotations.insert(key.to_owned(), value);
        }
        Some(("labels", key)) => {
            let labels = metadata.entry("labels").or_insert_with(|| json!({}));
            if let Value::Object(labels) = labels {
                labels.insert(key.to_owned(), value);
            }
        }
        Some(("tags", tag)) => push(metadata, "tags", Value::from(tag)),
        _ => {
            metadata.insert(tail.to_owned(), value);
        }
    }
}

fn spec(spec: &mut Map<String, Value>, kind: &str, tail: &str, value: Value) {
    match tail.split_once('.') {
        Some((list, _)) if relation::list(kind, list).is_some() => push(spec, list, value),
        _ => {
            spec.insert(tail.to_owned(), value);
        }
    }
}

fn push(map: &mut Map<String, Value>, key: &str, value: Value) {
    let list = map.entry(key).or_insert_with(|| json!([]));
    if let Value::Array(list) = list {
        list.push(value);
    }
}

impl Resolved {
    fn typed<T: serde::de::DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.standing(key).and_then(|fact| serde_json::from_value(fact.value.clone()).ok())
    }

    /// Where the dataset lies.
    pub fn location(&self) -> Option<Location> {
        self.typed(LOCATION)
    }

    /// The declared layout: annotation → text.
    pub fn layout(&self) -> BTreeMap<String, String> {
        self.typed(LAYOUT).unwrap_or_default()
    }

    /// The columns.
    pub fn schema(&self) -> Option<Schema> {
        self.typed(SCHEMA)
    }

    /// The Hive partition columns.
    pub fn partitions(&self) -> Vec<String> {
        self.typed(PARTITIONS).unwrap_or_default()
    }

    /// The text of a fact that stands.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.standing(key).and_then(|fact| fact.value.as_str())
    }

    /// Who answers for it.
    pub fn owner(&self, reference: &EntityRef) -> Option<EntityRef> {
        EntityRef::parse_in(self.text(OWNER)?, Some("group"), &reference.namespace).ok()
    }

    /// Its tags.
    pub fn tags(&self) -> Vec<String> {
        self.standing_below(TAG).map(|fact| fact.key[TAG.len()..].to_owned()).collect()
    }
}
