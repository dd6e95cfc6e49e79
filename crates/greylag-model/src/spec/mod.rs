//! Migration files as they are written: `kind: Migration` and `kind: Connection`.
//!
//! These structs are the one source of the published JSON Schema (`schemas/`), of what the parser accepts and of the
//! reference page (`docs/reference/migration-file.md`), which is made from their doc comments, defaults and examples.
//!
//! [`parse()`] turns text into documents and collects *every* error with its place, in three passes over one document:
//!
//! 1. [`crate::yaml`] reads the tree; what is malformed costs its document, not the file.
//! 2. The tree is held against the schema (`translate`): keys, kinds of values, ranges.
//! 3. `check` looks at what a schema cannot say and what needs no world: references, duplicates, durations, expressions.
//!    It reads the tree, not the structs, so that a wrong key in one column does not hide a wrong expression in another.
//!
//! Only a document that passes the first two becomes a struct; whether the third was content, [`Parsed::is_sound`] says.

use crate::dataset::{Compression, CsvDialect, Shape};
use crate::task::Phase;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod check;
mod connection;
mod consumers;
mod derived;
mod diff;
pub mod duration;
mod increments;
mod limits;
mod parse;
mod reference;
mod rollout;
mod schema;
pub(crate) mod steps;
mod template;
mod translate;

pub use connection::{Connection, ConnectionSpec, StoreType};
pub use consumers::{ConsumersSpec, MergeBy, Outputs, ScopeBy, ScopesSpec, SourcePolicy, StarPolicy};
pub use derived::{DerivedSpec, History};
pub use diff::{DiffSpec, SOURCE, With};
pub use increments::{IncrementsSpec, Late, Removed, ScheduleSpec, WatermarkSpec};
pub use limits::{LimitSpec, Limits, LimitsSpec, OwnerLimitSpec, Priority, RateSpec, StoreLimitSpec};
pub use parse::{Document, LIMITS, Parsed, across, parse, parse_bytes};
pub use reference::reference_markdown;
pub use rollout::{CohortSpec, Day, GateSpec, RolloutSpec, WindowSpec};
pub use schema::{connection_json_schema, json_schema, limits_json_schema, template_json_schema};
pub use steps::{CommandSpec, InputSpec, OutputSpec, SandboxLimitsSpec, Sees, StepSpec, bytes as size_bytes};
pub use template::{
    MatchSpec, MigrationTemplate, ParameterSpec, ParameterType, RuleSpec, SetSpec, TemplateSpec, Unmatched,
};

/// The API version that this build reads.
pub const API_VERSION: &str = "greylag.dev/v1alpha1";
/// Largest count that a file may give.
const MOST: u64 = i64::MAX as u64;

/// A named, intended change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Migration {
    /// Version of this format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// What the document is.
    #[schemars(extend("const" = "Migration"))]
    pub kind: String,
    /// Name and words for people.
    pub metadata: Metadata,
    /// What is to change.
    pub spec: MigrationSpec,
}

/// Name and words for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// 1 to 63 of `a-z`, `0-9`, `-`, `.` and `_`, beginning and ending with a letter or digit.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$"), example = &"users-v2")]
    pub name: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A paragraph for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who answers for it: reference of a group or user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"group:data-platform")]
    pub owner: Option<String>,
    /// Link (`http` or `https`) to the guide that owners read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"https://wiki.example.com/users-v2")]
    pub guide: Option<String>,
    /// Free facts, text to text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What is to change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Spec")]
pub struct MigrationSpec {
    /// The pairs of datasets, old and new.
    #[schemars(length(min = 1), extend("examples" = [[{"from": "users_v1", "to": "users_v2"}]]))]
    pub datasets: Vec<Pair>,
    /// Mapping of every pair that has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<MappingSpec>,
    /// Layout of every pair that has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutSpec>,
    /// Checks of every pair, before those of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSpec>,
    /// Changes to the built-in order of steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepSpec>,
    /// Commands of custom steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandSpec>,
    /// Parameters of the template that this came from.
    #[serde(skip)]
    #[schemars(skip)]
    pub parameters: serde_json::Value,
    /// Retry of every step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetrySpec>,
    /// Longest time for one attempt of a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), example = &"30m", extend("default" = "6h"))]
    pub timeout: Option<String>,
    /// The last phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::through", extend("default" = "cutover"))]
    pub through: Option<Phase>,
    /// How long a retired dataset is kept before it is dropped; only with `through: drop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), example = &"30d", extend("default" = "14d"))]
    pub retention: Option<String>,
    /// In which groups the datasets go, and what must hold before the next group follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutSpec>,
    /// How later runs take up what changed; without it each dataset is moved once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increments: Option<IncrementsSpec>,
    /// How code that reads the datasets moves to the new ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers: Option<ConsumersSpec>,
    /// Its weight beside other runs where limits keep them waiting: `high` gets twice as much as `normal`, `low` half as much.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
}

