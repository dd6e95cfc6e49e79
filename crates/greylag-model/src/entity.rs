//! Catalog entities: Backstage descriptors and references to them.
//!
//! [`descriptor`] reads descriptor files; [`name`] has Backstage's rules for names; [`kind`] what each kind must have;
//! [`relation`] which fields refer to other entities; [`annotation`] what Greylag's own annotations mean.

pub mod annotation;
pub mod descriptor;
pub mod kind;
pub mod name;
pub mod relation;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Type of a resource that is a dataset.
pub const DATASET: &str = "dataset";

/// `kind:namespace/name`, compared without regard to case (kept lower-case here, as the catalog does).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityRef {
    /// Lower-case kind: `resource`, `component`, `group`, `user`, `system`, `domain`, `location`.
    pub kind: String,
    /// Lower-case namespace; `default` where none is given.
    pub namespace: String,
    /// Lower-case name.
    pub name: String,
}

/// A catalog entity as its descriptor has it. `spec` and unknown metadata are kept as they came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    /// `backstage.io/v1alpha1` and the like.
    pub api_version: String,
    /// As written, e.g. `Resource`.
    pub kind: String,
    /// Name, namespace, title, description, labels, annotations, tags, links, and whatever else was there.
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// The kind's own part.
    #[serde(default)]
    pub spec: serde_json::Map<String, serde_json::Value>,
}

impl Entity {
    /// What others call it.
    pub fn reference(&self) -> EntityRef {
        let text = |key: &str| self.metadata.get(key).and_then(Value::as_str);
        EntityRef::new(&self.kind, text("namespace").unwrap_or("default"), text("name").unwrap_or_default())
    }

    /// The text of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.get("annotations")?.get(key)?.as_str()
    }

    /// Its `spec.type`.
    pub fn entity_type(&self) -> Option<&str> {
        self.spec.get("type").and_then(Value::as_str)
    }

    /// Whether it is a resource of type `dataset`.
    pub fn is_dataset(&self) -> bool {
        self.kind.eq_ignore_ascii_case("resource") && self.entity_type() == Some(DATASET)
    }
}

impl std::fmt::Display for EntityRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}/{}", self.kind, self.namespace, self.name)
    }
}

/// Why a text is not a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefError {
    /// It is not of the form `[kind:][namespace/]name`.
    #[error("is not of the form `[kind:][namespace/]name`")]
    Form,
    /// It names no kind where none can be assumed.
    #[error("does not say of which kind")]
    Kind,
    /// Its kind is not one.
    #[error("has a kind that is not letters and digits")]
    KindName,
    /// Its namespace breaks the rules.
    #[error("has a namespace that is not `a-z`, `0-9` and single `-`, 63 at most")]
    Namespace,
    /// Its name breaks the rules.
    #[error(
        "has a name that is not 1 to 63 of `A-Z`, `a-z`, `0-9`, `-`, `_` and `.`, with a letter or digit at both ends"
    )]
    Name,
}

impl EntityRef {
    /// A reference from its parts, lower-cased.
    pub fn new(kind: &str, namespace: &str, name: &str) -> Self {
        Self { kind: kind.to_lowercase(), namespace: namespace.to_lowercase(), name: name.to_lowercase() }
    }

    /// Reads `[kind:][namespace/]name`; what is absent is taken from `kind` and the namespace `default`. Parts are not
    /// held against the rules for names: what they name may be unknown, and the lookup says so better.
    pub fn parse(text: &str, kind: &str) -> Option<Self> {
        let (own_kind, namespace, name) = split(text);
        let (kind, namespace) = (own_kind.unwrap_or(kind), namespace.unwrap_or("default"));
        let fits = |part: &str| !part.is_empty() && !part.contains([':', '/']);
        (fits(kind) && fits(namespace) && fits(name)).then(|| Self::new(kind, namespace, name))
    }

    /// Reads `[kind:][namespace/]name` as a field of an entity in `namespace` has it, by Backstage's rules. `kind` is
    /// the field's default; without one, the text must name it.
    pub fn parse_in(text: &str, kind: Option<&str>, namespace: &str) -> Result<Self, RefError> {
        let (own_kind, own_namespace, own_name) = split(text);
        if own_name.contains([':', '/']) || own_namespace.is_some_and(|namespace| namespace.contains(':')) {
            return Err(RefError::Form);
        }
        if own_name.is_empty() || own_kind == Some("") || own_namespace == Some("") {
            return Err(RefError::Form);
        }
        let reference =
            Self::new(own_kind.or(kind).ok_or(RefError::Kind)?, own_namespace.unwrap_or(namespace), own_name);
        if !name::is_kind(&reference.kind) {
            return Err(RefError::KindName);
        }
        if !name::is_namespace(&reference.namespace) {
            return Err(RefError::Namespace);
        }
        if name::is_name(&reference.name) { Ok(reference) } else { Err(RefError::Name) }
    }

    /// The short form that people type: the name, with the namespace before it unless that is `default`.
    pub fn short(&self) -> String {
        if self.namespace == "default" { self.name.clone() } else { format!("{}/{}", self.namespace, self.name) }
    }
}

/// Kind, namespace and name of a reference's text, each as far as it is there.
fn split(text: &str) -> (Option<&str>, Option<&str>, &str) {
    let (kind, rest) = text.split_once(':').map_or((None, text), |(kind, rest)| (Some(kind), rest));
    let (namespace, name) = rest.split_once('/').map_or((None, rest), |(namespace, name)| (Some(namespace), name));
    (kind, namespace, name)
}

impl Serialize for EntityRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EntityRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text, "component").ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a reference")))
    }
}

#[cfg(test)]
mod tests;
