//! Proofs by building: what a project's own build makes of the old rows, and the changed project's of the new ones.
//!
//! A text alone is run without its project: without what a run adds to it (hooks, models in other languages, queries that
//! choose what is rendered). A build has all of that. It is a claim of the same kind as that of a [`ProofRequest`](super::ProofRequest), for
//! every relation that both builds make, and worth what any verdict is worth: rows were made up or are real ones, and what
//! gives no row proves nothing.

use super::{Effort, ProofVerdict, Relation};
use crate::mapping::Mapping;
use crate::table::TableName;
use serde::{Deserialize, Serialize};

/// What is to be proven of two builds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildRequest {
    /// What it is about, for messages: the project.
    pub subject: String,
    /// Dialect of the texts, by its name.
    pub dialect: String,
    /// Texts that the builds run, for the literals that stand in them and for what they say of types that nobody knows.
    pub texts: Vec<String>,
    /// What the project reads and does not make. A name of two parts is of [`BuildRequest::DATABASE`], the first of three is a database.
    pub relations: Vec<Relation>,
    /// The numbers of changed relations whose old tables stay beside the new ones, since something that is left to people reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stays: Vec<usize>,
    /// The relations to compare.
    pub nodes: Vec<BuiltNode>,
    /// How far to go: rows, where drawing begins, and after how long nothing more is tried where types are guessed.
    pub effort: Effort,
}

impl BuildRequest {
    /// The database that a build goes into.
    pub const DATABASE: &'static str = "greylag";
    /// The schema of names without one.
    pub const SCHEMA: &'static str = "main";

    /// Database, schema and table of a name, in lower case; `None` if it has more parts.
    pub fn place(name: &TableName) -> Option<[String; 3]> {
        let parts: Vec<String> = name.parts().iter().map(|part| part.to_lowercase()).collect();
        let (database, schema) = (Self::DATABASE.to_owned(), Self::SCHEMA.to_owned());
        Some(match parts.as_slice() {
            [table] => [database, schema, table.clone()],
            [schema, table] => [database, schema.clone(), table.clone()],
            [database, schema, table] => [database.clone(), schema.clone(), table.clone()],
            _ => return None,
        })
    }
}

/// A relation that both builds make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuiltNode {
    /// What it is about, for messages.
    pub subject: String,
    /// Its name before, with database and schema.
    pub old: TableName,
    /// Its name after.
    pub new: TableName,
    /// How its rows became others, if it is a dataset that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub makes: Option<Box<Mapping>>,
}

/// What came of two builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildVerdict {
    /// One verdict for each node, in order.
    pub nodes: Vec<ProofVerdict>,
    /// Rows that the builds read, over all rounds.
    pub rows_in: u64,
    /// Real rows among them.
    pub sampled: u64,
}

#[cfg(test)]
mod tests {
    use super::BuildRequest;

    #[test]
    fn names_have_places() {
        for (name, place) in [
            ("T", Some("greylag main t")),
            ("Raw.t", Some("greylag raw t")),
            ("lake.raw.t", Some("lake raw t")),
            ("a.lake.raw.t", None),
        ] {
            let Ok(name) = name.parse() else { panic!("{name}") };
            assert_eq!(BuildRequest::place(&name).map(|place| place.join(" ")).as_deref(), place, "{name}");
        }
    }
}
