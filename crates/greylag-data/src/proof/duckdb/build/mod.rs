//! Proofs by the builds of a project, in databases of DuckDB.
//!
//! # How a proof goes
//!
//! 1. A reader process draws rows for what the project reads and does not make, and says what makes tables of them ([`fill()`]).
//! 2. DuckDB makes a folder of databases of these rows: the old ones for the project as it was, the mapped ones for the changed project. The
//!    caller builds both, each in its own folder, in whatever sandbox it has.
//! 3. DuckDB shows each relation that both have made, and a reader compares them as it compares any result: a dataset that
//!    changes through its way back.
//! 4. Where rows differ, the old project is built again on the same rows in another order. A relation that differs from itself tells
//!    nothing.
//! 5. There is one round of made rows and one of real ones. Where nothing came of a relation and types were guessed, other types are tried, unless
//!    that took as long as a build may.
//!
//! A build may fail in a model and go on with others, so how it ended says nothing: what it made does. A relation that the old project
//! does not make on these rows proves nothing; one that the old project makes and the new one does not is a difference.
//!
//! **Invariant:** nothing of one build reaches another, and what is shown is read with all databases attached for reading alone.

mod fill;

pub(crate) use fill::fill;
pub use fill::{FillReply, FillRequest, Filled};

use super::judge::{JudgeRequest, Judged, Pair};
use super::side::{LOCKED, ROWS, SETTINGS, count, shows, spelled};
use super::text::Name;
use super::trouble::Failed;
use super::{Commands, Tool, probe};
use crate::error::odd_reply;
use crate::io_error::io_error;
use crate::pool::CallLimits;
use crate::proof::engine::Trouble;
use crate::proof::run::unprovable;
use crate::proof::step::quote;
use crate::request::{Readers, Reply, Request};
use crate::sampler::Scratch;
use fill::{DATABASES, attached};
use greylag_driver::error::DriverError;
use greylag_driver::proof::{Build, BuildProver, Built};
use greylag_driver::sandbox::{Folder, Sandbox};
use greylag_model::code::data as code;
use greylag_model::proof::{
    BuildRequest, BuildVerdict, BuiltNode, Content, Difference, DifferenceKind, Effort, Outcome, ProofRequest,
    ProofVerdict, Reach, Reason, Relation,
};
use greylag_model::table::TableName;
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest time of one job of DuckDB, milliseconds.
const JOB_MILLIS: i64 = 60_000;
/// Longest time that a reader may take.
const READER: Duration = Duration::from_mins(2);
/// Most bytes of all databases of one build.
const MOST_BYTES: u64 = 4 << 30;
/// Bytes of the commands of one job.
const BATCH: usize = 500_000;

/// Database, schema and table.
type Place = Name;

/// The places of names, each once; `Err` names one that has none.
fn places(names: &[TableName]) -> Result<Vec<Place>, String> {
    let mut found: Vec<Place> = Vec::new();
    for name in names {
        let place = place(name).ok_or_else(|| format!("`{name}` is no name in DuckDB"))?;
        if !found.contains(&place) {
            found.push(place);
        }
    }
    Ok(found)
}

fn place(name: &TableName) -> Option<Place> {
    BuildRequest::place(name).map(Vec::from)
}

/// The databases that a request names, that of the build first.
fn databases(request: &BuildRequest) -> Vec<String> {
    let mut found = vec![BuildRequest::DATABASE.to_owned()];
    let relations = request.relations.iter().flat_map(|relation| relation.old.iter().chain(&relation.new));
    let nodes = request.nodes.iter().flat_map(|node| [&node.old, &node.new]);
    for place in relations.chain(nodes).filter_map(place) {
        if !found.contains(&place[0]) {
            found.push(place[0].clone());
        }
    }
    found
}

/// Compares what builds make, with DuckDB's command-line program.
pub struct DuckDbBuilds {
    readers: Arc<Readers>,
    sandbox: Arc<dyn Sandbox>,
    program: PathBuf,
    scratch: Scratch,
}

impl DuckDbBuilds {
    /// `program` is DuckDB's command-line program, which is run in `sandbox`; rows and databases lie in `scratch`.
    pub fn new(readers: Arc<Readers>, sandbox: Arc<dyn Sandbox>, program: PathBuf, scratch: Scratch) -> Self {
        Self { readers, sandbox, program, scratch }
    }
}

