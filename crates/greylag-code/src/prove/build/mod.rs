//! Proofs by the project's own build: `dbt build` into scratch databases, before and after.
//!
//! # What is asked of the project
//!
//! Its owner names the build in `.greylag.yaml`, and the operator trusts it as any [command](crate::verify::command). It runs in the sandbox
//! without network, in a copy of the files, twice: the files as they were over databases with old rows, the changed files over databases with
//! new ones. dbt finds a profile there by the project's name for it, whose database is one of DuckDB, so it needs `dbt-duckdb`; nothing of the
//! project's own profile is read. Tests are left out: rows that were made up break them before a change and after it.
//!
//! | environment | what it is |
//! |---|---|
//! | `DBT_PROFILES_DIR` | the folder with that profile |
//! | `GREYLAG_DATABASE` | the file of the database, for a profile of the project's own |
//!
//! # What is compared
//!
//! Every model, snapshot and seed that a change can reach and that has a relation: see [`request()`] for which those are and what is made for
//! them, and [`BuildProver`] for how. A model's relation is asked for by the name that it has in this profile.
//!
//! # What it says
//!
//! The check `build` says what came of all nodes. A text that no engine could run for itself, in a file of which nothing else was asked,
//! takes the verdict of its node: what a build says can make an unprovable text equal or different, never the other way round.

mod request;
#[cfg(test)]
mod tests;

pub use request::{Asked, Project, request};

use super::Question;
use crate::tree::Tree;
use crate::verify::command::{Command, More, Outcome as CommandOutcome, Runner, of_tree};
use greylag_driver::error::DriverError;
use greylag_driver::proof::{Build, BuildProver, Built};
use greylag_driver::sandbox::{Ended, Folder};
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code::fleet as code;
use greylag_model::proof::{BuildRequest, Outcome, ProofVerdict, Reason};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Name of the check.
const NAME: &str = "build";
/// Where a build sees its databases and its profile.
const DATABASES: &str = "/greylag";
/// Most nodes that are named.
const NAMED: usize = 5;

/// What came of builds.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildProof {
    /// What it means.
    pub check: CheckResult,
    /// The verdict on each node that was compared: the file of its template, and what it is about.
    pub nodes: Vec<(String, ProofVerdict)>,
    /// The end of what the first build said that did not end well, or of the last one.
    pub said: Vec<String>,
}

impl BuildProof {
    /// Nothing is known, and why.
    pub fn unknown(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        let (name, detail, hint) = (NAME.to_owned(), detail.into(), Some(hint.into()));
        let check = CheckResult { name, verdict: Verdict::Unknown, detail, hint };
        Self { check, nodes: Vec::new(), said: Vec::new() }
    }

    /// What a build knows better than the verdict on a text, which is one of `questions`.
    pub fn better(&self, question: &Question, questions: &[Question], verdict: ProofVerdict) -> ProofVerdict {
        if !matches!(verdict.outcome, Outcome::Unprovable(_)) {
            return verdict;
        }
        let is_alone = questions.iter().filter(|other| other.path == question.path).count() == 1;
        let mut known = self.nodes.iter().filter(|(path, _)| is_alone && *path == question.path);
        match (known.next(), known.next()) {
            (Some((_, better)), None) if !matches!(better.outcome, Outcome::Unprovable(_)) => better.clone(),
            _ => verdict,
        }
    }
}

/// Builds a project before and after a change and compares what that makes. `before` is the tree whose command it is.
///
/// # Errors
/// Something of the world failed that may not fail a second time, or the caller has cancelled it.
pub fn prove(
    command: &Command,
    (before, after): (&dyn Tree, &dyn Tree),
    asked: &Asked,
    prover: &dyn BuildProver,
    runner: Runner<'_>,
) -> Result<BuildProof, DriverError> {
    if asked.request.nodes.is_empty() {
        let hint = "nothing that the build makes hangs on what changes, as far as its names are known";
        return Ok(BuildProof::unknown("no relation of the project can be compared", hint));
    }
    let last = Mutex::new(None);
    let build = |build: &Build<'_>| {
        let tree = if build.old { before } else { after };
        let outcome = built(command, (before, tree), build, (asked, runner))?;
        let ended = told(&outcome);
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        // The first that goes wrong is what somebody wants to read.
        if last.as_ref().is_none_or(|last: &CommandOutcome| last.ended == Ended::Exit(0)) {
            *last = Some(outcome);
        }
        Ok(ended)
    };
    let mut request = asked.request.clone();
    request.effort.millis = u64::try_from(command.timeout_millis).unwrap_or_default();
    let verdict = prover.prove(&request, &build, runner.cancelled)?;
    let last = last.into_inner().unwrap_or_else(PoisonError::into_inner);
    let is_red = last.as_ref().is_some_and(|last| last.ended != Ended::Exit(0));
    let subjects = asked.request.nodes.iter().map(|node| node.subject.as_str());
    let (rows, real, left_out) = (verdict.rows_in, verdict.sampled, asked.left_out);
    let mut counted = Counted { rows, real, left_out, ..Counted::default() };
    subjects.zip(&verdict.nodes).for_each(|(subject, verdict)| counted.take(subject, verdict));
    let check = counted.check(command, is_red);
    let nodes = asked.paths.iter().cloned().zip(verdict.nodes).collect();
    Ok(BuildProof { check, nodes, said: last.map(|last| last.said).unwrap_or_default() })
}

