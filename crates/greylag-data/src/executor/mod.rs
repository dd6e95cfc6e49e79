//! The steps of the data plane: expand, backfill, verify, publish, cutover, retire, drop, and their undo.
//!
//! # Terms and authorities
//!
//! The *plan* says what is to be; the *journal* which steps are done; the *ledger* (checkpoints) which chunks are. What
//! really stands on disk is asked of the disk: every step begins by probing for what an earlier attempt of it left. Names
//! are made from run and task, and what has been put somewhere is known again by device and inode, which a rename keeps.
//!
//! | step | effect | an earlier attempt is known by | undo |
//! |---|---|---|---|
//! | expand | a hidden, empty staging directory, unless a file may do | its name | remove it |
//! | survey | none | - | nothing |
//! | backfill | files in staging, settled | the ledger, and the files it names | remove them |
//! | verify | none | - | nothing |
//! | publish | one rename, staging → target | the target's inode is the staged one's | carry new rows back, then rename back |
//! | cutover | the compatibility view beside the old dataset | its bytes | remove it |
//! | retire | the old renamed to a hidden sibling, no permissions | the hidden name | rename back, permissions back |
//! | drop | the hidden sibling removed | nothing there | there is none |
//!
//! # Dying half-way
//!
//! Before publish everything happens in a hidden directory that the next attempt claims ([`crate::staging`]). Publish,
//! retire and their undo turn on one rename each. A step says that it is done only when what it did is on disk
//! ([`crate::durable`]).
//!
//! # The source
//!
//! Its files' identities (device, inode, size, time of change) are hashed when the backfill begins and compared when it
//! ends, when the target is verified and before it is published. A difference is a conflict and nothing is published: a
//! second attempt of the backfill starts over with the source as it is then.
//!
//! # Undo
//!
//! Undo gives back names, bytes, modes, owners and times of change of datasets. What others have changed since is kept and
//! named: rows that they added to the target are carried back into the source where the plan says so, other files of theirs
//! are moved aside, and where a target cannot be taken away without a loss it stays and undo says why
//! (`take_back`, `carry_back`). The time of change of the directory that *holds* the datasets is not restored: it
//! belongs to everything in it.

mod backfill;
mod carry_back;
mod changes;
mod cutover;
mod dataset;
mod derive;
mod diff_check;
mod expand;
mod generation;
mod increment;
mod observe;
mod publish;
mod retire;
mod survey;
mod take_back;
mod units;
mod verify;

mod drop;

use crate::convert::Limits;
use crate::durable::Disk;
use crate::io_error::io_error;
use crate::pool::CallLimits;
use crate::request::{Readers, Reply, Request};
use crate::seen::Seen;
use crate::staging::Staging;
pub(crate) use dataset::{Place, content_fingerprint};
pub use derive::ForWriter;
use greylag_driver::describe::Describe;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, Rehearsal, StepReport, StepRequest, dataset_of};
use greylag_model::code::data as code;
use greylag_model::dataset::Shape;
use greylag_model::id::RunId;
use greylag_model::increment::Base;
use greylag_model::plan::{DatasetWork, PlanHeader, PlanTask};
use greylag_model::spec::Misfit;
use greylag_model::task::{Direction, Phase};
pub use increment::Took;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the executors work with.
pub struct DataPlane {
    /// Changes of file systems.
    pub disk: Arc<dyn Disk>,
    /// Reader processes.
    pub readers: Arc<Readers>,
    /// Looks at datasets, to see whether they are still as planned.
    pub describe: Arc<dyn Describe>,
    /// Datasets that this process has looked at before it began.
    pub seen: Arc<Seen>,
    /// Directory for what a run leaves besides datasets: `<run>/<task>.rejected.jsonl`, `<run>/<task>.diff-<check>.jsonl`.
    pub artefacts: PathBuf,
    /// Directory where diffs keep what they have done so far.
    pub diffs: PathBuf,
    /// Names the start of the machine: another one after a power cut, the same as long as its memory lives.
    pub boot: String,
    /// How much at a time.
    pub options: Options,
}

