//! `data/publish` of an increment: the generation that a run made takes the place of the one before it, whole.
//!
//! # How
//!
//! ```text
//! target/                     .target.greylag-RUN-TASK.e3/data/
//!   a   b   c                   b'  d                            staged: what was converted (b anew, d is new)
//!   a   b   c                   a   b'  c  d                     1. what stays is linked beside it
//!   a   b'  c  d                a   b   c                        2. one exchange of the two names
//!                             .target.greylag-RUN-TASK.before/
//!   a   b'  c  d                b                                3. what is in both goes from the old one
//! ```
//!
//! The exchange (`renameat2` with `RENAME_EXCHANGE`) is atomic: who lists the target finds one generation or the other. A
//! reader that has listed the old one and opens files by their paths finds those that stayed, and those that were written
//! again as they are now. What is kept for the way back takes the room of the files that went; links take none.
//!
//! # Dying half-way
//!
//! Which of the two stands at the target is asked of its inode, which was noted before the exchange. Links that are there
//! already are not made again; what is removed twice was removed once.
//!
//! # Others
//!
//! The target must be exactly what the ledger of the base lists, to the size and the time of change of each file. A file that
//! somebody else put there, changed or removed is named, and nothing is done: a generation without it would lose it in
//! silence. What comes between that look and the exchange is found where the old generation lies then, and moved over to
//! the new one under its own name; so the next run names it.
//!
//! # Undo
//!
//! The same backwards: what stayed is linked into the old generation again, the two are exchanged, and the newer one goes. Files
//! that others have put into the target meanwhile stay in it and are named; one that this run had made and somebody has
//! written to since is refused, since it would go. Here, too, what comes between the look and the exchange is moved over.
//!
//! # Modes
//!
//! Directories have the modes of the source's, which may keep their owner from changing what they hold. What lies out of
//! sight is opened to its owner before it is changed; what is at the target has its mode again in the end.

use super::backfill::Backfilled;
use super::changes::{Mark, named};
use super::dataset::Access;
use super::increment::{Known, Ledger};
use super::publish::{finish_manners, is_ours};
use super::{Job, OnPath, output};
use crate::durable::{Identity, open_up, parent, remove, walk};
use crate::error::{lost, not_the_base, source_changed, target_changed, target_replaced};
use crate::staging::Staging;
use greylag_driver::error::DriverError;
use greylag_driver::executor::Rehearsal;
use greylag_model::increment::Base;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Key of the note of what stood at the target.
const NOTE: &str = "generation";

/// What stood at the target before the exchange.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Before {
    old: Identity,
}

/// Puts the staged generation in the place of the base's, if it changes anything.
pub(super) fn publish(job: &Job<'_>, base: &Base, backfilled: &Backfilled) -> Result<(), DriverError> {
    let target = job.target()?.path;
    let staging = job.staging()?;
    let staged = staging.take(job.disk()).on("claim", &staging.path())?;
    let known = Ledger::of(job, Some(base))?;
    let listed = known.target_files();
    if !is_ours(&target, backfilled)? {
        let increment = backfilled.increment.clone().unwrap_or_default();
        if increment.is_empty() {
            // Nobody needs what is staged: an earlier attempt may have removed it and died.
            as_listed(&target, &listed)?;
            return staging.remove(job.disk()).on("remove", &staging.path());
        }
        let data = staging.data();
        if !staged || Identity::probe(&data).on("read", &data)?.is_none() {
            return Err(backfilled.lost(job, "what was verified"));
        }
        let source = job.source()?.path;
        if backfilled.source_now(&source)? != backfilled.source {
            return Err(source_changed(&source));
        }
        if backfilled.staged_now(&data)? != backfilled.content {
            return Err(backfilled.lost(job, "what was verified"));
        }
        as_listed(&target, &listed)?;
        let replaced: BTreeSet<&String> = increment.taken.iter().chain(&increment.gone).collect();
        let stays = known.files.iter().filter(|(relative, _)| !replaced.contains(relative));
        let stays = stays.flat_map(|(_, converted)| &converted.files).map(|file| file.relative.as_str());
        job.fault("write", &data)?;
        link(job, &target, &data, stays)?;
        exchange(job, &data, &target)?;
    }
    job.fault("in-effect", &target)?;
    keep_old(job, &staging, &target)?;
    bring_over(job, &staging.before(), &target, &|name, _| listed.contains_key(name))?;
    give_access(job, &target, backfilled)
}

