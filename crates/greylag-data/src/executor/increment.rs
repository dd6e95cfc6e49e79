//! What an increment takes: source files against the ledgers of the runs before it.
//!
//! # The ledger
//!
//! Every unit of an increment is a piece of one source file, and is written down when it is settled: which file in which
//! version (inode, size, time of change), which piece of how many, and the files of the target that it became. The names of
//! those follow from the source file's path and the piece, so that no two files of a source ever share one of the target.
//! What a run did not touch it does not write down again: its *head* names the base, and the base's ledger goes on from
//! there. After [`DEEPEST`] bases the whole ledger is written down once more, so that no run reads more than so many.
//!
//! | key | value |
//! |---|---|
//! | `unit-<hash of the path>-<piece>` | a piece that is done, or void: a later attempt did not take it |
//! | `gone-<hash of the path>` | a file that the target has no longer |
//! | `head` | the base, if there is one; written when all else is |
//!
//! A file of which all pieces are there in one version replaces what older ledgers say of it. So the ledger of a run that was
//! published lists exactly what its target holds.

use super::dataset::{Place, fingerprint_of};
use super::units::Unit;
use super::{Job, OnPath};
use crate::convert::{Marked, WrittenFile};
use crate::durable::Identity;
use crate::error::{ledger_gone, source_files_gone};
use crate::listing::DataFile;
use greylag_driver::error::DriverError;
use greylag_model::increment::{Base, Increments, MARK, Mark, Removed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use xxhash_rust::xxh3::xxh3_128;

/// Ledgers that one run reads at most.
const DEEPEST: usize = 16;
const HEAD: &str = "head";
/// Entries that are written down at once.
const NOTED_AT_ONCE: usize = 1_000;

/// Which piece of which file a unit is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    /// The source file.
    pub(super) relative: String,
    /// Which piece.
    pub(super) number: u32,
    /// Of how many.
    pub(super) of: u32,
}

/// An entry of the ledger, as far as a later run needs it.
#[derive(Deserialize)]
struct Noted {
    source: String,
    piece: Piece,
    reply: Reply,
    /// When the files of the target were written, in their order: see [`Known`].
    #[serde(default)]
    times: Vec<i64>,
}

#[derive(Deserialize)]
struct Reply {
    files: Vec<WrittenFile>,
    #[serde(default)]
    rejected: u64,
    #[serde(default)]
    marked: Marked,
}

/// A source file that was converted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Converted {
    /// In which version.
    pub(super) version: String,
    /// To which files of the target.
    pub(super) files: Vec<WrittenFile>,
    /// When they were written, in the same order, as far as that was noted.
    times: Vec<Option<i64>>,
    pub(super) rejected: u64,
    pub(super) mark: Option<i64>,
}

/// What there is to do.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Files to convert, in path order.
    pub(super) convert: Vec<DataFile>,
    /// Their versions, and those of others.
    versions: HashMap<String, String>,
    /// What stays as the base has it, by source file.
    pub(super) kept: BTreeMap<String, Converted>,
    /// Source files whose rows go from the target.
    pub(super) gone: Vec<String>,
    /// Files that are too young.
    pub(super) waiting: u64,
    /// The whole ledger is to be written down anew, of these entries.
    squashed: Option<BTreeMap<String, Value>>,
    /// Pieces by the key of their unit.
    pieces: HashMap<String, Piece>,
}

/// What backfill wrote down of an increment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Increment {
    /// Source files that were converted.
    pub(super) taken: Vec<String>,
    /// Source files whose rows go.
    pub(super) gone: Vec<String>,
    /// Rows that stay as they are.
    pub(super) kept_rows: u64,
    /// Files that stay as they are.
    pub(super) kept_files: u64,
    /// Rows of the source files of those that were rejected.
    pub(super) kept_rejected: u64,
    /// Files that were too young.
    pub(super) waiting: u64,
    /// Rows that came late.
    pub(super) late: u64,
    /// Whether the ledger was written down anew and needs no other.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) whole: bool,
}

/// What backfill wrote down of an increment, counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Took {
    /// Source files that were converted.
    pub taken: u64,
    /// Files of the target that stay as they are.
    pub kept: u64,
    /// Source files whose rows go.
    pub gone: u64,
    /// Source files that were too young.
    pub waiting: u64,
    /// Rows that came late.
    pub late: u64,
    /// How far the target is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Mark>,
}

impl Took {
    /// Of an output of `data/backfill`; none if it is of no increment.
    pub fn of(output: &Value) -> Option<Self> {
        let increment = Increment::deserialize(output.get("increment")?).ok()?;
        Some(Self {
            taken: increment.taken.len() as u64,
            kept: increment.kept_files,
            gone: increment.gone.iter().filter(|relative| !relative.is_empty()).count() as u64,
            waiting: increment.waiting,
            late: increment.late,
            watermark: output.get(MARK).and_then(|mark| Mark::deserialize(mark).ok()),
        })
    }
}

