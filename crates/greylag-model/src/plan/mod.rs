//! Plans: the frozen result of compiling a spec and a snapshot.

mod changes;
mod check_spec;
mod circle;
mod compile;
mod conflict;
mod derived;
mod diff_check;
mod estimate;
pub mod explain;
mod hash;
mod increment;
mod layout;
mod order;
mod place;
mod sample;
mod scope;
mod staleness;
mod steps;
mod warning;

pub use circle::makers_in_circles;
pub use compile::{CompileOptions, Compiled, Places, compile, mapping_of};
pub use estimate::Speed;
pub use explain::{Detail, Line, LineKind, explain};
pub use hash::computed_id;
pub use layout::default_location;
pub(crate) use scope::AWAIT;
pub use scope::{CodeObserved, FileClass, Flow, Readers, ScopeName, ScopeObserved, ScopeWork, Source, scope_id};
pub use staleness::{Staleness, staleness};

use crate::consumer::Class;
use crate::custom::Custom;
use crate::dataset::{Layout, Location};
use crate::derived::Derived;
use crate::diagnostic::Diagnostic;
use crate::entity::EntityRef;
use crate::id::{PlanId, TaskId, Timestamp};
use crate::increment::Increments;
use crate::mapping::{Mapping, NewRows};
use crate::rollout::{Rollout, Window};
use crate::sample::Sample;
use crate::snapshot::{Impact, Observed};
use crate::spec::{CheckSpec, Priority};
use crate::table::TableName;
use crate::task::{Phase, Step};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the plan's own format; another major is refused.
pub const PLAN_VERSION: u32 = 2;

/// A frozen plan. `tasks` are stored one by one, so that no code has to load a whole plan to run one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What holds for all of it.
    pub header: PlanHeader,
    /// One per dataset, in the spec's order.
    pub tasks: Vec<PlanTask>,
}

/// What holds for the whole plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanHeader {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// Hash over everything else here and over all tasks.
    pub id: PlanId,
    /// Name of the migration.
    pub migration: String,
    /// When the world was probed.
    pub taken_at: Timestamp,
    /// Last phase.
    pub through: Phase,
    /// Milliseconds a retired dataset is kept before drop.
    pub retention_millis: i64,
    /// Its weight beside other runs where limits keep them waiting.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// Its cohorts, if not all tasks go at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Roots of the connections that locations are relative to: name → absolute path. Frozen with the plan, so that a
    /// run means the same places however long it takes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<String, String>,
    /// Commands of custom steps, and what their expressions need.
    #[serde(default, skip_serializing_if = "Custom::is_empty")]
    pub custom: Custom,
    /// Pairs that cannot be migrated, and why; the rest goes on without them.
    pub blocked: Vec<Blocked>,
    /// What the reader should know.
    pub warnings: Vec<Diagnostic>,
    /// Sums over the tasks.
    pub totals: Totals,
    /// Repositories whose code was looked at, as found; those in which rules have something to do have tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers: Option<ConsumerTotals>,
    /// What was found by converting samples, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<SampleTotals>,
}

/// A pair that cannot be migrated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// As the file has it.
    pub from: String,
    /// As the file has it.
    pub to: String,
    /// Why, each an error with a hint.
    pub reasons: Vec<Diagnostic>,
    /// The sample that showed it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}

/// Sums over samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SampleTotals {
    /// Most rows of one dataset that were asked for.
    pub rows_each: u64,
    /// Datasets of which a sample was had.
    pub datasets: u64,
    /// Their rows.
    pub rows: u64,
    /// Datasets of which nothing is to be said.
    pub fine: u64,
    /// Datasets that have warnings from their samples.
    pub warned: u64,
    /// Pairs that are blocked for what their samples showed.
    pub blocked: u64,
    /// Datasets of which none could be had.
    pub missing: u64,
    /// Datasets that have `diff` checks, which are not run on samples.
    #[serde(default, skip_serializing_if = "is_none")]
    pub not_compared: u64,
    /// Milliseconds that it took.
    pub millis: u64,
}

/// Sums over the code that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerTotals {
    /// Repositories.
    pub repositories: u64,
    /// Their files.
    pub seen: u64,
    /// Repositories by class.
    pub classes: BTreeMap<Class, u64>,
    /// Files by class, those that are unaffected left out.
    pub files: BTreeMap<Class, u64>,
    /// Places that rules rewrite.
    pub edits: u64,
    /// Scopes that read the datasets and in which rules have nothing to do, with the class of each: they stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<(String, Class)>,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Sums over tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Tasks of datasets.
    pub datasets: u64,
    /// Tasks of scopes.
    #[serde(default, skip_serializing_if = "is_none")]
    pub scopes: u64,
    /// Of which breaking for readers.
    pub breaking: u64,
    /// Pairs that cannot be migrated.
    pub blocked: u64,
    /// Steps to run.
    pub steps: u64,
    /// Rows to move, where known.
    pub rows: u64,
    /// Tasks whose rows are not known beforehand.
    pub rows_unknown: u64,
    /// Bytes to read.
    pub bytes: u64,
    /// Free bytes needed, largest file system first: device, needed, free.
    pub space: Vec<Space>,
    /// Expected milliseconds with the given parallelism.
    pub expected_millis: u64,
}