impl BuildProver for DuckDbBuilds {
    fn prove(
        &self,
        request: &BuildRequest,
        build: &dyn Fn(&Build<'_>) -> Result<Built, DriverError>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<BuildVerdict, DriverError> {
        probe::is_there(&self.program)?;
        let nodes = request.nodes.iter().map(|_| Known::default()).collect();
        let databases = databases(request);
        let mut work = Work { prover: self, request, build, cancelled, databases, nonce: nonce(), nodes, rows: (0, 0) };
        work.prove()?;
        let (rows_in, sampled) = work.rows;
        Ok(BuildVerdict { nodes: work.nodes.into_iter().map(Known::verdict).collect(), rows_in, sampled })
    }
}

/// What nobody can know who wrote a model.
fn nonce() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("greylag {:016x}{:016x}", random(), random())
}

/// What is known of a node so far.
#[derive(Default)]
struct Known {
    reach: Reach,
    outcome: Option<Outcome>,
    /// Whether it differed from itself.
    is_unsteady: bool,
    /// Why it could not be looked at in the last round.
    why: Option<String>,
}

impl Known {
    /// Whether rows came of it.
    fn is_told(&self) -> bool {
        self.outcome.is_some() || self.is_unsteady || self.reach.rows_out > 0
    }

    fn verdict(self) -> ProofVerdict {
        let outcome = match (self.outcome, &self.reach) {
            (Some(outcome), _) => outcome,
            _ if self.is_unsteady => unprovable(Reason::Random, "two builds of the old project give other rows"),
            (None, Reach { rounds: 0, .. }) => {
                let why = "the old project does not make it of any rows that were tried";
                unprovable(Reason::Failing, self.why.unwrap_or_else(|| why.to_owned()))
            }
            (None, Reach { rows_out: 0, .. }) => unprovable(Reason::Empty, "no rows that were tried led to one in it"),
            _ => Outcome::Equal,
        };
        ProofVerdict { outcome, reach: self.reach }
    }
}

/// One proof under way.
struct Work<'a> {
    prover: &'a DuckDbBuilds,
    request: &'a BuildRequest,
    build: &'a dyn Fn(&Build<'_>) -> Result<Built, DriverError>,
    cancelled: &'a dyn Fn() -> bool,
    databases: Vec<String>,
    nonce: String,
    nodes: Vec<Known>,
    /// Rows that were read, and real ones among them.
    rows: (u64, u64),
}

/// Folders of one round.
struct Folders {
    rows: PathBuf,
    old: PathBuf,
    new: PathBuf,
    again: PathBuf,
}

