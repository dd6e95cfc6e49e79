//! `greylag gc`: removes what nobody needs any more.
//!
//! What goes is collected first, as a list; the dry run prints that list and the real one walks it. Each removal is whole
//! or not at all, and in an order in which a kill leaves nothing that the next `gc` would not find: a run's staging while
//! its plan is still known, then its journal, then its rejected rows (which then belong to no known run), then plans.

mod collect;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format, Row, heading};
use crate::wire;
use clap::Args;
use collect::{Found, Kept, Kind, collect};
use greylag_driver::error::DriverError;
use greylag_driver::journal::{Prune, Shrunk};
use greylag_model::code;
use greylag_model::id::{PlanId, RunId, Timestamp};
use greylag_model::spec::{ErrorClass, duration};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Remove what nobody needs any more, and give the space back.
///
/// Without options only leftovers go: rejected rows and logs of custom steps of runs that were undone or are not known any
/// more, what failed in ended runs and was kept for a look (a retry converts it anew), files of dead processes, and what was found in
/// repositories that nobody asked about since `--older-than`. `--plans` also removes
/// plans that no run executes, `--runs` the journals of runs that have ended, both only if they are older than
/// `--older-than`. A run that could still be undone is kept: its journal is what the undo walks back. So is one that a later
/// run goes on from: its ledger says what the target is made of. With a run goes what it keeps beside its datasets for an undo.
/// Names of removed runs are never used again. In the end the database file is written anew without its holes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag gc --plans --runs --dry-run        what would go, with sizes\n  \
                        greylag gc --plans --older-than 7d         plans of last week that were never applied\n  \
                        greylag gc --runs --undoable --older-than 365d --yes")]
pub(crate) struct Gc {
    /// Plans that no run executes.
    #[arg(long)]
    plans: bool,
    /// Journals of runs that have ended and that an undo does not need.
    #[arg(long)]
    runs: bool,
    /// Also journals of runs that could be undone: those can never be taken back, retried, gone on from or looked at
    /// afterwards.
    #[arg(long, requires = "runs")]
    undoable: bool,
    /// Keep plans and runs that are younger, by when the plan was taken and the run last changed.
    #[arg(long, default_value = "30d", value_name = "AGE")]
    older_than: String,
    /// Only show what would be removed.
    #[arg(long)]
    dry_run: bool,
    /// Confirm beforehand (only `--undoable` asks).
    #[arg(short, long)]
    yes: bool,
}

/// What was freed, for programs.
#[derive(Default)]
struct Removed {
    number: usize,
    bytes: u64,
    shrunk: Option<Shrunk>,
}

