//! `kind: Connection`: how to reach a store.

use super::{API_VERSION, Metadata};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How to reach a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connection {
    /// Version of this format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// What the document is.
    #[schemars(extend("const" = "Connection"))]
    pub kind: String,
    /// Name and words for people.
    pub metadata: Metadata,
    /// The store.
    pub spec: ConnectionSpec,
}

/// A store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Store")]
pub struct ConnectionSpec {
    /// What kind of store.
    #[serde(rename = "type")]
    pub store: StoreType,
    /// For `files`: the root directory; a relative path begins at the folder of the file that declares the connection.
    #[schemars(length(min = 1), example = &"./lake")]
    pub root: String,
}

/// Kinds of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StoreType {
    /// Directories of Parquet, CSV, JSON lines and Avro files on a local file system.
    Files,
}