/// Where the generations of a task are.
struct Standing<'a> {
    job: &'a Job<'a>,
    backfilled: Backfilled,
    target: PathBuf,
    before: PathBuf,
    /// What stood at the target before the exchange.
    old: Identity,
}

impl<'a> Standing<'a> {
    /// None if nothing was exchanged.
    fn of(job: &'a Job<'a>) -> Result<Option<Self>, DriverError> {
        let Some(backfilled) = job.output::<Backfilled>("data/backfill")? else { return Ok(None) };
        let noted = job.context.noted_forwards()?.into_iter().find(|(key, _)| key == NOTE);
        let noted = noted.and_then(|(_, value)| serde_json::from_value::<Before>(value).ok());
        let Some(Before { old }) = noted else { return Ok(None) };
        let (target, before) = (job.target()?.path, job.staging()?.before());
        Ok(Some(Self { job, backfilled, target, before, old }))
    }

    /// Whether the generation of this run stands at the target; fails if neither it nor the one before it does.
    fn is_ours(&self) -> Result<bool, DriverError> {
        if is_ours(&self.target, &self.backfilled)? {
            return Ok(true);
        }
        match Identity::probe(&self.target).on("read", &self.target)? {
            Some(there) if there.same_place(&self.old) => Ok(false),
            _ => Err(target_replaced(&self.target, self.job.request.run)),
        }
    }

    /// The files that stay at the target: all but those that this run made. Fails if somebody has written to one of those,
    /// or has put one where the old generation has its own.
    fn stays(&self) -> Result<Vec<String>, DriverError> {
        let made = self.made();
        let (mut stays, mut changed) = (Vec::new(), Vec::new());
        for (path, metadata) in walk(&self.target).on("list", &self.target)? {
            if metadata.is_dir() {
                continue;
            }
            let name = path.strip_prefix(&self.target).unwrap_or(&path).display().to_string();
            let identity = Identity::of(&metadata);
            match made.get(name.as_str()) {
                Some(mark) if **mark == Mark::of(&identity) => {}
                Some(_) => changed.push(name),
                None => {
                    let old = self.before.join(&name);
                    match Identity::probe(&old).on("read", &old)? {
                        Some(old) if !old.same_place(&identity) => changed.push(name),
                        _ => stays.push(name),
                    }
                }
            }
        }
        if changed.is_empty() {
            return Ok(stays);
        }
        let words = format!("{} are changed ({})", changed.len(), named(&changed));
        let why = "taking the run back would lose what was written to them";
        Err(target_changed(&self.target, &words, why, self.job.request.run))
    }

    /// Gives what others have written since the look at the target to the old generation, before the newer one goes.
    fn save_others(&self) -> Result<(), DriverError> {
        let made = self.made();
        let ours = |name: &str, now: &Identity| made.get(name).is_some_and(|mark| **mark == Mark::of(now));
        let left = bring_over(self.job, &self.before, &self.target, &ours)?;
        if left.is_empty() {
            return Ok(());
        }
        let words = format!("{} were written to meanwhile ({})", left.len(), named(&left));
        let why = format!("they are in `{}` now and would be lost", self.before.display());
        Err(target_changed(&self.target, &words, &why, self.job.request.run))
    }

    /// The files that this run made, by name.
    fn made(&self) -> BTreeMap<&str, &Mark> {
        let marks = self.backfilled.files.iter().zip(&self.backfilled.marks);
        marks.map(|(file, mark)| (file.relative.as_str(), mark)).collect()
    }

    /// What others have put into the target.
    fn strangers(&self, stays: &[String]) -> Result<Vec<String>, DriverError> {
        let Some(base) = self.job.base() else { return Ok(Vec::new()) };
        let known = Ledger::of(self.job, Some(base))?.target_files();
        Ok(stays.iter().filter(|name| !known.contains_key(*name)).cloned().collect())
    }
}

/// `2 files of others stay in …`.
fn stay_words(strangers: &[String], target: &Path) -> Option<String> {
    let (noun, verb) = if strangers.len() == 1 { ("file", "stays") } else { ("files", "stay") };
    let words =
        || format!("{} {noun} of others ({}) {verb} in `{}`", strangers.len(), named(strangers), target.display());
    (!strangers.is_empty()).then(words)
}