/// An old dataset and the new one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pair {
    /// Reference of the old dataset: its name in the catalog, perhaps with its namespace (`finance/users_v1`).
    #[schemars(length(min = 1), example = &"users_v1")]
    pub from: String,
    /// Reference of the new dataset, which must not exist yet.
    #[schemars(length(min = 1), example = &"users_v2")]
    pub to: String,
    /// Where the new one goes, relative to its connection's root; without it, beside the old one, named as `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"users/v2")]
    pub location: Option<String>,
    /// The name by which code reaches the new one. Without it, that of the old one (`greylag.dev/table` in the catalog) with the
    /// name of the new one at its end, where the old one's name stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"raw.users_v2")]
    pub table: Option<String>,
    /// Mapping of this pair, instead of the shared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<MappingSpec>,
    /// Layout of this pair, instead of the shared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutSpec>,
    /// Checks of this pair, after the shared ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSpec>,
    /// How the dataset is made, if it is made from others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<DerivedSpec>,
    /// Watermark of this pair, instead of the shared one; only with `increments`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<WatermarkSpec>,
}

/// Source columns to target columns. A column that keeps one origin (`from`) stands in its origin's place; the others
/// follow in the order of the file; partition columns come last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "Mapping")]
pub struct MappingSpec {
    /// What happens to a source column that is not mentioned.
    pub unmapped: Unmapped,
    /// Target columns that change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnSpec>,
    /// One column cut into several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub split: Vec<SplitSpec>,
    /// Several columns joined into one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub merge: Vec<MergeSpec>,
    /// Source columns that end here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<DropSpec>,
    /// The way back of source columns whose reverse cannot be derived.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reverse: Vec<ReverseSpec>,
}

/// What happens to source columns that the mapping does not mention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unmapped {
    /// They are carried over as they are.
    #[default]
    Keep,
    /// They are an error of the plan.
    Fail,
}

/// One target column: renamed (`from`), computed (`expr`), retyped (`type`), defaulted, or new.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Column")]
pub struct ColumnSpec {
    /// Name in the target.
    #[schemars(length(min = 1), example = &"email")]
    pub name: String,
    /// The one source column that it carries on; without it the same name, unless `expr` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"mail")]
    pub from: Option<String>,
    /// Expression over source columns; with `from`, its place is that of the source column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"lower(trim(mail))")]
    pub expr: Option<String>,
    /// Type in the target.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"decimal(15,2)", example = &"timestamp(us, UTC)")]
    pub data_type: Option<String>,
    /// What happens to what the target type cannot carry exactly (fractions, sub-units): needed for a lossy cast, only
    /// with `type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// What happens to a value that does not fit at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "fail"))]
    pub misfit: Option<Misfit>,
    /// Expression without columns that replaces nulls, those of `misfit: null` included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"'unknown'")]
    pub default: Option<String>,
    /// How far a value may be off when the way back is verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Tolerance>,
    /// Marks readers of this column as needing a person's judgement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
    /// Words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a lossy cast does with what the target type cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// Towards zero; for timestamps towards the past.
    Truncate,
    /// To the nearest, halves away from zero.
    Round,
    /// A value that would lose something does not fit: `misfit` says what then.
    Fail,
}

/// What happens to a row whose value does not fit or whose expression fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Misfit {
    /// The step fails and names the value's place.
    #[default]
    Fail,
    /// The value becomes null.
    Null,
    /// The whole row goes to the rejected rows beside the run.
    Reject,
}

/// Allowed difference of numbers: either bound suffices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tolerance {
    /// Largest absolute difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), example = 0.005)]
    pub absolute: Option<f64>,
    /// Largest difference as a share of the larger magnitude.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), example = 1e-9)]
    pub relative: Option<f64>,
}

impl Tolerance {
    /// Whether two numbers are that near, the absolute difference taken `times`.
    pub fn allows(self, left: f64, right: f64, times: f64) -> bool {
        let difference = (left - right).abs();
        self.absolute.is_some_and(|most| difference <= most * times)
            || self.relative.is_some_and(|share| difference <= share * left.abs().max(right.abs()))
    }
}

