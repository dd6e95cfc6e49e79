//! Scopes: the consumers of one repository that travel in one change request.
//!
//! What a look at a repository found is part of the snapshot, a value like all else that was probed; compiling makes of it
//! a task that begins when every dataset which its code reads is published, in the last cohort of those datasets. So a
//! repository that reads several cohorts gets one change request, once. A policy may cut a repository into several scopes, each with
//! a name of its own ([`ScopeName`]), a task and a change request; which file belongs to which is found by the look.
//!
//! Which datasets the code of a scope makes of which is found as well: a circle within one scope is one atomic change, and one through
//! several an error ([`super::circle`]).
//!
//! **Invariant:** the edits themselves are no part of a plan: they are made again, from the commit that the base branch has
//! when the step runs, by the same rules and the same changes, and which of them belong to the scope is found the same way. A plan
//! holds what was decided: the classes, and why.

use super::steps::TIMEOUT_MILLIS;
use super::{After, ConsumerTotals, PlanTask, Subject};
use crate::code;
use crate::consumer::{Class, TableChange};
use crate::dataset::{Layout, Location};
use crate::diagnostic::Diagnostic;
use crate::entity::EntityRef;
use crate::id::TaskId;
use crate::mapping::Mapping;
use crate::rollout::Rollout;
use crate::snapshot::{Observed, Snapshot};
use crate::spec::{ConsumersSpec, Metadata, Migration};
use crate::task::{Phase, Retry, Step};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The steps of a scope, in order.
const STEPS: [(&str, Phase); 4] = [
    ("code/rewrite", Phase::Rewrite),
    ("code/prove", Phase::Prove),
    ("code/propose", Phase::Propose),
    ("code/merge", Phase::Merge),
];
/// The step of a dataset that waits for the code that reads it.
pub(crate) const AWAIT: &str = "code/await";
/// How long a change request may stay open: owners have weeks. Ninety days.
const MERGE_MILLIS: i64 = 90 * 86_400_000;

/// What was found in a repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeObserved {
    /// Its name on the forge.
    pub repository: String,
    /// Which part of it, if the policy cuts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The branch that was looked at, into which changes go.
    pub base: String,
    /// Its commit.
    pub commit: String,
    /// Who answers for it, if anybody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<EntityRef>,
    /// Files that were looked at.
    pub seen: u64,
    /// Files that are not unaffected, by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileClass>,
    /// Old datasets that it names, as the catalog calls them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<String>,
    /// Which changed datasets its code makes of which others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<Flow>,
    /// What is to be known of how its repository was cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What its owner had better say of how it is read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Diagnostic>,
}

/// Code makes one dataset of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flow {
    /// What is read, as the catalog calls it.
    pub from: String,
    /// What is written.
    pub to: String,
}

/// What tells a scope from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct ScopeName {
    /// The repository on the forge.
    pub repository: String,
    /// Which part of it; none if it is the whole.
    pub part: Option<String>,
}

/// A scope's name as a plan has it: a text, unless it is a part.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Whole(String),
    Part { repository: String, part: String },
}

impl From<Written> for ScopeName {
    fn from(written: Written) -> Self {
        match written {
            Written::Whole(repository) => Self { repository, part: None },
            Written::Part { repository, part } => Self { repository, part: Some(part) },
        }
    }
}

impl From<ScopeName> for Written {
    fn from(name: ScopeName) -> Self {
        match name.part {
            None => Self::Whole(name.repository),
            Some(part) => Self::Part { repository: name.repository, part },
        }
    }
}

/// `REPOSITORY`, or `REPOSITORY:PART`. No repository's name has a colon.
impl fmt::Display for ScopeName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            None => out.write_str(&self.repository),
            Some(part) => write!(out, "{}:{part}", self.repository),
        }
    }
}

/// What was found of code.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeObserved {
    /// What the migration changes for code, a dataset each; those that cannot be migrated left out.
    pub changes: Vec<TableChange>,
    /// How the rows of each are converted, in the same order.
    pub mappings: Vec<Mapping>,
    /// Repositories by name, and their parts, also those in which nothing is to be done.
    pub scopes: Vec<ScopeObserved>,
}

/// What becomes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileClass {
    /// Its path in the repository.
    pub path: String,
    /// Its class.
    pub class: Class,
    /// Places that rules rewrite.
    pub edits: u64,
    /// Why it is not of an easier class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

impl ScopeObserved {
    /// What tells it from others.
    pub fn name(&self) -> ScopeName {
        ScopeName { repository: self.repository.clone(), part: self.part.clone() }
    }

