//! What a dbt project consists of, as plain values.

use super::host::unquoted;
use greylag_syntax::jinja::{Decision, Error, value::Open};
use greylag_syntax::trace::{FileId, Files, Span, Traced};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A dbt project that was read.
#[derive(Debug, Default)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// All files that were read, those of packages too.
    pub files: Files,
    /// The packages that were found, the project itself first.
    pub packages: Vec<Package>,
    /// Packages that are wanted and not there: their macros give open values.
    pub missing_packages: Vec<String>,
    /// Models, snapshots, analyses, tests and seeds.
    pub nodes: Vec<Node>,
    /// The tables of sources.
    pub sources: Vec<SourceTable>,
    /// Exposures.
    pub exposures: Vec<Exposure>,
    /// Tests that stand at a model, source or column.
    pub tests: Vec<ColumnTest>,
    /// Sources that macros name which nothing here renders: they are run by hand, or by something that is not read.
    pub idle: Vec<Idle>,
    /// What was called and is nowhere: name, and where it was called.
    pub unknown: BTreeMap<String, Vec<Span>>,
    /// Files that could not be read, and why.
    pub problems: Vec<Problem>,
}

/// A source that a macro names, in a call that nothing renders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idle {
    /// The macro.
    pub name: String,
    /// The bytes of the call.
    pub at: Span,
    /// The source's table, by its index.
    pub source: usize,
}

/// A package of the project.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder in the tree.
    pub root: String,
    /// Whether it is where `dbt deps` installs packages, which writes its files anew: they are another project's.
    pub installed: bool,
}

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its path.
    pub path: String,
    /// What is wrong, with line and column where they are known.
    pub message: String,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// A model in SQL.
    Model,
    /// A model in Python, which is not understood.
    PythonModel,
    /// A snapshot.
    Snapshot,
    /// An analysis.
    Analysis,
    /// A test that is a query of its own.
    Test,
    /// A seed.
    Seed,
}

impl NodeKind {
    /// The first part of its identifiers in dbt.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Model | Self::PythonModel => "model",
            Self::Snapshot => "snapshot",
            Self::Analysis => "analysis",
            Self::Test => "test",
            Self::Seed => "seed",
        }
    }
}

/// A node.
#[derive(Debug)]
pub struct Node {
    /// What dbt calls it: `model.package.name`, with `.v2` behind a version.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// Its package.
    pub package: String,
    /// Its name.
    pub name: String,
    /// The bytes of the name, where it stands in a file: in YAML, or behind `snapshot`.
    pub name_at: Vec<Span>,
    /// Its version.
    pub version: Option<String>,
    /// Whether a `ref` without a version means this one.
    pub latest: bool,
    /// The file.
    pub file: FileId,
    /// The bytes of its template.
    pub at: Span,
    /// Its columns as YAML declares them.
    pub columns: Vec<Column>,
    /// What YAML says of it besides.
    pub said: Vec<Said>,
    /// How it is configured.
    pub config: Config,
    /// Its name in the database as it is printed, by its parts. A part of which only the target knows has a stand-in.
    pub relation: Vec<String>,
    /// Whether a part of that has a stand-in.
    pub is_open: bool,
    /// Keys of `dbt_project.yml` that configure it by its name.
    pub keys: Vec<Span>,
    /// What its entry in YAML configures, key and text; each item of a list by itself.
    pub settings: Vec<(String, Arc<Traced>)>,
    /// The ways in which it renders. None of a seed or a Python model.
    pub renderings: Vec<NodeRendering>,
    /// Whether there are more ways.
    pub truncated: bool,
    /// Whether there are more, but each three answers to what is asked were seen together.
    pub in_threes: bool,
    /// What it refers to, over all ways: each once.
    pub edges: Vec<Edge>,
}

/// A column that YAML declares.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: Arc<Traced>,
    /// Its type, if it says one.
    pub data_type: Option<Arc<Traced>>,
    /// From the first to the last byte of what is said of it.
    pub at: Span,
}

/// A text of an entry of YAML that speaks of columns or of the whole.
#[derive(Debug, Clone)]
pub struct Said {
    /// What kind of text it is.
    pub kind: SaidKind,
    /// The text.
    pub text: Arc<Traced>,
}

/// What a text of an entry of YAML is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaidKind {
    /// The name of a column: of a key, a constraint, a partition.
    Column,
    /// Words for people.
    Words,
}

