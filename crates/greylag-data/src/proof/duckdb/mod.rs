//! Proofs of equivalence in DuckDB, for what DataFusion does not run.
//!
//! # Who is asked when
//!
//! DuckDB's command-line program is a tool that an operator declares. Another prover is asked first; where it cannot parse or run a text whose
//! dialect may be DuckDB's, or finds nothing to be known of names in it, DuckDB is asked, and its verdict counts if it says more.
//!
//! # How a proof goes
//!
//! 1. A reader process cuts the texts into tokens (`scan`) and statements (`text`), by words alone: what nobody here can parse is DuckDB's to
//!    read. Only statements that read or write rows are run; chance, and functions that run what stands in a string, are refused.
//! 2. The same reader draws the rows of all rounds and writes them as Parquet files (`stage`), with what is to be told to DuckDB (`side`).
//! 3. For each round and text, DuckDB runs in the sandbox with that round's folder and nothing else: it loads the rows, gives up files and
//!    network for good, runs the text, and shows columns, types and rows of results and of tables that were written.
//! 4. A reader compares what was shown (`judge`) as it compares any result: a changed dataset through its way back.
//! 5. Where they differ by rows or their order, the old text is run again on the same rows in two other orders. If it differs from
//!    itself, the round tells nothing.
//!
//! # What keeps it in
//!
//! Two walls. The sandbox has the rows and no network, with limits of memory, time and output; nothing that it writes stays. Inside of it
//! DuckDB itself is locked before the text runs: no files, no attached database, no extension, no setting. A text is an argument of the
//! program and never a line of its input, so that nothing in it is a command of the program's own. What is shown is believed only under
//! marks that no text can know. Errors are told by their class, and their words only where no row can be in them (`trouble`).

mod build;
mod judge;
mod probe;
mod scan;
mod side;
mod stage;
mod text;
mod trouble;
mod types;

pub(crate) use build::fill;
pub use build::{DuckDbBuilds, FillReply, FillRequest, Filled};
pub(crate) use judge::judge;
pub use judge::{JudgeRequest, Judged};
pub use probe::probe;
pub(crate) use stage::stage;
pub use stage::{Round, StageReply, StageRequest, Staged};

use super::engine::Trouble;
use super::run::{of_new, of_old, unprovable};
use super::{is_death, of_death, without_samples};
use crate::error::odd_reply;
use crate::pool::CallLimits;
use crate::request::{Readers, Reply, Request};
use crate::sampler::Scratch;
use greylag_driver::error::DriverError;
use greylag_driver::proof::Prover;
use greylag_driver::sandbox::{Ended, Folder, Job, Limits, Sandbox};
use greylag_model::code::data as code;
use greylag_model::proof::{
    Difference, DifferenceKind, Outcome, ProofRequest, ProofVerdict, Reach, Reason, Unprovable,
};
use judge::Pair;
use side::ROWS;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use trouble::Failed;

/// Where a job sees the program.
const PROGRAM: &str = "/duckdb";
/// How much a job may use.
const LIMITS: Limits = Limits { memory_bytes: 512 << 20, cpu_millis: 60_000, processes: 32, disk_bytes: 16 << 20 };

/// Proves by another prover, and by DuckDB where that one cannot.
pub struct DuckDbProver {
    first: Box<dyn Prover>,
    readers: Arc<Readers>,
    sandbox: Arc<dyn Sandbox>,
    program: PathBuf,
    scratch: Scratch,
}

impl DuckDbProver {
    /// `first` is asked first; `program` is DuckDB's command-line program, which is run in `sandbox`; rows lie in `scratch`.
    pub fn new(
        first: Box<dyn Prover>,
        readers: Arc<Readers>,
        sandbox: Arc<dyn Sandbox>,
        program: PathBuf,
        scratch: Scratch,
    ) -> Self {
        Self { first, readers, sandbox, program, scratch }
    }
}

impl Prover for DuckDbProver {
    fn width(&self) -> usize {
        self.first.width()
    }

    fn prove(&self, request: &ProofRequest, cancelled: &dyn Fn() -> bool) -> Result<ProofVerdict, DriverError> {
        let first = self.first.prove(request, cancelled)?;
        if !is_for_duckdb(request, &first) {
            return Ok(first);
        }
        match self.asked(request, cancelled) {
            Ok(second) if says_more(&second) => Ok(second),
            Ok(_) => Ok(first),
            Err(error) if cancelled() => Err(error),
            // What was declared and cannot be had is no reason against the text, and is not kept quiet.
            Err(error) => Ok(without(first, &error)),
        }
    }
}

/// Whether another engine may know more.
fn is_for_duckdb(request: &ProofRequest, verdict: &ProofVerdict) -> bool {
    let Outcome::Unprovable(found) = &verdict.outcome else { return false };
    let open = matches!(found.reason, Reason::Unparsed | Reason::Unsupported | Reason::Unknown | Reason::Failing);
    open && matches!(request.dialect.as_str(), "duckdb" | "generic")
}