/// Brings the base's generation back. What others have put into the target stays there, and is named.
pub(super) fn undo(job: &Job<'_>) -> Result<Vec<String>, DriverError> {
    let Some(standing) = Standing::of(job)? else { return Ok(Vec::new()) };
    let (target, before, staging) = (&standing.target, &standing.before, job.staging()?);
    let mut notes = Vec::new();
    if standing.is_ours()? {
        staging.take(job.disk()).on("claim", &staging.path())?;
        keep_old(job, &staging, target)?;
        let stays = standing.stays()?;
        notes.extend(stay_words(&standing.strangers(&stays)?, target));
        job.fault("write", before)?;
        link(job, target, before, stays.iter().map(String::as_str))?;
        exchange_back(job, before, target)?;
    }
    job.fault("in-effect", target)?;
    if Identity::probe(before).on("read", before)?.is_some() {
        standing.save_others()?;
        give_access(job, target, &standing.backfilled)?;
    }
    remove(job.disk(), before).on("remove", before)?;
    job.disk().sync(parent(target)).on("sync", parent(target))?;
    Ok(notes)
}

/// What bringing it back would do.
pub(super) fn rehearse(job: &Job<'_>) -> Result<Rehearsal, DriverError> {
    let mut rehearsal = Rehearsal::default();
    let Some(standing) = Standing::of(job)? else { return Ok(rehearsal) };
    let stays = standing.is_ours().and_then(|ours| if ours { standing.stays().map(Some) } else { Ok(None) });
    match stays {
        Ok(None) => {}
        Ok(Some(stays)) => {
            let base = job.base().map(|base| base.run.to_string()).unwrap_or_default();
            rehearsal.does.push(format!("put what `{base}` had published back as `{}`", standing.target.display()));
            rehearsal.kept.extend(stay_words(&standing.strangers(&stays)?, &standing.target));
        }
        Err(error) => rehearsal.obstacles.push(error.into()),
    }
    Ok(rehearsal)
}

/// Gives the directories that were made on the way the access of the others, and takes away what was left on for the work.
fn give_access(job: &Job<'_>, target: &Path, backfilled: &Backfilled) -> Result<(), DriverError> {
    let Some(manners) = &backfilled.manners else { return Ok(()) };
    let wanted = manners.directory;
    for (path, metadata) in walk(target).on("list", target)?.iter().rev().filter(|(_, metadata)| metadata.is_dir()) {
        let now = Access::of(metadata);
        if now != wanted {
            let owner = Some(wanted.owner()).filter(|owner| *owner != now.owner());
            job.disk().set_access(path, wanted.mode, owner).on("change", path)?;
        }
    }
    finish_manners(job, target, manners)
}

/// Files of a directory: path below it, and what they are.
fn files(root: &Path) -> Result<BTreeMap<String, Identity>, DriverError> {
    let mut found = BTreeMap::new();
    for (path, metadata) in walk(root).on("list", root)? {
        if !metadata.is_dir() {
            let relative = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            found.insert(relative, Identity::of(&metadata));
        }
    }
    Ok(found)
}

/// The target is what the ledger lists.
fn as_listed(target: &Path, listed: &BTreeMap<String, Known>) -> Result<(), DriverError> {
    let there = files(target)?;
    let strange = there.keys().filter(|name| !listed.contains_key(*name)).map(|name| ("new", name));
    let missing = listed.keys().filter(|name| !there.contains_key(*name)).map(|name| ("gone", name));
    let other = |(name, known): &(&String, &Known)| there.get(*name).is_some_and(|now| !known.is(now));
    let changed = listed.iter().filter(other).map(|(name, _)| ("changed", name));
    let differ: Vec<(&str, &String)> = strange.chain(missing).chain(changed).collect();
    if differ.is_empty() { Ok(()) } else { Err(not_the_base(target, &differ)) }
}