    /// What whoever reads the plan should know of it.
    fn warnings(&self) -> Vec<Diagnostic> {
        let cut = self.notes.iter().map(|note| Diagnostic::warning(code::plan::SCOPE_CUT, note));
        cut.chain(self.told.iter().cloned()).collect()
    }

    /// What becomes of its code: what its most difficult file needs.
    pub fn class(&self) -> Class {
        self.files.iter().map(|file| file.class).max().unwrap_or(Class::Unaffected)
    }

    /// Whether rules have anything to do.
    pub fn has_edits(&self) -> bool {
        self.files.iter().any(|file| file.edits > 0)
    }
}

/// The work on the code of one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeWork {
    /// The migration, as owners read of it.
    pub about: Metadata,
    /// What was found.
    pub found: ScopeObserved,
    /// What changes for its code; of a part, all that changes for the code of its repository, since what belongs to the part is found
    /// with that.
    pub changes: Vec<TableChange>,
    /// How the rows of each dataset are converted, in the same order: what a proof holds the code against.
    pub mappings: Vec<Mapping>,
    /// Where the old datasets' rows are, by dataset, so that proofs can try some of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, Source>,
    /// How it is rewritten, and who merges.
    pub policy: ConsumersSpec,
}

/// Where rows are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Where the dataset lies.
    pub location: Location,
    /// How it is laid out.
    pub layout: Layout,
}

/// What a dataset's last phases must know of its readers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Readers {
    /// What the migration changes for them.
    pub change: TableChange,
    /// Repositories that are looked at again before the old dataset goes: patterns of names.
    pub repositories: Vec<String>,
    /// Scopes with change requests of this run, whose end cutover waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<ScopeName>,
    /// Whether one of those goes with a later cohort than the dataset.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub later: bool,
}

impl PlanTask {
    /// Whether its old dataset is read by code that goes with a later cohort, for which it waits before its cutover.
    pub(crate) fn waits_for_later_readers(&self) -> bool {
        self.dataset().and_then(|work| work.readers.as_deref()).is_some_and(|readers| readers.later)
    }
}

/// The id of the task that moves the code of a scope. No dataset's name has a colon.
pub fn scope_id(scope: &ScopeName) -> TaskId {
    TaskId::new(format!("code:{scope}"))
}

/// Appends the tasks of the scopes to those of the datasets, counts them in their cohorts, and gives the datasets what
/// their last phases need; answers what the code comes to. Nothing where the migration does not speak of code.
pub(super) fn join(
    migration: &Migration,
    snapshot: &Snapshot,
    retry: &Retry,
    tasks: &mut Vec<PlanTask>,
    rollout: Option<&mut Rollout>,
) -> Option<ConsumerTotals> {
    let (policy, found) = (migration.spec.consumers.as_ref()?, snapshot.code.as_ref()?);
    let scopes = self::tasks(&migration.metadata, found, policy, tasks, retry);
    if let Some(rollout) = rollout {
        for scope in &scopes {
            if let Some(cohort) = rollout.cohorts.get_mut(scope.cohort as usize) {
                cohort.tasks += 1;
            }
        }
    }
    let changes: BTreeMap<&str, &TableChange> =
        found.changes.iter().map(|change| (change.dataset.as_str(), change)).collect();
    for task in tasks.iter_mut() {
        let cohort = task.cohort;
        let Some(work) = task.dataset_mut() else { continue };
        let name = work.source.dataset.entity.short();
        if let Some(change) = changes.get(name.as_str()) {
            let reading = || reading(&scopes, &name);
            let later = reading().any(|scope| scope.cohort > cohort);
            let scopes = reading().filter_map(PlanTask::scope).map(|scope| scope.found.name()).collect();
            let readers = Readers { change: (*change).clone(), repositories: policy.patterns(), scopes, later };
            let is_read = !readers.scopes.is_empty();
            work.readers = Some(Box::new(readers));
            guard(&mut task.steps);
            // The catalog knew of nobody who reads it; the code does.
            task.warnings.retain(|warning| !is_read || warning.code != code::plan::NO_KNOWN_CONSUMERS);
        }
    }
    let totals = totals(found, &scopes);
    tasks.extend(scopes);
    Some(totals)
}

/// Puts in steps that look at code, before those after which old names mean something else or nothing. They are there
/// whoever reads the dataset, so that a task that is planned anew has the steps that it had.
fn guard(steps: &mut Vec<Step>) {
    for (before, uses) in [("data/cutover", AWAIT), ("data/retire", "code/readers")] {
        let Some(at) = steps.iter().position(|step| step.uses == before) else { continue };
        let timeout_millis = if uses == AWAIT { MERGE_MILLIS } else { TIMEOUT_MILLIS };
        let step = Step { uses: uses.to_owned(), approval: false, timeout_millis, inserted: None, ..steps[at].clone() };
        steps.insert(at, step);
    }
}

