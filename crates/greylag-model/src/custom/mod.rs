//! Custom steps, as plans freeze them: commands with their scripts' content, and the expressions that are left to compute
//! when a step begins.
//!
//! **Who is authoritative.** The plan. A run never looks into the migration file again: a script that has another content
//! than the plan has frozen is not run.
//!
//! **Two times.** An expression that says nothing of `steps` has its value when the plan is made, per dataset. The others
//! have theirs just before the step begins, from what the steps before have put out, as the journal has it: so a retry and
//! a restart compute the same.

mod values;

pub use values::{Outputs, fits, inputs, is_wanted, planned, skipped};
pub(crate) use values::{VARIABLES, of_kind};

use crate::spec::{ParameterType, Sees};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Hash of a script's content.
pub fn hash_of(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}

/// What `uses` of a step that runs a command begins with.
pub const PREFIX: &str = "custom/";

/// How much one run of a command may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Memory of all its processes together.
    pub memory_bytes: u64,
    /// Processor time of all its processes together, milliseconds.
    pub cpu_millis: u64,
    /// Processes and threads at the same time.
    pub processes: u64,
    /// Its scratch folder, and what it adds to folders that it may write to.
    pub disk_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes: 512 << 20, cpu_millis: 600_000, processes: 64, disk_bytes: 256 << 20 }
    }
}

/// What a plan has of custom steps besides the steps themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Custom {
    /// Commands by name.
    pub commands: BTreeMap<String, Command>,
    /// Parameters of the template that the migration came from, for expressions; null if it came from none.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub parameters: Value,
    /// Built-in steps that are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
}

impl Custom {
    /// Whether there is nothing custom.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.parameters.is_null() && self.dropped.is_empty()
    }

    /// The command of a step that runs one.
    pub fn command_of(&self, uses: &str) -> Option<&Command> {
        self.commands.get(uses.strip_prefix(PREFIX)?)
    }
}

/// A command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// Program and arguments.
    pub run: Vec<String>,
    /// The same for taking it back; none if there is nothing to take back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Vec<String>>,
    /// Inputs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, ParameterType>,
    /// Outputs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, ParameterType>,
    /// Datasets that it sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<Sees>,
    /// The folder that it may write to, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<String>,
    /// Whether it has the network.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub network: bool,
    /// How much it may use.
    pub limits: Limits,
    /// Files beside the migration file, by the name that the command has for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scripts: BTreeMap<String, Script>,
}

/// A file as it was when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// Where it is, absolute.
    pub path: String,
    /// Hash (BLAKE3) of its content, hexadecimal; empty for a folder.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

/// What a step has that is not of the built-in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Inserted {
    /// Its name among the steps of its task.
    pub name: String,
    /// Condition that is computed when it begins; `false` if it was false already.
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Values of inputs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, Value>,
    /// Texts of inputs whose values are computed when it begins.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub computed: BTreeMap<String, String>,
}