/// Moves files out of a generation that is out of sight into the one at the target, under their own names: those that are
/// neither of this program nor in both. Answers which of them stay because their name is taken.
fn bring_over(
    job: &Job<'_>,
    hidden: &Path,
    target: &Path,
    ours: &dyn Fn(&str, &Identity) -> bool,
) -> Result<Vec<String>, DriverError> {
    let mut left = Vec::new();
    if Identity::probe(hidden).on("read", hidden)?.is_none() {
        return Ok(left);
    }
    open_up(job.disk(), hidden).on("open", hidden)?;
    for (name, identity) in files(hidden)?.into_iter().filter(|(name, identity)| !ours(name, identity)) {
        let (from, to) = (hidden.join(&name), target.join(&name));
        let twin = Identity::probe(&to).on("read", &to)?;
        if twin.is_some_and(|twin| twin.same_place(&identity)) {
            continue;
        }
        directories(job, target, parent(&to))?;
        match job.disk().rename(&from, &to) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => left.push(name),
            moved => {
                moved.on("move", &to)?;
                job.disk().sync(parent(&to)).on("sync", parent(&to))?;
            }
        }
    }
    Ok(left)
}

/// Links files below one directory to the same names below another; those that are there already stay.
fn link<'a>(job: &Job<'_>, from: &Path, to: &Path, names: impl Iterator<Item = &'a str>) -> Result<(), DriverError> {
    let mut made: BTreeSet<PathBuf> = BTreeSet::new();
    for name in names {
        let (old, new) = (from.join(name), to.join(name));
        let above = parent(&new).to_owned();
        if !made.contains(&above) {
            directories(job, to, &above)?;
            made.insert(above);
        }
        match job.disk().link(&old, &new) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            linked => linked.on("link", &new)?,
        }
    }
    for (path, metadata) in walk(to).on("list", to)?.iter().rev() {
        if metadata.is_dir() {
            job.disk().sync(path).on("sync", path)?;
        }
    }
    Ok(())
}

/// Makes the directories between `root` and `leaf` that are not there.
fn directories(job: &Job<'_>, root: &Path, leaf: &Path) -> Result<(), DriverError> {
    let mut missing: Vec<&Path> =
        leaf.ancestors().take_while(|path| path.starts_with(root) && !path.exists()).collect();
    missing.reverse();
    for path in missing {
        match job.disk().create_dir(path, 0o700) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => created.on("create", path)?,
        }
    }
    Ok(())
}

fn exchange(job: &Job<'_>, data: &Path, target: &Path) -> Result<(), DriverError> {
    let old = Identity::probe(target).on("read", target)?.ok_or_else(|| lost("the target of the base"))?;
    job.context.checkpoint(NOTE, &output(&Before { old })?)?;
    exchange_back(job, data, target)
}

/// Exchanges two directories. The target is opened to its owner for it, who could not move what holds it else.
fn exchange_back(job: &Job<'_>, data: &Path, target: &Path) -> Result<(), DriverError> {
    let mode = std::fs::metadata(target).on("read", target)?.permissions().mode();
    if mode & 0o700 != 0o700 {
        job.disk().set_access(target, mode & 0o7777 | 0o700, None).on("change", target)?;
    }
    job.fault("write", target)?;
    job.disk().exchange(data, target).on("exchange", target)?;
    job.disk().sync(parent(data)).on("sync", parent(data))?;
    job.disk().sync(parent(target)).on("sync", parent(target))
}

/// Keeps of the old generation, which lies where the new one was staged, what is not in both.
fn keep_old(job: &Job<'_>, staging: &Staging, target: &Path) -> Result<(), DriverError> {
    let (data, before) = (staging.data(), staging.before());
    if Identity::probe(&data).on("read", &data)?.is_some() {
        match job.disk().rename(&data, &before) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            renamed => renamed.on("keep", &before)?,
        }
    }
    if Identity::probe(&before).on("read", &before)?.is_none() {
        return Err(lost("the generation before"));
    }
    open_up(job.disk(), &before).on("open", &before)?;
    for (path, metadata) in walk(&before).on("list", &before)?.iter().rev() {
        if metadata.is_dir() {
            if *path != before {
                match job.disk().remove_dir(path) {
                    Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
                    removed => removed.on("remove", path)?,
                }
            }
            continue;
        }
        let twin = target.join(path.strip_prefix(&before).unwrap_or(path));
        let twin = Identity::probe(&twin).on("read", &twin)?;
        if twin.is_some_and(|twin| twin.same_place(&Identity::of(metadata))) {
            job.disk().remove_file(path).on("remove", path)?;
        }
    }
    staging.remove(job.disk()).on("remove", &staging.path())?;
    job.disk().sync(parent(target)).on("sync", parent(target))
}