/// The configuration that matters for where a node's data is.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Whether dbt would build it; `None` if that cannot be known.
    pub enabled: Option<bool>,
    /// `table`, `view`, `incremental` …
    pub materialized: Option<Traced>,
    /// The schema that is asked for, before `generate_schema_name`.
    pub schema: Option<Traced>,
    /// The name of the relation, if it is not the node's.
    pub alias: Option<Traced>,
    /// The database that is asked for.
    pub database: Option<Traced>,
    /// Whether dbt holds its columns against those that YAML declares.
    pub is_contract: bool,
}

/// One way in which a node renders.
#[derive(Debug)]
pub struct NodeRendering {
    /// The text, or why there is none.
    pub text: Result<Traced, Error>,
    /// What it rests on.
    pub decisions: Vec<Decision>,
    /// What stands in it for values that cannot be known.
    pub holes: Vec<Open>,
    /// What was referred to, in the order of the calls. A mark of a stretch is an index of this.
    pub references: Vec<Reference>,
    /// What `config()` was given in the template.
    pub config: Vec<(Arc<str>, Traced)>,
}

/// Which function made a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReferenceKind {
    /// `ref`.
    Ref,
    /// `source`.
    Source,
    /// `this`.
    This,
}

/// A call of `ref` or `source`, or a use of `this`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Which.
    pub kind: ReferenceKind,
    /// Its arguments, in order; an argument that cannot be known has a hole.
    pub arguments: Vec<Traced>,
    /// The bytes of the call.
    pub at: Span,
    /// What it means, if there is such a thing.
    pub target: Option<Target>,
}

/// A node or the table of a source, by its index in the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A node.
    Node(usize),
    /// A source's table.
    Source(usize),
}

/// A reference of a node, over all its renderings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// What is referred to.
    pub target: Target,
    /// Whether it is referred to in every way that gives a text.
    pub always: bool,
    /// The bytes of every call that does so, and of the literals that it was given.
    pub places: Vec<(Span, Vec<Span>)>,
}

/// The table of a source.
#[derive(Debug, Clone)]
pub struct SourceTable {
    /// What dbt calls it.
    pub id: String,
    /// The package.
    pub package: String,
    /// The name of the source.
    pub source: Arc<Traced>,
    /// The name of the table, by which it is referred to.
    pub table: Arc<Traced>,
    /// The name in the database.
    pub identifier: Arc<Traced>,
    /// The schema; empty if only the target knows it.
    pub schema: Traced,
    /// The database, if it says one that does not hang on the target.
    pub database: Option<Traced>,
    /// Whether it is not switched off.
    pub enabled: bool,
    /// From the first to the last byte of what is said of it.
    pub at: Span,
    /// Its columns.
    pub columns: Vec<Column>,
    /// What YAML says of it besides.
    pub said: Vec<Said>,
}

impl SourceTable {
    /// The parts of its name in the database, without quotes, from the last that is not known on: without a schema nothing stands before the identifier.
    pub fn relation(&self) -> Vec<&str> {
        let identifier = unquoted(self.identifier.text());
        if self.schema.is_empty() {
            return vec![identifier];
        }
        let database = self.database.as_ref().map(Traced::text).filter(|name| !name.is_empty());
        database.into_iter().chain([self.schema.text()]).map(unquoted).chain([identifier]).collect()
    }
}

/// An exposure.
#[derive(Debug, Clone)]
pub struct Exposure {
    /// Its name.
    pub name: Arc<Traced>,
    /// What it depends on.
    pub edges: Vec<Edge>,
}

/// A test at a model, source or column.
#[derive(Debug, Clone)]
pub struct ColumnTest {
    /// The name of the test, with the bytes where it stands.
    pub test: Arc<Traced>,
    /// What it stands at.
    pub subject: Target,
    /// The column, if it stands at one.
    pub column: Option<Arc<Traced>>,
    /// Its arguments, name and text; each item of a list by itself.
    pub arguments: Vec<(String, Arc<Traced>)>,
    /// What its arguments refer to.
    pub edges: Vec<Edge>,
}

/// Arguments of tests that list columns of what the test stands at.
const COLUMN_LISTS: [&str; 6] =
    ["column_name", "combination_of_columns", "columns", "column_list", "group_by_columns", "compare_columns"];

impl ColumnTest {
    /// Whether an argument lists columns of what the test stands at.
    pub fn lists_columns(argument: &str) -> bool {
        COLUMN_LISTS.contains(&argument)
    }
}