/// How much at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// About how many bytes of a source a chunk has.
    pub chunk_bytes: u64,
    /// What a reader may take for one chunk.
    pub limits: Limits,
    /// Whether rejected rows show their values.
    pub rejected_with_values: bool,
    /// Rows of a dataset that the reference evaluator sees at most.
    pub sample_rows: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            chunk_bytes: 64 << 20,
            limits: Limits::default(),
            rejected_with_values: false,
            sample_rows: crate::verify::SAMPLE_ROWS,
        }
    }
}

impl DataPlane {
    /// Where a task's datasets lie: the old one, the new one, and what is staged for it, if anything is.
    pub fn places(request: &StepRequest<'_>) -> Result<(PathBuf, PathBuf, Option<PathBuf>), DriverError> {
        let work = request.dataset()?;
        let source = Place::of(&work.source.dataset.location, &request.header.connections)?;
        let target = Place::of(&work.target_location, &request.header.connections)?;
        let staged = Staging::newest(&target.path, request.run, request.task)
            .map_err(|error| io_error("look for what is staged beside", &target.path, &error))?;
        Ok((source.path, target.path, staged))
    }

    /// What attempts of a task have left in staging, with all epochs: nothing after a good end or an undo, chunks after an
    /// abort. Only for runs that nobody goes on with.
    pub fn leftovers(header: &PlanHeader, task: &PlanTask, run: &RunId) -> Result<Staging, DriverError> {
        let target = Place::of(&dataset_of(task)?.target_location, &header.connections)?;
        Ok(Staging::new(&target.path, run, &task.id, u64::MAX))
    }

    /// What attempts to take a task back have left beside the old dataset, with all epochs: rows that were to go back, and
    /// that the new dataset still has. Only for runs that nobody goes on with.
    pub fn left_by_undo(header: &PlanHeader, task: &PlanTask, run: &RunId) -> Result<Staging, DriverError> {
        let source = Place::of(&dataset_of(task)?.source.dataset.location, &header.connections)?.path;
        let source = std::fs::canonicalize(&source).unwrap_or(source);
        Ok(Staging::new(&source, run, &task.id, u64::MAX))
    }

    /// Whether the ledger of the task that left this output of `data/publish` needs none of the runs before it.
    pub fn ledger_is_whole(published: &serde_json::Value) -> bool {
        published.get("whole").and_then(serde_json::Value::as_bool).unwrap_or(false)
    }
}

/// All executors of the data plane.
pub fn executors(plane: &Arc<DataPlane>) -> Vec<Arc<dyn Executor>> {
    let step = |uses: &'static [&'static str], work: &'static dyn Work| -> Arc<dyn Executor> {
        Arc::new(DataStep { plane: Arc::clone(plane), uses, work })
    };
    vec![
        step(&["data/expand"], &expand::Expand),
        step(&["data/survey"], &survey::Find),
        step(&["data/backfill"], &backfill::Backfill),
        step(&["data/verify"], &verify::Verify),
        step(&["data/publish"], &publish::Publish),
        step(&["data/cutover"], &cutover::Cutover),
        step(&["data/retire"], &retire::Retire),
        step(&["data/drop"], &drop::Drop),
    ]
}

/// One kind of step.
trait Work: Send + Sync {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError>;
    /// Takes it back; says what is not as before because others changed it.
    fn undo(&self, job: &Job<'_>) -> Result<Vec<String>, DriverError>;
    /// What taking it back would do.
    fn rehearse(&self, job: &Job<'_>) -> Result<Rehearsal, DriverError>;
}

struct DataStep {
    plane: Arc<DataPlane>,
    uses: &'static [&'static str],
    work: &'static dyn Work,
}

impl Executor for DataStep {
    fn serves(&self) -> &'static [&'static str] {
        self.uses
    }

    fn start(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Outcome, DriverError> {
        let job = Job { plane: &self.plane, request, work: request.dataset()?, context };
        job.go_on()?;
        match request.direction {
            Direction::Forward => self.work.forward(&job).inspect_err(|error| job.clear_away(error)),
            Direction::Undo => {
                let notes = self.work.undo(&job)?;
                Ok(Outcome::Done(StepReport { notes, ..StepReport::default() }))
            }
        }
    }

    /// Only drop is ever pending, on nothing but time: starting it again looks at the clock again.
    fn poll(&self, request: &StepRequest<'_>, _: &str, context: &dyn Context) -> Result<Outcome, DriverError> {
        self.start(request, context)
    }

    fn cancel(&self, _: &StepRequest<'_>, _: &str, _: &dyn Context) -> Result<(), DriverError> {
        Ok(())
    }

    fn rehearse(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Rehearsal, DriverError> {
        self.work.rehearse(&Job { plane: &self.plane, request, work: request.dataset()?, context })
    }
}

/// One attempt.
struct Job<'a> {
    plane: &'a DataPlane,
    request: &'a StepRequest<'a>,
    work: &'a DatasetWork,
    context: &'a dyn Context,
}

impl Job<'_> {
    /// Where the old dataset lies.
    fn source(&self) -> Result<Place, DriverError> {
        Place::of(&self.work.source.dataset.location, &self.request.header.connections)
    }