impl Work<'_> {
    fn prove(&mut self) -> Result<(), DriverError> {
        let (mut guess, mut guesses, began) = (0, 1, Instant::now());
        let most = Duration::from_millis(self.request.effort.millis);
        while guess < guesses && self.nodes.iter().any(|node| !node.is_told()) {
            // A build takes its time, and a model of which nothing ever comes would have it all.
            if guess > 0 && began.elapsed() > most {
                break;
            }
            let room = self.prover.scratch.room()?;
            let (build, folder) = (self.request.clone(), room.path().to_owned());
            let filled = match self.ask(&Request::Fill(Box::new(FillRequest { build, guess, folder })))? {
                Reply::Filled(FillReply::Filled(filled)) => filled,
                Reply::Filled(FillReply::Refused(why)) => {
                    self.refuse(&unprovable(Reason::Unsupported, why));
                    return Ok(());
                }
                _ => return Err(odd_reply()),
            };
            for round in 0..filled.rounds.len() {
                let name = |what: &str| room.path().join(format!("{round}-{what}"));
                let rows = room.path().join(round.to_string());
                let folders = Folders { rows, old: name("old"), new: name("new"), again: name("again") };
                if !self.round(&filled, round, &folders)? {
                    return Ok(());
                }
            }
            (guess, guesses) = (guess + 1, filled.guesses);
        }
        Ok(())
    }

    /// Gives a verdict to all that have none.
    fn refuse(&mut self, outcome: &Outcome) {
        for node in self.nodes.iter_mut().filter(|node| !node.is_told()) {
            node.outcome = Some(outcome.clone());
        }
    }

    /// One round; whether another one may tell more.
    fn round(&mut self, filled: &Filled, at: usize, folders: &Folders) -> Result<bool, DriverError> {
        for (old, commands, folder) in [(true, &filled.old, &folders.old), (false, &filled.new, &folders.new)] {
            if let Err(why) = self.built(old, commands, (&folders.rows, folder))? {
                self.refuse(&why);
                return Ok(false);
            }
        }
        let round = &filled.rounds[at];
        self.rows = (self.rows.0 + round.rows_in, self.rows.1 + round.sampled);
        let mut again = None;
        for number in 0..self.nodes.len() {
            let mut known = std::mem::take(&mut self.nodes[number]);
            if known.outcome.is_none() && !known.is_unsteady {
                self.node(number, &mut known, (filled, at, folders), &mut again)?;
            }
            self.nodes[number] = known;
        }
        Ok(true)
    }

    /// Looks at a node in one round.
    fn node(
        &self,
        number: usize,
        known: &mut Known,
        (filled, at, folders): (&Filled, usize, &Folders),
        again: &mut Option<bool>,
    ) -> Result<(), DriverError> {
        let (node, round) = (&self.request.nodes[number], &filled.rounds[at]);
        let old = match self.shown(&node.old, &folders.old)? {
            Ok(old) => old,
            Err(failed) => {
                known.why = words(&failed, "before the change");
                return Ok(());
            }
        };
        let new = match self.shown(&node.new, &folders.new)? {
            Ok(new) => new,
            Err(failed) => {
                known.outcome = Some(not_there(&failed));
                return Ok(());
            }
        };
        let judged = self.judge(node, &old, new, Pair::Texts)?;
        let reach = &mut known.reach;
        reach.engine = format!("a build in duckdb {}", judged.version);
        (reach.seed, reach.replaced) = (filled.reach.seed, filled.reach.replaced.clone());
        reach.unread.clone_from(&filled.reach.unread);
        reach.rounds += 1;
        reach.rows_in += round.rows_in;
        reach.sampled += round.sampled;
        reach.drawn += round.drawn;
        reach.unfit += round.unfit;
        reach.rows_out += judged.rows_out;
        let by_rows = matches!(&judged.outcome, Some(Outcome::Different(found)) if found.kind == DifferenceKind::Rows);
        if by_rows && !self.is_steady(node, &old, (filled, folders), again)? {
            known.is_unsteady = true;
            return Ok(());
        }
        known.outcome = judged.outcome;
        Ok(())
    }

    /// Whether the old project makes the same of a node if its rows come in another order. `again` says whether that was built, and with
    /// success.
    fn is_steady(
        &self,
        node: &BuiltNode,
        old: &str,
        (filled, folders): (&Filled, &Folders),
        again: &mut Option<bool>,
    ) -> Result<bool, DriverError> {
        if again.is_none() {
            *again = Some(self.built(true, &filled.again, (&folders.rows, &folders.again))?.is_ok());
        }
        if *again != Some(true) {
            return Ok(false);
        }
        let Ok(other) = self.shown(&node.old, &folders.again)? else { return Ok(false) };
        Ok(self.judge(node, old, other, Pair::Again { ordered: false })?.outcome.is_none())
    }

    /// Makes databases and has them built.
    fn built(
        &self,
        old: bool,
        commands: &[String],
        (rows, folder): (&Path, &Path),
    ) -> Result<Result<(), Outcome>, DriverError> {
        fs::create_dir(folder).map_err(|error| io_error("create", folder, &error))?;
        let rows = Folder { path: rows.to_owned(), at: ROWS.into(), writable: false };
        let at = Folder { path: folder.to_owned(), at: DATABASES.into(), writable: true };
        for batch in batches(commands, self.databases.len() + 1) {
            if self.run(&batch, vec![rows.clone(), at.clone()])?.is_err() {
                return Ok(Err(unprovable(Reason::Unsupported, "its tables cannot be made in DuckDB")));
            }
        }
        Ok(match (self.build)(&Build { old, folder, databases: &self.databases })? {
            Built::Ended => Ok(()),
            Built::Stopped(why) => Err(unprovable(Reason::Limit, why)),
        })
    }

    /// What is in a relation after a build.
    fn shown(&self, name: &TableName, folder: &Path) -> Result<Result<String, Failed>, DriverError> {
        let Some(place) = place(name) else {
            return Ok(Err(Failed::Trouble(Trouble::Unsupported(format!("`{name}` is no name in DuckDB")))));
        };
        let table = spelled(&place);
        let mark = |mark: &str| quote(&format!("{}.{mark}", self.nonce));
        let mut all = vec![SETTINGS.to_owned()];
        all.extend(attached(&self.databases, true));
        all.push(LOCKED.to_owned());
        all.push(format!("select version() as {}", mark("begin")));
        let [columns, rows, values] = shows(&self.nonce, 0, &table, &count(&table));
        all.extend([columns, rows, format!("select 1 as {}", mark("end")), values]);
        all.push(format!("select 0 as {}", mark("others")));
        let at = Folder { path: folder.to_owned(), at: DATABASES.into(), writable: false };
        self.run(&all, vec![at])
    }

    fn run(&self, commands: &[String], folders: Vec<Folder>) -> Result<Result<String, Failed>, DriverError> {
        let tool = Tool { sandbox: self.prover.sandbox.as_ref(), program: &self.prover.program };
        let (nonce, time_millis, disk_bytes) = (self.nonce.as_str(), JOB_MILLIS, MOST_BYTES);
        tool.run(Commands { commands, nonce, folders, time_millis, disk_bytes }, self.cancelled)
    }

    fn judge(&self, node: &BuiltNode, one: &str, other: String, pair: Pair) -> Result<Judged, DriverError> {
        let text = |name: &TableName| place(name).map(|place| format!("from {}", spelled(&place))).unwrap_or_default();
        let relation = node.makes.clone().map(|mapping| Relation {
            old: vec![node.old.clone()],
            new: vec![node.new.clone()],
            content: Content::Changed(mapping),
            sample: None,
        });
        let proof = ProofRequest {
            subject: node.subject.clone(),
            dialect: "duckdb".to_owned(),
            old: text(&node.old),
            new: text(&node.new),
            makes: relation.is_some().then_some(0),
            relations: relation.into_iter().collect(),
            effort: Effort::default(),
        };
        let (nonce, one) = (self.nonce.clone(), one.to_owned());
        match self.ask(&Request::Judge(Box::new(JudgeRequest { proof, nonce, one, other, pair })))? {
            Reply::Judged(judged) => Ok(*judged),
            _ => Err(odd_reply()),
        }
    }

    fn ask(&self, request: &Request) -> Result<Reply, DriverError> {
        if (self.cancelled)() {
            return Err(DriverError::transient(code::CANCELLED, "the proof was ended on request"));
        }
        let limits = CallLimits { timeout: Some(READER), cancelled: Some(self.cancelled) };
        self.prover.readers.call_within(request, &limits)
    }
}

