//! What may go, as a list in the order in which it goes.

use super::Gc;
use crate::context::Context;
use crate::failure::Failure;
use crate::{follow, show, wire};
use greylag_driver::journal::{Journal, RunRecord, TaskFilter};
use greylag_model::code;
use greylag_model::id::{PlanId, RunId, Timestamp};
use greylag_model::task::{Direction, Phase, RunState, TaskState, undo_steps};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Tasks are looked at in pages of this size.
const PAGE: usize = 1_000;
/// More runs or plans than anybody has.
const ALL: usize = 1_000_000;

/// One thing that goes.
#[derive(Serialize)]
pub(super) struct Found {
    pub(super) kind: Kind,
    /// Its id or path.
    pub(super) name: String,
    /// About how many bytes it takes.
    pub(super) bytes: u64,
    pub(super) why: &'static str,
    /// Whether something can be undone only as long as it is there.
    pub(super) undoable: bool,
}

/// What kind of thing.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Run,
    Plan,
    Rejected,
    Logs,
    Staging,
    Scratch,
    Scan,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Plan => "plan",
            Self::Rejected => "rejected",
            Self::Logs => "logs",
            Self::Staging => "staging",
            Self::Scratch => "scratch",
            Self::Scan => "scan",
        }
    }
}

/// Old runs that are kept.
#[derive(Clone, Copy, Default)]
pub(super) struct Kept {
    /// Because they could be undone.
    pub(super) undo: usize,
    /// Because a later run that stays goes on from what they published.
    pub(super) base: usize,
}

/// What goes, and what is kept though it is old.
pub(super) fn collect(context: &Context, asked: &Gc, before: Timestamp) -> Result<(Vec<Found>, Kept), Failure> {
    let state = context.state()?;
    let (journal, prune) = (state.journal.as_ref(), state.prune.as_ref());
    let runs = journal.runs(ALL)?;
    let mut found = Vec::new();
    let mut gone: BTreeSet<&RunId> = BTreeSet::new();
    let mut kept = Kept::default();
    // Runs go on from older ones, and the newest come first: so all that needs a run is known when its turn comes.
    let mut bases: BTreeSet<RunId> = BTreeSet::new();
    for run in runs.iter().filter(|_| asked.runs) {
        let old = run.updated_at < before && follow::ended(run) && !show::driven(run);
        let undoable = old && can_be_undone(journal, run)?;
        let stays = !old || bases.contains(&run.id) || undoable && !asked.undoable;
        if stays {
            let needed = bases.contains(&run.id);
            kept.base += usize::from(old && needed);
            kept.undo += usize::from(undoable && !needed);
            bases_of(journal, run, &mut bases)?;
            continue;
        }
        leftovers(journal, run, undoable, &mut found)?;
        let why = match (undoable, run.row.state) {
            (true, _) => "ended long ago; it could still be undone",
            (false, RunState::Undone) => "was undone",
            (false, _) => "ended long ago, with nothing to undo",
        };
        let bytes = prune.run_bytes(&run.id)?;
        found.push(Found { kind: Kind::Run, name: run.id.to_string(), bytes, why, undoable });
        gone.insert(&run.id);
    }
    for run in runs.iter().filter(|run| !gone.contains(&run.id) && run.row.state.has_ended() && !show::driven(run)) {
        unpublished(journal, run, &mut found)?;
    }
    let home = context.home()?;
    of_runs(&home.rejected(), (Kind::Rejected, REJECTED), &runs, &gone, &mut found)?;
    of_runs(&home.steps(), (Kind::Logs, LOGS), &runs, &gone, &mut found)?;
    for path in wire::abandoned_scratch(&context.home()?)? {
        let (bytes, name) = (size(&path), path.display().to_string());
        let why = "samples of a process that was ended";
        found.push(Found { kind: Kind::Scratch, name, bytes, why, undoable: false });
    }
    scans(&home.scans(), before, &mut found)?;
    if asked.plans {
        let used: BTreeSet<&PlanId> = runs.iter().filter(|run| !gone.contains(&run.id)).map(|run| &run.plan).collect();
        for plan in journal.plans(ALL)?.iter().filter(|plan| plan.taken_at < before && !used.contains(&plan.id)) {
            let bytes = prune.plan_bytes(&plan.id)?;
            let why = "no run executes it";
            found.push(Found { kind: Kind::Plan, name: plan.id.to_string(), bytes, why, undoable: false });
        }
    }
    Ok((found, kept))
}