fn says_more(verdict: &ProofVerdict) -> bool {
    match &verdict.outcome {
        Outcome::Equal | Outcome::Different(_) => true,
        Outcome::Unprovable(found) => matches!(found.reason, Reason::Random | Reason::Empty | Reason::Limit),
    }
}

fn without(mut verdict: ProofVerdict, error: &DriverError) -> ProofVerdict {
    if let Outcome::Unprovable(found) = &mut verdict.outcome {
        found.why = format!("{}; DuckDB could not be asked: {}", found.why, error.message);
    }
    verdict
}

/// One proof under way.
struct Work<'a> {
    prover: &'a DuckDbProver,
    request: &'a ProofRequest,
    cancelled: &'a dyn Fn() -> bool,
    began: Instant,
}

impl DuckDbProver {
    fn asked(&self, request: &ProofRequest, cancelled: &dyn Fn() -> bool) -> Result<ProofVerdict, DriverError> {
        probe::is_there(&self.program)?;
        let work = Work { prover: self, request, cancelled, began: Instant::now() };
        match work.prove() {
            // The real rows may be what a reader did not survive: the texts are tried without them.
            Err(error) if is_death(&error) && request.relations.iter().any(|relation| relation.sample.is_some()) => {
                let (bare, unread) = without_samples(request);
                let mut verdict = of_death(Work { request: &bare, ..work }.prove(), cancelled)?;
                verdict.reach.unread = unread;
                Ok(verdict)
            }
            answer => of_death(answer, cancelled),
        }
    }
}

impl Work<'_> {
    fn prove(&self) -> Result<ProofVerdict, DriverError> {
        let mut first = None;
        let (mut guess, mut guesses) = (0, 1);
        // Types that were guessed may be wrong: where nothing can be told, others are tried.
        while guess < guesses {
            let room = self.prover.scratch.room()?;
            let (proof, folder) = (self.request.clone(), room.path().to_owned());
            let request = Request::Stage(Box::new(StageRequest { proof, guess, folder }));
            let staged = match self.ask(&request)? {
                Reply::Staged(StageReply::Told(verdict)) => return Ok(*verdict),
                Reply::Staged(StageReply::Staged(staged)) => staged,
                _ => return Err(odd_reply()),
            };
            let verdict = self.rounds(&staged, room.path())?;
            if !matches!(&verdict.outcome, Outcome::Unprovable(found) if found.reason != Reason::Limit) {
                return Ok(verdict);
            }
            first.get_or_insert(verdict);
            (guess, guesses) = (guess + 1, staged.guesses);
        }
        Ok(first.unwrap_or_else(|| ProofVerdict::unprovable(Reason::Empty, "nothing was tried")))
    }

    fn ask(&self, request: &Request) -> Result<Reply, DriverError> {
        let limits = CallLimits { timeout: Some(self.left()), cancelled: Some(self.cancelled) };
        self.prover.readers.call_within(request, &limits)
    }

    /// The time that is left.
    fn left(&self) -> Duration {
        let all = Duration::from_millis(self.request.effort.millis);
        all.saturating_sub(self.began.elapsed()).max(Duration::from_millis(1))
    }

    fn rounds(&self, staged: &Staged, folder: &Path) -> Result<ProofVerdict, DriverError> {
        let mut reach = staged.reach.clone();
        let mut hangs_on_order = false;
        for (at, round) in staged.rounds.iter().enumerate() {
            reach.drawn += round.drawn;
            reach.unfit += round.unfit;
            let rows = folder.join(at.to_string());
            let old = match self.run(&staged.old, &staged.nonce, &rows)? {
                Ok(old) => old,
                // Another round may have rows on which it does not.
                Err(Failed::Trouble(Trouble::Fails(_))) => continue,
                Err(failed) => return Ok(ProofVerdict { outcome: before(&failed), reach }),
            };
            let new = match self.run(&staged.new, &staged.nonce, &rows)? {
                Ok(new) => new,
                Err(failed) => return Ok(ProofVerdict { outcome: after(&failed), reach }),
            };
            let judged = self.judge(staged, &old, new, Pair::Texts)?;
            reach.engine = format!("duckdb {}", judged.version);
            reach.rounds += 1;
            reach.rows_in += round.rows_in;
            reach.sampled += round.sampled;
            reach.rows_out += judged.rows_out;
            match judged.outcome {
                None if round.look && !self.is_steady(staged, &old, &rows, true)? => {
                    reach.assumed.push("where the order of rows decides, both get them in the same one".to_owned());
                }
                None => {}
                Some(Outcome::Different(found)) => {
                    let by_rows = matches!(found.kind, DifferenceKind::Rows | DifferenceKind::Order);
                    if !by_rows || self.is_steady(staged, &old, &rows, found.kind == DifferenceKind::Order)? {
                        return Ok(ProofVerdict { outcome: Outcome::Different(found), reach });
                    }
                    hangs_on_order = true;
                }
                Some(outcome) => return Ok(ProofVerdict { outcome, reach }),
            }
        }
        let outcome = match &reach {
            _ if hangs_on_order => {
                unprovable(Reason::Random, "what it gives hangs on the order in which rows are read")
            }
            Reach { rounds: 0, .. } => {
                unprovable(Reason::Failing, "the old text fails on all rows that were made for it")
            }
            Reach { rows_out: 0, .. } => unprovable(Reason::Empty, "no rows that were made for it led to a result"),
            _ => Outcome::Equal,
        };
        Ok(ProofVerdict { outcome, reach })
    }

    /// Whether the old text gives the same if its rows come in other orders.
    fn is_steady(&self, staged: &Staged, old: &str, rows: &Path, ordered: bool) -> Result<bool, DriverError> {
        for commands in &staged.again {
            let Ok(again) = self.run(commands, &staged.nonce, rows)? else { return Ok(false) };
            if self.judge(staged, old, again, Pair::Again { ordered })?.outcome.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn judge(&self, staged: &Staged, one: &str, other: String, pair: Pair) -> Result<Judged, DriverError> {
        let (proof, nonce) = (self.request.clone(), staged.nonce.clone());
        let request = JudgeRequest { proof, nonce, one: one.to_owned(), other, pair };
        match self.ask(&Request::Judge(Box::new(request)))? {
            Reply::Judged(judged) => Ok(*judged),
            _ => Err(odd_reply()),
        }
    }

    /// Runs commands on the rows of a folder: what was shown.
    fn run(&self, commands: &[String], nonce: &str, rows: &Path) -> Result<Result<String, Failed>, DriverError> {
        let tool = Tool { sandbox: self.prover.sandbox.as_ref(), program: &self.prover.program };
        let rows = Folder { path: rows.to_owned(), at: ROWS.into(), writable: false };
        let time_millis = i64::try_from(self.left().as_millis()).unwrap_or(i64::MAX);
        let what = Commands { commands, nonce, folders: vec![rows], time_millis, disk_bytes: LIMITS.disk_bytes };
        tool.run(what, self.cancelled)
    }
}

/// The program, and where it runs.
struct Tool<'a> {
    sandbox: &'a dyn Sandbox,
    program: &'a Path,
}

