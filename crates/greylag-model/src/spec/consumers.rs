//! `spec.consumers` as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the schema holds days against.
pub(super) const DAY: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
/// How they are written.
pub(in crate::spec) const DAY_HINT: &str = "write year, month and day: `2027-03-31`";

/// How code that reads the datasets moves to the new ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "Consumers")]
pub struct ConsumersSpec {
    /// Repositories of the forge whose code moves along, by name; `*` stands for any characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<String>,
    /// Who merges the change requests.
    pub merge: MergeBy,
    /// The day until which the old datasets stay, as owners and `greylag plan` are told: nothing is retired by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DAY), example = &"2027-03-31")]
    pub until: Option<String>,
    /// What rewritten queries call the columns that they show.
    pub outputs: Outputs,
    /// What becomes of a `*` over a dataset whose columns change, where somebody sees its columns.
    pub star: StarPolicy,
    /// What becomes of a source of a dbt project if only some of its readers can move.
    pub sources: SourcePolicy,
    /// How each repository is cut into scopes, which have a change request each.
    #[serde(skip_serializing_if = "ScopesSpec::is_whole")]
    pub scopes: ScopesSpec,
}

/// How a repository is cut into scopes. Files that only work together are never cut apart: they go where most of them belong, and the
/// plan says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "Scopes")]
pub struct ScopesSpec {
    /// By what.
    pub by: ScopeBy,
    /// For `path`: folders of the repository, a scope each; the longest that a file lies in counts, and what lies in none is one more
    /// scope.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["models/finance", "jobs"]]))]
    pub paths: Vec<String>,
}

impl ScopesSpec {
    /// Whether a repository is one scope, whatever is in it.
    pub fn is_whole(&self) -> bool {
        self.by == ScopeBy::Repository
    }

    /// The folders as files lie in them: without `/` around them.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|path| folder(path))
    }
}

/// A folder without `/` around it.
pub(super) fn folder(path: &str) -> &str {
    path.trim_matches('/')
}

/// By what a repository is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScopeBy {
    /// Not at all: all of it travels in one change request.
    #[default]
    Repository,
    /// Files with one owner travel together, as `CODEOWNERS` says; those of nobody do, too.
    Owner,
    /// Files of one folder of `paths` travel together.
    Path,
}

impl ConsumersSpec {
    /// The patterns of repositories; all of the forge where none is given.
    pub fn patterns(&self) -> Vec<String> {
        if self.repositories.is_empty() { vec!["*".to_owned()] } else { self.repositories.clone() }
    }
}

/// Who merges change requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MergeBy {
    /// Their owners, when they like. The run waits for them and holds nothing meanwhile.
    #[default]
    Owner,
    /// Greylag, as soon as the policy of the repository allows it.
    Policy,
}

/// What rewritten queries call the columns that they show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outputs {
    /// What they called them before, with the values and types of before: `user_id as uid`. Their own readers notice nothing.
    #[default]
    Keep,
    /// What the new dataset calls them, where a column is shown as it is and its readers in the same repository can follow.
    Propagate,
}

/// What becomes of a `*` over a dataset whose columns change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StarPolicy {
    /// It is written out, column by column, with the names of before.
    #[default]
    Expand,
    /// It stays, and shows the columns of the new dataset.
    Keep,
    /// It is left to a person, and with it the file.
    Hold,
}

/// What becomes of a source of a dbt project if only some of its readers can move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourcePolicy {
    /// It stays, and all of its readers with it, until all can move.
    #[default]
    Whole,
    /// Those that can move get an entry of their own, beside the old one.
    Split,
}