/// Commands in parts that fit into the arguments of one job; each begins with the first ones of all.
fn batches(commands: &[String], head: usize) -> Vec<Vec<String>> {
    let (head, rest) = commands.split_at(head.min(commands.len()));
    let mut all = vec![head.to_vec()];
    let mut size = 0;
    for command in rest {
        size += command.len();
        if size > BATCH {
            size = command.len();
            all.push(head.to_vec());
        }
        if let Some(last) = all.last_mut() {
            last.push(command.clone());
        }
    }
    all
}

/// Why a relation could not be looked at, if not because it is not there.
fn words(failed: &Failed, when: &str) -> Option<String> {
    match failed {
        Failed::Trouble(Trouble::Names(_)) => None,
        Failed::Trouble(Trouble::Limit(why) | Trouble::Unsupported(why)) => Some(why.clone()),
        _ => Some(format!("it cannot be read {when}")),
    }
}

/// What it means that the new project's relation could not be looked at, where the old one's could.
fn not_there(failed: &Failed) -> Outcome {
    match failed {
        Failed::Trouble(Trouble::Limit(why)) => unprovable(Reason::Limit, why.clone()),
        Failed::Trouble(Trouble::Unsupported(why)) => unprovable(Reason::Unsupported, why.clone()),
        _ => {
            let why = "the changed project does not make it of rows of which the old one does".to_owned();
            Outcome::Different(Difference { kind: DifferenceKind::Fails, why, ..Difference::default() })
        }
    }
}