/// What the program is to do.
struct Commands<'a> {
    commands: &'a [String],
    /// What begins every mark of the output.
    nonce: &'a str,
    /// What it sees of the world beside itself.
    folders: Vec<Folder>,
    time_millis: i64,
    disk_bytes: u64,
}

impl Tool<'_> {
    /// Runs commands: what was shown.
    fn run(&self, what: Commands<'_>, cancelled: &dyn Fn() -> bool) -> Result<Result<String, Failed>, DriverError> {
        let program = Folder { path: self.program.to_owned(), at: PROGRAM.into(), writable: false };
        let mut job = job([vec![program], what.folders].concat(), what.time_millis);
        job.limits.disk_bytes = what.disk_bytes;
        job.argv.extend(["-jsonlines", "-no-stdin", "-bail"].map(str::to_owned));
        job.argv.extend(what.commands.iter().flat_map(|command| ["-c".to_owned(), command.clone()]));
        let mut said = Vec::new();
        let mut line = |line: &[u8]| {
            said.extend_from_slice(line);
            said.push(b'\n');
            Ok(())
        };
        let report = self.sandbox.run(&job, &mut line, cancelled)?;
        let said = String::from_utf8_lossy(&said).into_owned();
        if report.ended == Ended::Exit(0) {
            return Ok(Ok(said));
        }
        let has = |mark: &str| said.contains(&format!("{{\"{}.{mark}\"", what.nonce));
        match trouble::of(&report, has("begin"), has("end")) {
            Failed::Cancelled => Err(DriverError::transient(code::CANCELLED, "the proof was ended on request")),
            failed => Ok(Err(failed)),
        }
    }
}

/// A job of the program, without what it is to do.
fn job(folders: Vec<Folder>, time_millis: i64) -> Job {
    Job {
        argv: [PROGRAM, "-init", "/dev/null", "-batch"].map(str::to_owned).to_vec(),
        folders,
        directory: PathBuf::from("/tmp"),
        environment: BTreeMap::new(),
        input: Vec::new(),
        network: false,
        limits: LIMITS,
        time_millis,
    }
}

/// What it means that the old text did not run.
fn before(failed: &Failed) -> Outcome {
    match failed {
        Failed::Trouble(trouble) => of_old(trouble),
        Failed::Unparsed(why) => unprovable(Reason::Unparsed, format!("it could not be parsed: {why}")),
        Failed::Cancelled => {
            Outcome::Unprovable(Unprovable { reason: Reason::Limit, why: "it was cancelled".to_owned() })
        }
    }
}

/// What it means that the new text did not run, where the old one did.
fn after(failed: &Failed) -> Outcome {
    match failed {
        Failed::Trouble(trouble) => of_new(trouble),
        Failed::Unparsed(why) => {
            let why = format!("it could not be parsed: {why}");
            Outcome::Different(Difference { kind: DifferenceKind::Fails, why, ..Difference::default() })
        }
        Failed::Cancelled => before(failed),
    }
}