impl Increment {
    /// Whether the target stays as it is.
    pub(super) fn is_empty(&self) -> bool {
        self.taken.is_empty() && self.gone.is_empty()
    }
}

/// A file of the target as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Known {
    bytes: u64,
    /// Not known of what an older version wrote down.
    modified: Option<i64>,
}

impl Known {
    /// Whether a file has not been written to since.
    pub(super) fn is(&self, now: &Identity) -> bool {
        now.size == self.bytes && self.modified.is_none_or(|modified| modified == now.modified)
    }
}

/// What ledgers say, by source file; and the entries themselves.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) files: BTreeMap<String, Converted>,
    entries: BTreeMap<String, Value>,
    depth: usize,
}

impl Ledger {
    /// Of a base and of all before it.
    pub(super) fn of(job: &Job<'_>, base: Option<&Base>) -> Result<Self, DriverError> {
        let mut levels = Vec::new();
        let mut next = base.cloned();
        while let Some(base) = next {
            let noted = job.context.base_checkpoints(&base)?;
            let head = noted.iter().find(|(key, _)| key == HEAD);
            let Some((_, head)) = head else { return Err(ledger_gone(&base.run)) };
            next = serde_json::from_value(head.clone()).map_err(|_| ledger_gone(&base.run))?;
            levels.push(noted);
        }
        let mut ledger = Self { depth: levels.len(), ..Self::default() };
        levels.into_iter().rev().for_each(|level| ledger.add(level));
        Ok(ledger)
    }

    /// What a newer run says counts more.
    fn add(&mut self, level: Vec<(String, Value)>) {
        let mut files: BTreeMap<String, Vec<(String, Value, Noted)>> = BTreeMap::new();
        for (key, value) in level {
            if let Some(gone) = value.get("gone").and_then(Value::as_str) {
                self.files.remove(gone);
            } else if let Ok(noted) = Noted::deserialize(&value) {
                files.entry(noted.piece.relative.clone()).or_default().push((key, value, noted));
            }
        }
        for (relative, mut pieces) in files {
            pieces.sort_by_key(|(_, _, noted)| noted.piece.number);
            let Some((_, _, first)) = pieces.first() else { continue };
            let (version, of) = (first.source.clone(), first.piece.of);
            pieces.retain(|(_, _, noted)| noted.source == version && noted.piece.of == of);
            if pieces.len() as u64 != u64::from(of) {
                continue;
            }
            let mut converted = Converted { version, ..Converted::default() };
            for (key, value, noted) in pieces {
                let times = noted.times.into_iter().map(Some).chain(std::iter::repeat(None));
                converted.times.extend(times.take(noted.reply.files.len()));
                converted.files.extend(noted.reply.files);
                converted.rejected += noted.reply.rejected;
                converted.mark = converted.mark.max(noted.reply.marked.largest);
                self.entries.insert(key, value);
            }
            self.files.insert(relative, converted);
        }
    }

    /// Files of the target that it knows, by their paths.
    pub(super) fn target_files(&self) -> BTreeMap<String, Known> {
        let files = self.files.values().flat_map(|converted| converted.files.iter().zip(&converted.times));
        files
            .map(|(file, modified)| (file.relative.clone(), Known { bytes: file.bytes, modified: *modified }))
            .collect()
    }
}

impl Choice {
    /// What of these files is to be converted. Fails if files are gone whose rows may not go.
    pub(super) fn make(
        job: &Job<'_>,
        increments: &Increments,
        place: &Place,
        files: Vec<DataFile>,
    ) -> Result<Self, DriverError> {
        let mut ledger = Ledger::of(job, increments.base.as_ref())?;
        let now = job.context.now();
        let mut choice = Self::default();
        for file in files {
            let path = place.path.join(&file.relative);
            let metadata = std::fs::metadata(&path).on("read", &path)?;
            let identity = Identity::of(&metadata);
            let version = format!("{:x}-{:x}-{:x}", identity.inode, identity.size, identity.modified);
            let known = ledger.files.remove(&file.relative);
            let age = now.0.saturating_sub(identity.modified / 1_000_000);
            match known {
                Some(known) if known.version == version => drop(choice.kept.insert(file.relative.clone(), known)),
                known if increments.settle_millis > 0 && age < increments.settle_millis => {
                    choice.waiting += 1;
                    choice.kept.extend(known.map(|known| (file.relative.clone(), known)));
                }
                _ => choice.convert.push(file.clone()),
            }
            choice.versions.insert(file.relative, version);
        }
        // The placeholder of an empty dataset goes with the first file.
        if !choice.convert.is_empty() || !choice.kept.is_empty() {
            choice.gone.extend(ledger.files.remove("").map(|_| String::new()));
        }
        choice.kept.extend(ledger.files.remove("").map(|empty| (String::new(), empty)));
        let gone = std::mem::take(&mut ledger.files);
        match increments.removed {
            Removed::Fail if !gone.is_empty() => return Err(source_files_gone(&place.path, gone.keys())),
            Removed::Keep => choice.kept.extend(gone),
            Removed::Fail | Removed::Follow => choice.gone.extend(gone.into_keys()),
        }
        if ledger.depth >= DEEPEST {
            choice.squashed = Some(ledger.entries);
        }
        Ok(choice)
    }