/// What was found in repositories that nobody asked for since: the next scan finds it anew.
fn scans(folder: &Path, before: Timestamp, found: &mut Vec<Found>) -> Result<(), Failure> {
    for (path, metadata) in files(folder)? {
        let used = metadata.modified().ok().and_then(|used| used.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        if i64::try_from(used.as_millis()).is_ok_and(|used| used < before.0) {
            let (bytes, name) = (metadata.len(), path.display().to_string());
            let why = "found in a repository that nobody asked about since";
            found.push(Found { kind: Kind::Scan, name, bytes, why, undoable: false });
        }
    }
    Ok(())
}

/// The files of a folder in order; none if there is no such folder.
fn files(folder: &Path) -> Result<Vec<(PathBuf, fs::Metadata)>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", folder.display()))
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let files = entries.flatten().filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)));
    let mut files: Vec<(PathBuf, fs::Metadata)> = files.filter(|(_, metadata)| metadata.is_file()).collect();
    files.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(files)
}

/// Whether an undo would have anything to do.
fn can_be_undone(journal: &dyn Journal, run: &RunRecord) -> Result<bool, Failure> {
    if run.counters.undone == run.counters.total() {
        return Ok(false);
    }
    let mut from = 0;
    loop {
        let rows = journal.tasks(&run.id, &TaskFilter::default(), from, PAGE)?;
        let plans = journal.plan_tasks(&run.plan, from, PAGE)?;
        let Some(last) = rows.last() else { return Ok(false) };
        from = last.ordinal + 1;
        let steps = rows.iter().zip(&plans).map(|(task, plan)| undo_steps(&task.row, &plan.steps));
        if steps.flatten().any(|mut steps| steps.next().is_some()) {
            return Ok(true);
        }
    }
}