    /// Where the new one goes.
    fn target(&self) -> Result<Place, DriverError> {
        Place::of(&self.work.target_location, &self.request.header.connections)
    }

    /// This attempt's staging directory.
    fn staging(&self) -> Result<Staging, DriverError> {
        let target = self.target()?.path;
        Ok(Staging::new(&target, self.request.run, self.request.task, self.request.epoch))
    }

    /// Removes what lies in staging after a failure that is not tried again: nothing half-done is left beside the
    /// datasets. A person's retry finds an empty place and starts over. What cannot be removed now goes with the undo.
    fn clear_away(&self, error: &DriverError) {
        let retry = &self.request.step.retry;
        let again = retry.on.contains(&error.class) && self.request.attempt < retry.attempts;
        let staged = self.request.step.phase < Phase::Publish;
        if again || !staged || self.context.cancelled() {
            return;
        }
        if let Ok(staging) = self.staging() {
            let _ = staging.remove_all(self.disk());
        }
    }

    /// What the task goes on from, if it does.
    fn base(&self) -> Option<&Base> {
        self.work.increments.as_ref()?.base.as_ref()
    }

    /// Whether rows may be set aside.
    fn rejects(&self) -> bool {
        self.work.mapping.columns.iter().any(|column| column.misfit == Misfit::Reject)
    }

    /// Whether nothing but one file has to be staged, if one unit makes it.
    fn is_one_file(&self) -> bool {
        let plan = self.work;
        plan.target_layout.shape == Shape::File && !self.rejects() && plan.derived.is_none()
    }

    fn disk(&self) -> &dyn Disk {
        self.plane.disk.as_ref()
    }

    /// Ends an attempt that is not wanted any more.
    fn go_on(&self) -> Result<(), DriverError> {
        if self.context.cancelled() {
            return Err(DriverError::transient(code::CANCELLED, "the work was ended on request"));
        }
        Ok(())
    }

    /// A place where a test rig may stop the attempt or fill the disk.
    fn fault(&self, point: &str, path: &Path) -> Result<(), DriverError> {
        self.context.fault(point).map_err(|error| io_error("write", path, &error))
    }

    fn call(&self, request: &Request) -> Result<Reply, DriverError> {
        let cancelled = || self.context.cancelled();
        self.plane.readers.call_within(request, &CallLimits { timeout: None, cancelled: Some(&cancelled) })
    }

    /// What an earlier step of the task left.
    fn output<T: DeserializeOwned>(&self, uses: &str) -> Result<Option<T>, DriverError> {
        let Some(value) = self.context.output_of(uses)? else { return Ok(None) };
        T::deserialize(&*value).map(Some).map_err(|_| crate::error::lost(&format!("what `{uses}` wrote down")))
    }

    fn output_needed<T: DeserializeOwned>(&self, uses: &str) -> Result<T, DriverError> {
        self.output(uses)?.ok_or_else(|| crate::error::lost(&format!("what `{uses}` wrote down")))
    }
}

/// A step that is done.
fn done(report: StepReport) -> Outcome {
    Outcome::Done(report)
}

/// A value as a step's output.
fn output(value: &impl Serialize) -> Result<serde_json::Value, DriverError> {
    serde_json::to_value(value)
        .map_err(|error| DriverError::permanent(code::INCONSISTENT, format!("an output has no text form: {error}")))
}

/// Says what failed on which path.
trait OnPath<T> {
    fn on(self, action: &str, path: &Path) -> Result<T, DriverError>;
}

impl<T> OnPath<T> for io::Result<T> {
    fn on(self, action: &str, path: &Path) -> Result<T, DriverError> {
        self.map_err(|error| io_error(action, path, &error))
    }
}
