//! Changes to the built-in order of steps, and the commands that custom steps run.

use super::{ParameterType, RetrySpec, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One change to the built-in order of steps (`data/expand`, `data/backfill`, `data/verify`, `data/publish`,
/// `catalog/publish`, `data/cutover`, `catalog/cutover`, `data/retire`, `data/drop`): a step that is put `before` or `after`
/// another one or in its place, or one that is left out (`drop`). Changes are made in the order of the file.
///
/// Conditions and the parts of texts in `${{ }}` are CEL. They see `dataset` (the old one: `ref`, `name`, `namespace`,
/// `owner`, `format`, `shape`, `partitions`, `files`, `bytes`, `rows`, `target`), `columns` (`name`, `type`, `nullable`,
/// `partition`), `task` (`id`), in templates `params`, and `steps.NAME` of the steps before (`outputs`, `skipped`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "StepChange")]
pub struct StepSpec {
    /// Name of the step: a small letter, then small letters, digits and `_`. Without it, that of its command.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = NAME), example = &"count_before")]
    pub name: Option<String>,
    /// What it does: `custom/NAME` runs that command, `data/verify` verifies once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"custom/count")]
    pub uses: Option<String>,
    /// The step that follows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"data/publish")]
    pub before: Option<String>,
    /// The step that it follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"data/verify")]
    pub after: Option<String>,
    /// The step whose place it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"data/cutover")]
    pub replace: Option<String>,
    /// The step that is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"data/cutover")]
    pub drop: Option<String>,
    /// Condition: where it is false, nothing is done and nothing will be undone.
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"dataset.bytes > 1000000 && !steps.count.skipped")]
    pub when: Option<String>,
    /// Values of the command's inputs; texts may have `${{ }}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "plain_map", extend("examples" = [{"least": 10, "rows": "${{ steps.count.outputs.rows }}"}]))]
    pub with: BTreeMap<String, Value>,
    /// Retry of this step, instead of the migration's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetrySpec>,
    /// Longest time for one attempt, instead of the migration's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), example = &"10m")]
    pub timeout: Option<String>,
    /// Whether it waits for a person's approval first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub approval: bool,
}

/// Names of steps and commands, which CEL can say.
pub(super) const NAME: &str = r"^[a-z][a-z0-9_]{0,62}$";
const SIZE: &str = r"^[0-9]{1,9}(KiB|MiB|GiB)$";

/// A command that `custom/NAME` runs, in the sandbox: it sees the system's programs, the files and datasets that are named
/// here, and nothing else. `docs/reference/custom-steps.md` has what it reads and writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Command")]
pub struct CommandSpec {
    /// Name: a small letter, then small letters, digits and `_`.
    #[schemars(regex(pattern = NAME), example = &"count")]
    pub name: String,
    /// Program and arguments. What begins with `./` is a file beside the migration file; its content is frozen by the plan.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("examples" = [["python3", "./count.py"]]))]
    pub run: Vec<String>,
    /// Program and arguments that take back what `run` did, also if it was ended half-way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), inner(length(min = 1)), extend("examples" = [["./remove-mark.sh"]]))]
    pub undo: Option<Vec<String>>,
    /// It changes nothing outside, so that there is nothing to take back: either this or `undo` must be said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Other files beside the migration file that it needs, such as modules of a script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 3)), extend("examples" = [["./rules.json"]]))]
    pub files: Vec<String>,
    /// What steps give it by `with`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputSpec>,
    /// What its result has, all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<OutputSpec>,
    /// Datasets that it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<Sees>,
    /// A folder beside the migration file that it may write to; it must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3), example = &"./marks")]
    pub writes: Option<String>,
    /// Whether it has the machine's network.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub network: bool,
    /// How much it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<SandboxLimitsSpec>,
}

/// A value that a command is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Input")]
pub struct InputSpec {
    /// Name: a small letter, then small letters, digits and `_`.
    #[schemars(regex(pattern = NAME), example = &"least")]
    pub name: String,
    /// Kind of value.
    #[serde(rename = "type", default)]
    pub value_type: ParameterType,
    /// Value if none is given; without it one must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "plain")]
    pub default: Option<Value>,
    /// Words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A value that a command gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Output")]
pub struct OutputSpec {
    /// Name: a small letter, then small letters, digits and `_`.
    #[schemars(regex(pattern = NAME), example = &"rows")]
    pub name: String,
    /// Kind of value.
    #[serde(rename = "type", default)]
    pub value_type: ParameterType,
    /// Words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A dataset that a command reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sees {
    /// The old one, at `/data/source`.
    Source,
    /// The new one once it is published, at `/data/target`.
    Target,
    /// What was backfilled and is not published yet, at `/data/staging`.
    Staging,
}

/// How much one run of a command may use. Time is the step's `timeout`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "SandboxLimits")]
pub struct SandboxLimitsSpec {
    /// Memory of all its processes together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = SIZE), example = &"1GiB", extend("default" = "512MiB"))]
    pub memory: Option<String>,
    /// Processor time of all its processes together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), example = &"30m", extend("default" = "10m"))]
    pub cpu: Option<String>,
    /// Processes and threads at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000), extend("default" = 64))]
    pub processes: Option<u32>,
    /// Its scratch folder `/tmp`, and what it adds to the folder that it writes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = SIZE), example = &"1GiB", extend("default" = "256MiB"))]
    pub disk: Option<String>,
}

fn plain(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": ["string", "number", "boolean"]})
}

pub(super) fn plain_map(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "object", "additionalProperties": plain(generator)})
}

/// Bytes of a size as files have it.
pub fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(3)?)?;
    let shift = match unit {
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}