impl Gc {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let before = self.before(context.now())?;
        let (found, kept) = collect(context, self, before)?;
        let mut removed = Removed { number: found.len(), bytes: found.iter().map(|one| one.bytes).sum(), shrunk: None };
        if !self.dry_run {
            self.confirm(context, &found)?;
            removed = remove(context, &found)?;
        }
        self.tell(context, found, kept, &removed)?;
        Ok(Exit::Done)
    }

    /// The moment before which things are old.
    fn before(&self, now: Timestamp) -> Result<Timestamp, Failure> {
        let age = duration::parse(&self.older_than).map_err(|message| {
            Failure::usage(format!("`--older-than {}` is not an age: {message}", self.older_than))
                .hint("write a number and a unit, e.g. `12h`, `30d`")
        })?;
        Ok(now.plus_millis(-age))
    }

    fn confirm(&self, context: &Context, found: &[Found]) -> Result<(), Failure> {
        let undoable: Vec<&str> = found.iter().filter(|one| one.undoable).map(|one| one.name.as_str()).collect();
        if undoable.is_empty() {
            return Ok(());
        }
        let first = undoable.iter().take(5).copied().collect::<Vec<_>>().join(", ");
        let more = if undoable.len() > 5 { format!(" and {} more", undoable.len() - 5) } else { String::new() };
        context.confirm(&format!("Remove the journals of {first}{more}, which then can never be undone?"), self.yes)
    }

    fn tell(&self, context: &Context, found: Vec<Found>, kept: Kept, removed: &Removed) -> Result<(), Failure> {
        let format = context.format();
        if format == Format::Json {
            let value = serde_json::json!({
                "items": found, "dryRun": self.dry_run, "bytes": removed.bytes, "database": removed.shrunk,
                "keptForUndo": kept.undo, "keptAsBase": kept.base,
            });
            return output::document(format, "removed", &value);
        }
        let rows: Vec<Row> = found
            .iter()
            .map(|one| {
                let cells =
                    vec![one.kind.word().to_owned(), one.name.clone(), output::bytes(one.bytes), one.why.to_owned()];
                Row::new(one.name.clone(), cells, one)
            })
            .collect();
        if !(rows.is_empty() && matches!(format, Format::Table | Format::Wide)) {
            let headings = [heading("kind"), heading("name"), heading("bytes"), heading("why")];
            output::list(format, "removed", &headings, rows)?;
        }
        let verb = if self.dry_run { "would be removed" } else { "removed" };
        context.say(&format!("{} things, about {}, {verb}", removed.number, output::bytes(removed.bytes)));
        if kept.undo > 0 {
            let words = "older runs are kept because they can be undone; `--undoable` removes them too";
            context.say(&format!("{} {words}", kept.undo));
        }
        if kept.base > 0 {
            context.say(&format!("{} older runs are kept because later ones go on from them", kept.base));
        }
        if let Some(Shrunk { before, after }) = removed.shrunk {
            context.say(&format!("the database has {}, it had {}", output::bytes(after), output::bytes(before)));
        }
        Ok(())
    }
}

/// Walks the list. What somebody took up since it was made is left alone.
fn remove(context: &Context, found: &[Found]) -> Result<Removed, Failure> {
    let prune = context.state()?.prune.as_ref();
    let faults = wire::faults()?;
    let mut removed = Removed::default();
    for one in found {
        faults.hit("gc:next").map_err(|error| unremovable(&one.name, &error))?;
        let done = match one.kind {
            Kind::Run => left_alone(context, prune.remove_run(&RunId::new(&one.name), context.now()))?,
            Kind::Plan => left_alone(context, prune.remove_plan(&PlanId::new(&one.name)))?,
            Kind::Rejected | Kind::Logs => {
                fs::remove_dir_all(&one.name).map_err(|error| unremovable(&one.name, &error))?;
                true
            }
            Kind::Staging => {
                wire::remove(Path::new(&one.name)).map_err(|error| unremovable(&one.name, &error))?;
                true
            }
            Kind::Scratch => wire::clear_scratch(Path::new(&one.name))?,
            Kind::Scan => match fs::remove_file(&one.name) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(unremovable(&one.name, &error)),
                removed => removed.is_ok(),
            },
        };
        if done {
            removed.number += 1;
            removed.bytes += one.bytes;
        }
    }
    removed.shrunk = shrink(context, prune)?;
    Ok(removed)
}

fn left_alone(context: &Context, done: Result<bool, DriverError>) -> Result<bool, Failure> {
    match done {
        Err(error) if error.class == ErrorClass::Conflict => {
            context.say(&format!("left alone: {}", error.message));
            Ok(false)
        }
        done => Ok(done?),
    }
}

/// A database that is busy, or a disk without room for the new file, is no reason to fail: what was removed is removed.
fn shrink(context: &Context, prune: &dyn Prune) -> Result<Option<Shrunk>, Failure> {
    match prune.shrink() {
        Ok(shrunk) => Ok(Some(shrunk)),
        Err(error) if error.class == ErrorClass::Transient => {
            context.say(&format!("the database keeps its size for now: {}; `greylag gc` tries again", error.message));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn unremovable(path: &str, error: &std::io::Error) -> Failure {
    Failure::error(code::cli::HOME_UNWRITABLE, format!("`{path}` cannot be removed: {error}"))
}