/// What tasks that failed before they were published have left in staging, in a run that has ended: kept so far for a
/// look, and made anew by a retry. Chunks of an aborted run are worth keeping, they stay as long as the run is known.
fn unpublished(journal: &dyn Journal, run: &RunRecord, found: &mut Vec<Found>) -> Result<(), Failure> {
    if run.counters.bad() == 0 {
        return Ok(());
    }
    let Some(header) = journal.plan(&run.plan)? else { return Ok(()) };
    let states = vec![TaskState::Failed, TaskState::Quarantined];
    let filter = TaskFilter { states, id: None };
    let mut from = 0;
    loop {
        let page = journal.tasks(&run.id, &filter, from, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        from = last.ordinal + 1;
        let ordinals: Vec<u64> = page.iter().map(|task| task.ordinal).collect();
        for task in journal.load(&run.id, &ordinals)? {
            let step = task.plan.steps.get(task.row.step as usize);
            if step.is_none_or(|step| step.phase > Phase::Publish) {
                continue;
            }
            for path in wire::leftovers(&header, &task.plan, &run.id)? {
                found.push(Found {
                    kind: Kind::Staging,
                    bytes: size(&path),
                    name: path.display().to_string(),
                    why: "failed, so not published, in a run that has ended",
                    undoable: false,
                });
            }
        }
    }
}

/// Adds the runs that tasks of a run go on from: those whose ledgers it needs, or would need if it were tried again.
fn bases_of(journal: &dyn Journal, run: &RunRecord, bases: &mut BTreeSet<RunId>) -> Result<(), Failure> {
    let mut from = 0;
    loop {
        let plans = journal.plan_tasks(&run.plan, from, PAGE)?;
        // All datasets of a migration have increments, or none has.
        if plans.first().and_then(|task| task.dataset()).is_none_or(|work| work.increments.is_none()) {
            return Ok(());
        }
        let rows = journal.tasks(&run.id, &TaskFilter::default(), from, plans.len())?;
        from += plans.len() as u64;
        for (row, task) in rows.iter().zip(plans).filter(|(row, _)| row.row.state != TaskState::Undone) {
            let base = task.dataset().and_then(|work| work.increments.as_ref()?.base.clone());
            let Some(base) = base.filter(|base| !bases.contains(&base.run)) else { continue };
            if !wire::ledger_is_whole(journal, &run.id, row.ordinal)? {
                bases.insert(base.run);
            }
        }
    }
}

/// What the tasks of a run that is removed have left beside their datasets.
fn leftovers(journal: &dyn Journal, run: &RunRecord, undoable: bool, found: &mut Vec<Found>) -> Result<(), Failure> {
    let Some(header) = journal.plan(&run.plan)? else { return Ok(()) };
    let mut add = |path: &Path, why: &'static str| {
        let (bytes, name) = (size(path), path.display().to_string());
        found.push(Found { kind: Kind::Staging, bytes, name, why, undoable: false });
    };
    let mut from = 0;
    loop {
        let plans = journal.plan_tasks(&run.plan, from, PAGE)?;
        if plans.is_empty() {
            return Ok(());
        }
        let rows = journal.tasks(&run.id, &TaskFilter::default(), from, plans.len())?;
        from += plans.len() as u64;
        for (row, task) in rows.iter().zip(&plans) {
            // What an undo has begun to take away lies in staging with all that others have put into it.
            let taken_back = row.row.direction == Direction::Undo && row.row.state != TaskState::Undone;
            if undoable && !taken_back {
                for path in wire::leftovers(&header, task, &run.id)? {
                    add(&path, "chunks of a run that is removed");
                }
            }
            if taken_back {
                for path in wire::left_by_undo(&header, task, &run.id)? {
                    add(&path, "rows on their way back, of a run that is removed");
                }
            }
            if let Some(path) = wire::generation_before(&header, task, &run.id)? {
                add(&path, "what an increment replaced, of a run that is removed");
            }
        }
    }
}

/// What rejected rows and logs are called whose run is not known, is removed, or was undone.
const REJECTED: [&str; 3] = [
    "rejected rows of a run that is not known",
    "rejected rows of a run that is removed",
    "rejected rows of a run that was undone",
];
const LOGS: [&str; 3] = [
    "logs of custom steps of a run that is not known",
    "logs of custom steps of a run that is removed",
    "logs of custom steps of a run that was undone",
];
/// Beside the logs of custom steps: copies of scripts that run just now, which go with their attempts.
const RUNNING: &str = "running";

/// Folders named after runs that were undone, are removed, or are not known.
fn of_runs(
    parent: &Path,
    (kind, words): (Kind, [&'static str; 3]),
    runs: &[RunRecord],
    gone: &BTreeSet<&RunId>,
    found: &mut Vec<Found>,
) -> Result<(), Failure> {
    for folder in folders(parent)? {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let [unknown, removed, undone] = words;
        let why = match runs.iter().find(|run| run.id.as_str() == name) {
            None if kind == Kind::Logs && name == RUNNING => continue,
            None => unknown,
            Some(run) if gone.contains(&run.id) => removed,
            Some(run) if run.row.state == RunState::Undone => undone,
            Some(_) => continue,
        };
        found.push(Found { kind, bytes: size(&folder), name: folder.display().to_string(), why, undoable: false });
    }
    Ok(())
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>, Failure> {
    match fs::read_dir(parent) {
        Ok(entries) => {
            let mut folders: Vec<PathBuf> =
                entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
            folders.sort();
            Ok(folders)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => {
            Err(Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", parent.display())))
        }
    }
}

fn size(folder: &Path) -> u64 {
    if let Ok(metadata) = fs::symlink_metadata(folder)
        && metadata.is_file()
    {
        return metadata.len();
    }
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