/// Free space of one file system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Space {
    /// Which.
    pub device: String,
    /// Bytes needed at the peak.
    pub needed: u64,
    /// Bytes free at the probe.
    pub free: u64,
}

/// The work on one subject.
///
/// While a plan is made, its subject is known to be a dataset; a frozen task has a [`Subject`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanTask<S = Subject> {
    /// Its id, see [`task_id`] and [`scope_id`].
    pub id: TaskId,
    /// Who answers for the subject.
    pub owner: Option<EntityRef>,
    /// What it is about.
    #[serde(flatten)]
    pub subject: S,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Tasks and phases that must be done first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<After>,
    /// Its cohort, by number.
    #[serde(default, skip_serializing_if = "is_first")]
    pub cohort: u32,
    /// When it may begin, and do what others see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Warnings that concern this task alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Diagnostic>,
}

/// What a task is about: one dataset, or the consumers of one repository that travel in one change request (a scope).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Subject {
    /// Code of a repository.
    Scope {
        /// What is done to it.
        scope: Box<ScopeWork>,
    },
    /// A dataset.
    Dataset(Box<DatasetWork>),
}

/// The work on one dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetWork {
    /// The old dataset as probed.
    pub source: Observed,
    /// The new dataset's reference.
    pub target: EntityRef,
    /// Where it goes.
    pub target_location: Location,
    /// How it is laid out.
    pub target_layout: Layout,
    /// The name by which code reaches it, if the file says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_table: Option<TableName>,
    /// Source column → target column.
    pub mapping: Mapping,
    /// What changes, for people: one line each, e.g. `~ uid → user_id  rename`.
    pub changes: Vec<Change>,
    /// Why readers of the old dataset break on the new one; empty means that they don't.
    pub breaking: Vec<String>,
    /// What lies downstream.
    pub impact: Impact,
    /// Checks on the new dataset, typed at plan time.
    pub checks: Vec<CheckSpec>,
    /// Other datasets that its `diff` checks compare with, by what they call them, as probed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<String, Observed>,
    /// How it is made from others, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<Box<Derived>>,
    /// How its runs take up what changed; none if it is moved once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increments: Option<Increments>,
    /// What a sample of it showed, if one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    /// What an undo does with rows that were written to the target since it was published; none in plans that were made
    /// before plans said it, whose new rows are not carried back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<NewRows>,
    /// The code that reads it, if the migration moves code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readers: Option<Box<Readers>>,
}

impl DatasetWork {
    /// Whether it goes on from what an earlier run has published, and moves only what changed since.
    pub fn goes_on(&self) -> bool {
        self.increments.as_ref().is_some_and(|increments| increments.base.is_some())
    }
}

/// Something a task may be about.
pub trait About {
    /// The dataset, if it is about one.
    fn dataset(&self) -> Option<&DatasetWork>;
}

impl About for DatasetWork {
    fn dataset(&self) -> Option<&DatasetWork> {
        Some(self)
    }
}

impl About for Subject {
    fn dataset(&self) -> Option<&DatasetWork> {
        match self {
            Self::Dataset(work) => Some(work),
            Self::Scope { .. } => None,
        }
    }
}

impl<S: About> PlanTask<S> {
    /// The work on a dataset, if that is its subject.
    pub fn dataset(&self) -> Option<&DatasetWork> {
        self.subject.dataset()
    }
}

impl PlanTask {
    /// The same, to change it.
    pub fn dataset_mut(&mut self) -> Option<&mut DatasetWork> {
        match &mut self.subject {
            Subject::Dataset(work) => Some(work),
            Subject::Scope { .. } => None,
        }
    }

    /// The work on code, if that is its subject.
    pub fn scope(&self) -> Option<&ScopeWork> {
        match &self.subject {
            Subject::Scope { scope } => Some(scope),
            Subject::Dataset(_) => None,
        }
    }
}

impl PlanTask<DatasetWork> {
    /// The task as a plan holds it.
    pub fn freeze(self) -> PlanTask {
        let subject = Subject::Dataset(Box::new(self.subject));
        let Self { id, owner, steps, after, cohort, window, warnings, .. } = self;
        PlanTask { id, owner, subject, steps, after, cohort, window, warnings }
    }
}

fn is_first(cohort: &u32) -> bool {
    *cohort == 0
}

/// A dependency on another task's phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// Which task.
    pub task: TaskId,
    /// Which of its phases must be done.
    pub phase: Phase,
}

/// One change of one column, as a plan shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What.
    pub symbol: ChangeSymbol,
    /// Column and words, e.g. `uid → user_id`.
    pub subject: String,
    /// E.g. `rename`, `int32 → int64, exact`, `dropped: unused since 2024`.
    pub detail: String,
}

/// One symbol a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeSymbol {
    /// `+`.
    Add,
    /// `~`.
    Change,
    /// `-`.
    Remove,
    /// `?`: needs a person's judgement.
    Judge,
}

/// The id of the task that makes a target: its name, with the namespace before it unless that is `default`
/// (`finance.orders_v2`). A name may hold dots too, so two targets can have one id; compiling blocks such pairs.
pub fn task_id(target: &EntityRef) -> TaskId {
    if target.namespace == "default" {
        TaskId::new(&target.name)
    } else {
        TaskId::new(format!("{}.{}", target.namespace, target.name))
    }
}