/// A column whose readers a person must look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Judgement {
    /// Link (`http` or `https`) to the guide.
    #[schemars(example = &"https://wiki.example.com/amounts")]
    pub guide: String,
    /// What is to be judged, in a sentence or two.
    #[schemars(length(min = 1), example = &"Amounts now include tax: check every sum.")]
    pub text: String,
}

/// One column cut into several at a separator; the last part takes the rest. A value with fewer separators leaves the
/// last parts null, so that joining the parts gives every value back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Split")]
pub struct SplitSpec {
    /// Source column, text. It ends here.
    #[schemars(length(min = 1), example = &"full_name")]
    pub from: String,
    /// Target columns, at least two.
    #[schemars(length(min = 2), inner(length(min = 1)), extend("examples" = [["first_name", "last_name"]]))]
    pub into: Vec<String>,
    /// Text between the parts.
    #[schemars(length(min = 1), example = &" ")]
    pub separator: String,
}

/// Several columns joined into one with a separator. Nulls are left out with their separator; the result is null only
/// where all of them are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Merge")]
pub struct MergeSpec {
    /// Source columns, text, at least two. They end here.
    #[schemars(length(min = 2), inner(length(min = 1)), extend("examples" = [["street", "city"]]))]
    pub from: Vec<String>,
    /// Target column.
    #[schemars(length(min = 1), example = &"address")]
    pub into: String,
    /// Text between the parts; it may be empty.
    #[schemars(example = &", ")]
    pub separator: String,
}

/// A source column that ends here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Drop")]
pub struct DropSpec {
    /// Source column.
    #[schemars(length(min = 1), example = &"legacy_flag")]
    pub name: String,
    /// Why, for its readers.
    #[schemars(length(min = 1), example = &"nobody has filled it since 2019")]
    pub reason: String,
    /// Marks readers of this column as needing a person's judgement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
}

/// The way back of one source column: either an expression over target columns, or lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Reverse")]
pub struct ReverseSpec {
    /// Source column.
    #[schemars(length(min = 1), example = &"mail")]
    pub name: String,
    /// Expression over target columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"upper(email)")]
    pub expr: Option<String>,
    /// Why there is no way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"upper case is not kept")]
    pub lost: Option<String>,
}

/// How the new dataset is laid out; anything absent is as in the old one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Layout")]
pub struct LayoutSpec {
    /// Format of the new files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<FormatName>,
    /// Codec of Parquet files, and of Avro files (where gzip is deflate, and the default; lz4 is not among theirs).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "zstd"))]
    pub compression: Option<Compression>,
    /// Dialect of CSV files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv: Option<CsvDialect>,
    /// One file or a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// Hive partition columns of the target, outermost first; an empty list means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["year", "month"]]))]
    pub partition_by: Option<Vec<String>>,
}

/// Names of the formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FormatName {
    /// Apache Parquet.
    Parquet,
    /// Delimited text.
    Csv,
    /// JSON lines: one object a line.
    Json,
    /// Avro object container files.
    Avro,
}

/// An expectation on the new dataset; exactly one key besides `name`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Check")]
pub struct CheckSpec {
    /// Name in messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"ids are there")]
    pub name: Option<String>,
    /// Target columns without nulls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), inner(length(min = 1)), extend("examples" = [["id"]]))]
    pub not_null: Option<Vec<String>>,
    /// Boolean expression over target columns that no row makes false (null counts as true, as in SQL's `CHECK`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"amount >= 0")]
    pub expr: Option<String>,
    /// Fewest rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MOST), example = 1)]
    pub min_rows: Option<u64>,
    /// Most rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MOST), example = 1_000_000)]
    pub max_rows: Option<u64>,
    /// Most rejected rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MOST), example = 0)]
    pub max_rejected: Option<u64>,
    /// No row differs from another dataset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<DiffSpec>,
}

/// How often and when a failed attempt is tried again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Retry")]
pub struct RetrySpec {
    /// Attempts in all, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100), extend("default" = 3))]
    pub attempts: Option<u32>,
    /// Wait before the second attempt; it doubles each time, with jitter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), extend("default" = "1s"))]
    pub backoff: Option<String>,
    /// Longest wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), extend("default" = "5m"))]
    pub max_backoff: Option<String>,
    /// Error classes that are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = ["transient", "conflict"]))]
    pub on: Option<Vec<ErrorClass>>,
}

/// What an error means for trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrorClass {
    /// May go away: time-outs, a full disk, a busy store, a reader that died.
    Transient,
    /// Will not go away by itself: corrupt data, a value that does not fit.
    Permanent,
    /// Somebody else changed what this step stands on.
    Conflict,
    /// Not allowed.
    Denied,
}