    /// The units of the files to convert: pieces of one file each.
    pub(super) fn units(
        &mut self,
        cut: &dyn Fn(&DataFile) -> Result<Vec<Unit>, DriverError>,
    ) -> Result<Vec<Unit>, DriverError> {
        let mut units = Vec::new();
        for file in &self.convert {
            let pieces = cut(file)?;
            let of = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
            for (number, unit) in (0..of).zip(pieces) {
                let piece = Piece { relative: file.relative.clone(), number, of };
                let key = format!("unit-{:032x}-{number:05}", xxh3_128(file.relative.as_bytes()));
                self.pieces.insert(key.clone(), piece);
                units.push(Unit { key, ..unit });
            }
        }
        Ok(units)
    }

    /// Which piece a unit is, and the version of its file.
    pub(super) fn piece(&self, key: &str) -> Option<(&Piece, &str)> {
        let piece = self.pieces.get(key)?;
        Some((piece, self.versions.get(&piece.relative)?))
    }

    /// Whether the target stays as it is.
    pub(super) fn is_empty(&self) -> bool {
        self.convert.is_empty() && self.gone.is_empty()
    }

    /// The ledger's entry of the file that a dataset without rows consists of; it belongs to no file of the source.
    pub(super) fn placeholder(files: &[WrittenFile]) -> Value {
        let piece = Piece { relative: String::new(), number: 0, of: 1 };
        json!({ "source": "", "piece": piece, "reply": { "files": files } })
    }

    /// Names and identities of the files that are converted.
    pub(super) fn fingerprint(&self, place: &Place) -> Result<String, DriverError> {
        fingerprint_of(&place.path, self.convert.iter().map(|file| file.relative.as_str()))
    }

    /// Completes the ledger of this run: what earlier attempts noted and this one did not take is void.
    pub(super) fn close(&self, job: &Job<'_>, base: Option<&Base>, empty: Option<&Value>) -> Result<(), DriverError> {
        let gone_key = |relative: &String| format!("gone-{:032x}", xxh3_128(relative.as_bytes()));
        let mut entries: BTreeMap<String, Value> = BTreeMap::new();
        entries.extend(self.gone.iter().map(|relative| (gone_key(relative), json!({ "gone": relative }))));
        entries.extend(empty.map(|entry| (format!("unit-{:032x}-00000", xxh3_128(b"")), entry.clone())));
        let base = match &self.squashed {
            None => base,
            Some(all) => {
                let kept = |value: &Value| {
                    let relative = value["piece"]["relative"].as_str();
                    relative.is_some_and(|relative| self.kept.contains_key(relative))
                };
                entries.extend(
                    all.iter().filter(|(_, value)| kept(value)).map(|(key, value)| (key.clone(), value.clone())),
                );
                None
            }
        };
        let noted = job.context.checkpoints()?;
        let mut there: BTreeSet<&str> = BTreeSet::new();
        let mut void = Vec::new();
        for (key, value) in &noted {
            if self.pieces.contains_key(key) {
                continue;
            }
            match entries.get(key) {
                Some(entry) if entry == value => drop(there.insert(key)),
                Some(_) => {}
                None if value.get("void").is_some() || key == HEAD => {}
                None => void.push((key.clone(), json!({ "void": true }))),
            }
        }
        let fresh = entries.iter().filter(|(key, _)| !there.contains(key.as_str()));
        let fresh: Vec<(String, Value)> = fresh.map(|(key, value)| (key.clone(), value.clone())).collect();
        [void, fresh].concat().chunks(NOTED_AT_ONCE).try_for_each(|notes| job.context.checkpoint_all(notes))?;
        job.context.checkpoint(HEAD, &json!(base))
    }

    /// What is written down of it.
    pub(super) fn report(&self, late: u64) -> Increment {
        let kept = self.kept.values();
        Increment {
            taken: self.convert.iter().map(|file| file.relative.clone()).collect(),
            gone: self.gone.clone(),
            kept_rows: kept.clone().flat_map(|converted| &converted.files).map(|file| file.rows).sum(),
            kept_files: kept.clone().map(|converted| converted.files.len() as u64).sum(),
            kept_rejected: kept.map(|converted| converted.rejected).sum(),
            waiting: self.waiting,
            late,
            whole: self.squashed.is_some(),
        }
    }

    /// How far the target is, with the largest value of what was converted. It never goes back.
    pub(super) fn mark(&self, increments: &Increments, largest: Option<i64>) -> Option<Mark> {
        let watermark = increments.watermark.as_ref()?;
        let kept = self.kept.values().filter_map(|converted| converted.mark).max();
        let value = watermark.mark.max(kept).max(largest)?;
        Some(Mark { column: watermark.column.clone(), value })
    }
}