/// One build.
fn built(
    command: &Command,
    trees: (&dyn Tree, &dyn Tree),
    build: &Build<'_>,
    (asked, runner): (&Asked, Runner<'_>),
) -> Result<CommandOutcome, DriverError> {
    let profile = build.folder.join("profiles.yml");
    fs::write(&profile, profiles(&asked.profile, build.databases)).map_err(|error| {
        DriverError::transient(code::JOB_START, format!("`{}` cannot be written: {error}", profile.display()))
    })?;
    let environment = [
        ("DBT_PROFILES_DIR", DATABASES.to_owned()),
        ("DBT_EXCLUDE_RESOURCE_TYPES", "test unit_test".to_owned()),
        ("DBT_PARTIAL_PARSE", "false".to_owned()),
        ("DBT_SEND_ANONYMOUS_USAGE_STATS", "false".to_owned()),
        ("DBT_USE_COLORS", "false".to_owned()),
        ("GREYLAG_DATABASE", file(0)),
        ("TZ", "UTC".to_owned()),
    ];
    let more = More {
        directory: command.project.clone().unwrap_or_default(),
        folders: vec![Folder { path: build.folder.to_owned(), at: PathBuf::from(DATABASES), writable: true }],
        environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
    };
    of_tree(command, trees, runner, (if build.old { "base" } else { "new" }, more))
}

/// Where a build sees a database.
fn file(number: usize) -> String {
    Path::new(DATABASES).join(Build::file(number)).display().to_string()
}

/// The profile that dbt finds: JSON, which is YAML.
fn profiles(name: &str, databases: &[String]) -> String {
    let attached = databases.iter().enumerate().skip(1);
    let attached: Vec<_> = attached.map(|(at, alias)| json!({"path": file(at), "alias": alias})).collect();
    let output = json!({
        "type": "duckdb", "path": file(0), "schema": BuildRequest::SCHEMA, "threads": 1, "attach": attached,
        "settings": {"TimeZone": "UTC"},
    });
    let target = request::TARGET;
    json!({ name: {"target": target, "outputs": {target: output}} }).to_string()
}

fn told(outcome: &CommandOutcome) -> Built {
    match outcome.ended {
        Ended::Exit(_) => Built::Ended,
        Ended::Limit(limit) => Built::Stopped(format!("the build went beyond its limit of {}", limit.as_str())),
        Ended::Signal(signal) => Built::Stopped(format!("the build was ended by signal {signal}")),
        Ended::Cancelled => Built::Stopped("the build was ended, as was asked for".to_owned()),
    }
}

/// What came of all nodes.
#[derive(Default)]
struct Counted {
    rows: u64,
    real: u64,
    left_out: usize,
    equal: usize,
    nodes: usize,
    different: Vec<String>,
    unprovable: BTreeMap<Reason, Vec<String>>,
    unread: BTreeSet<String>,
}

impl Counted {
    fn take(&mut self, subject: &str, verdict: &ProofVerdict) {
        self.nodes += 1;
        self.unread.extend(verdict.reach.unread.iter().cloned());
        match &verdict.outcome {
            Outcome::Equal => self.equal += 1,
            Outcome::Different(found) => self.different.push(format!("`{subject}`: {}", found.why)),
            Outcome::Unprovable(found) => {
                self.unprovable.entry(found.reason).or_default().push(format!("`{subject}`: {}", found.why));
            }
        }
    }

    fn check(self, command: &Command, is_red: bool) -> CheckResult {
        let is_whole = self.unprovable.is_empty() && self.left_out == 0;
        let verdict = match (self.different.is_empty(), is_whole) {
            (false, _) => Verdict::Fail,
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::Unknown,
        };
        let (words, equal, nodes) = (command.words(), self.equal, self.nodes);
        let mut detail = format!("`{words}` makes the same of {equal} of {nodes} relations that the change reaches");
        for (reason, nodes) in &self.unprovable {
            // Writing to a string does not fail.
            let _ = write!(detail, ", {} unprovable ({})", nodes.len(), reason.name());
        }
        if self.left_out > 0 {
            let _ = write!(detail, ", {} gone or too many to be compared", self.left_out);
        }
        let _ = write!(detail, "; {} rows, {} of them real", self.rows, self.real);
        for name in self.unread.iter().take(NAMED) {
            let _ = write!(detail, "; the rows of `{name}` cannot be read, so made ones stood for them");
        }
        let named: Vec<&String> = if self.different.is_empty() {
            self.unprovable.values().flatten().collect()
        } else {
            self.different.iter().collect()
        };
        for node in named.into_iter().take(NAMED) {
            let _ = write!(detail, "; {node}");
        }
        let hint = match verdict {
            Verdict::Pass => None,
            Verdict::Fail => Some("a model is not what the mapping says: look at `greylag rewrite --prove` of a clone"),
            Verdict::Unknown if is_red => Some("look at the end of what the build said"),
            Verdict::Unknown => Some("a text of these models may be provable by itself: see `proof`"),
        };
        CheckResult { name: NAME.to_owned(), verdict, detail, hint: hint.map(str::to_owned) }
    }
}