/// Tasks of scopes that read a dataset.
fn reading<'a>(scopes: &'a [PlanTask], dataset: &str) -> impl Iterator<Item = &'a PlanTask> {
    let reads = move |scope: &ScopeWork| scope.found.datasets.iter().any(|known| known == dataset);
    scopes.iter().filter(move |task| task.scope().is_some_and(&reads))
}

fn totals(code: &CodeObserved, tasks: &[PlanTask]) -> ConsumerTotals {
    let mut totals = ConsumerTotals::default();
    let moved: BTreeSet<ScopeName> = tasks.iter().filter_map(PlanTask::scope).map(|scope| scope.found.name()).collect();
    // A repository with several parts was looked at once.
    let mut repositories: BTreeMap<&str, (u64, Class)> = BTreeMap::new();
    for scope in &code.scopes {
        let class = scope.class();
        let whole = repositories.entry(&scope.repository).or_insert((scope.seen, class));
        *whole = (whole.0.max(scope.seen), whole.1.max(class));
        for file in &scope.files {
            *totals.files.entry(file.class).or_default() += 1;
            totals.edits += file.edits;
        }
        if class != Class::Unaffected && !moved.contains(&scope.name()) {
            totals.left.push((scope.name().to_string(), class));
        }
    }
    totals.repositories = repositories.len() as u64;
    for (seen, class) in repositories.into_values() {
        totals.seen += seen;
        *totals.classes.entry(class).or_default() += 1;
    }
    totals
}

/// Makes tasks of what was found, each after the tasks of the datasets that it names. Those in which rules have nothing to
/// do, or whose datasets are not migrated, make none.
fn tasks(
    about: &Metadata,
    observed: &CodeObserved,
    policy: &ConsumersSpec,
    datasets: &[PlanTask],
    retry: &Retry,
) -> Vec<PlanTask> {
    let mut by_source: BTreeMap<String, Vec<&PlanTask>> = BTreeMap::new();
    for task in datasets {
        if let Some(work) = task.dataset() {
            by_source.entry(work.source.dataset.entity.short()).or_default().push(task);
        }
    }
    let mut met: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
    for scope in &observed.scopes {
        met.entry(&scope.repository).or_default().extend(&scope.datasets);
    }
    let task = |found: &ScopeObserved| {
        let met = met.get(found.repository.as_str())?;
        let upstream = || found.datasets.iter().filter_map(|name| by_source.get(name)).flatten();
        let after: Vec<After> = upstream().map(|task| After { task: task.id.clone(), phase: Phase::Publish }).collect();
        if after.is_empty() {
            return None;
        }
        let all = observed.changes.iter().zip(&observed.mappings);
        let (changes, mappings) = all
            .filter(|(change, _)| met.contains(&change.dataset) && by_source.contains_key(&change.dataset))
            .map(|(change, mapping)| (change.clone(), mapping.clone()))
            .unzip();
        let sources = upstream().filter_map(|task| task.dataset()).map(|work| source(&work.source)).collect();
        let (about, policy) = (about.clone(), policy.clone());
        let scope = ScopeWork { about, found: found.clone(), changes, mappings, sources, policy };
        Some(PlanTask {
            id: scope_id(&found.name()),
            owner: found.owner.clone(),
            steps: steps(retry),
            cohort: upstream().map(|task| task.cohort).max().unwrap_or_default(),
            subject: Subject::Scope { scope: Box::new(scope) },
            after,
            window: None,
            warnings: found.warnings(),
        })
    };
    observed.scopes.iter().filter(|found| found.has_edits()).filter_map(task).collect()
}

/// Where the rows of a dataset are, by its name.
fn source(observed: &Observed) -> (String, Source) {
    let dataset = &observed.dataset;
    (dataset.entity.short(), Source { location: dataset.location.clone(), layout: observed.layout.clone() })
}

fn steps(retry: &Retry) -> Vec<Step> {
    let step = |(uses, phase): &(&str, Phase)| Step {
        uses: (*uses).to_owned(),
        phase: *phase,
        approval: false,
        retry: retry.clone(),
        timeout_millis: if *phase == Phase::Merge { MERGE_MILLIS } else { TIMEOUT_MILLIS },
        inserted: None,
    };
    STEPS.iter().map(step).collect()
}
