//! Catalog entities: Backstage descriptors and references to them.

use serde::{Deserialize, Serialize};

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

impl std::fmt::Display for EntityRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}/{}", self.kind, self.namespace, self.name)
    }
}

impl EntityRef {
    /// A reference from its parts, lower-cased.
    pub fn new(kind: &str, namespace: &str, name: &str) -> Self {
        Self { kind: kind.to_lowercase(), namespace: namespace.to_lowercase(), name: name.to_lowercase() }
    }

    /// Reads `[kind:][namespace/]name`; what is absent is taken from `kind` and the namespace `default`.
    pub fn parse(text: &str, kind: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or((kind, text));
        let (namespace, name) = rest.split_once('/').unwrap_or(("default", rest));
        let fits = |part: &str| !part.is_empty() && !part.contains([':', '/']);
        (fits(kind) && fits(namespace) && fits(name)).then(|| Self::new(kind, namespace, name))
    }

    /// The short form that people type: the name, with the namespace before it unless that is `default`.
    pub fn short(&self) -> String {
        if self.namespace == "default" { self.name.clone() } else { format!("{}/{}", self.namespace, self.name) }
    }
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
