//! `kind: MigrationTemplate` as it is written.

use super::{
    API_VERSION, CheckSpec, CommandSpec, ConsumersSpec, IncrementsSpec, Judgement, LayoutSpec, Loss, Metadata, Misfit,
    Priority, RetrySpec, RolloutSpec, StepSpec, Tolerance, duration, schema,
};
use crate::task::Phase;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Rules that are written once and adapt to each of many datasets. A plan makes a migration of it: it takes every dataset for
/// which `select` is true, derives the new one's name, and makes a mapping of the rules that match its columns. A dataset
/// that nothing would change is left out.
///
/// Conditions and the parts of texts in `${{ }}` are CEL. They see `params` (the parameters), `dataset` (`ref`, `name`,
/// `namespace`, `type`, `owner`, `lifecycle`, `tags`, `annotations`, `format`, `shape`, `partitions`, `files`, `bytes`) and
/// `columns`, a list of columns (`name`, `type`, `nullable`, `partition`); in rules also `column`, the one at hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MigrationTemplate {
    /// Version of this format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// What the document is.
    #[schemars(extend("const" = "MigrationTemplate"))]
    pub kind: String,
    /// Name and words for people; the migration gets the same.
    pub metadata: Metadata,
    /// What is to change, where.
    pub spec: TemplateSpec,
}

/// What is to change, where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateSpec {
    /// What whoever uses the template chooses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ParameterSpec>,
    /// Condition: which datasets of the catalog.
    #[schemars(length(min = 1), example = &"dataset.owner == 'group:default/shop' && columns.exists(c, c.name == 'uid')")]
    pub select: String,
    /// Reference of the new dataset, a text.
    #[schemars(length(min = 1), example = &"${{ dataset.name }}_v2")]
    pub to: String,
    /// Where the new one goes, a text; without it, beside the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"v2/${{ dataset.name }}")]
    pub location: Option<String>,
    /// What changes in columns, in any order: two rules that want different things of one column are an error of its dataset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleSpec>,
    /// Layout of the new datasets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutSpec>,
    /// Checks of every dataset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSpec>,
    /// Changes to the built-in order of steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepSpec>,
    /// Commands of custom steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandSpec>,
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

/// What whoever uses a template chooses: `--set NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Parameter")]
pub struct ParameterSpec {
    /// Name: a letter, then letters, digits and `_`.
    #[schemars(regex(pattern = r"^[A-Za-z][A-Za-z0-9_]{0,62}$"), example = &"team")]
    pub name: String,
    /// Kind of value.
    #[serde(rename = "type", default)]
    pub value_type: ParameterType,
    /// Value if none is given; without it one must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "plain_value")]
    pub default: Option<Value>,
    /// The values that are allowed; without it all of the kind are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "plain_values")]
    pub one_of: Vec<Value>,
    /// Words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn plain_value(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": ["string", "number", "boolean"]})
}

fn plain_values(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "array", "items": plain_value(generator)})
}

/// Kinds of values of parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParameterType {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
}

impl ParameterType {
    /// As a message has it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Integer => "whole number",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// What changes in the columns that match; exactly one of `set` and `drop`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Rule")]
pub struct RuleSpec {
    /// Name in messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"user ids")]
    pub name: Option<String>,
    /// Which columns: all that is given must match.
    #[serde(rename = "match")]
    pub matches: MatchSpec,
    /// What they become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SetSpec>,
    /// They end here; the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"unused since 2024")]
    pub drop: Option<String>,
    /// What it means if no column of a dataset matches.
    #[serde(default)]
    pub unmatched: Unmatched,
}

/// Which columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "Match")]
pub struct MatchSpec {
    /// Regular expression for the whole name; its groups are `$1`, `${name}` in the texts of `set`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"(.*_)?uid")]
    pub name: Option<String>,
    /// The type, `*` standing for any letters.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"timestamp(ns*", example = &"decimal(*)")]
    pub data_type: Option<String>,
    /// Tag that the dataset has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"pii")]
    pub tag: Option<String>,
    /// Annotation that the dataset has, perhaps with its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"example.com/clock=utc")]
    pub annotation: Option<String>,
    /// Condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"column.nullable && !column.partition")]
    pub when: Option<String>,
}

/// What a column becomes. Texts may have groups of the name and `${{ }}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "Set")]
pub struct SetSpec {
    /// Name in the target, a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"${1}user_id")]
    pub name: Option<String>,
    /// Expression over source columns, a text; `column.quoted` is the column's name as an expression has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"lower(trim(${{ column.quoted }}))")]
    pub expr: Option<String>,
    /// Type in the target, a text. A column that has it already keeps it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"timestamp(us, UTC)")]
    pub data_type: Option<String>,
    /// What happens to what the target type cannot carry exactly, where that can happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// What happens to a value that does not fit at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "fail"))]
    pub misfit: Option<Misfit>,
    /// Expression without columns that replaces nulls, a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"'unknown'")]
    pub default: Option<String>,
    /// How far a value may be off when the way back is verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Tolerance>,
    /// Marks readers of these columns as needing a person's judgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
    /// Words for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What it means if a rule matches no column of a dataset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unmatched {
    /// Nothing: the rule is for datasets that have such columns.
    Allow,
    /// The plan says so.
    #[default]
    Warn,
    /// The dataset is blocked.
    Fail,
}
