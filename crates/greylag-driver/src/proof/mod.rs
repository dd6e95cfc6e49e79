//! Prover: tells whether two texts give the same.
//!
//! A prover takes one [`ProofRequest`] and answers one [`ProofVerdict`]. It runs texts that strangers wrote: never in the process
//! that holds the journal, never near the data itself, and within limits. That a text cannot be run is a verdict, not an error; an
//! error means that nothing was found out.

pub mod conformance;

use crate::error::DriverError;
use greylag_model::proof::{BuildRequest, BuildVerdict, ProofRequest, ProofVerdict, Reason};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Tells whether texts give the same.
pub trait Prover: Send + Sync {
    /// Requests that can be worked on at the same time.
    fn width(&self) -> usize;

    /// Works on a request; asks a few times a second whether it is still wanted.
    ///
    /// # Errors
    /// Transient where it was cancelled or the prover could not be started; permanent where it answers what is no answer.
    fn prove(&self, request: &ProofRequest, cancelled: &dyn Fn() -> bool) -> Result<ProofVerdict, DriverError>;
}

/// Tells whether two builds of a project make the same.
///
/// It makes the databases that a build finds, and looks at what is in them afterwards. The build itself is the caller's: what a
/// repository's command is, and who trusts it, is not known here.
pub trait BuildProver: Send + Sync {
    /// Works on a request; asks a few times a second whether it is still wanted. What `build` answers as [`Built::Stopped`] tells nothing of any
    /// node.
    ///
    /// # Errors
    /// Those of `build`; transient where it was cancelled or a database cannot be made; denied where its tool is not there.
    fn prove(
        &self,
        request: &BuildRequest,
        build: &dyn Fn(&Build<'_>) -> Result<Built, DriverError>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<BuildVerdict, DriverError>;
}

/// One build.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// Whether it is of the project as it was.
    pub old: bool,
    /// The folder with the databases that it reads and writes: for each name the file [`Build::file`].
    pub folder: &'a Path,
    /// The names of the databases, [`BuildRequest::DATABASE`] first.
    pub databases: &'a [String],
}

impl Build<'_> {
    /// The file of a database, by its number.
    pub fn file(number: usize) -> String {
        match number {
            0 => format!("{}.duckdb", BuildRequest::DATABASE),
            other => format!("database-{other}.duckdb"),
        }
    }
}

/// How a build ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Built {
    /// By itself, whatever it says of its success: what it made is there.
    Ended,
    /// It was stopped, and why, in words.
    Stopped(String),
}

/// Answers what it was told to, by the subject; what it knows nothing of is unprovable.
#[derive(Debug, Default)]
pub struct MemoryProver {
    answers: Mutex<BTreeMap<String, Result<ProofVerdict, DriverError>>>,
    asked: Mutex<Vec<String>>,
}

impl MemoryProver {
    /// Sets the answer for a subject.
    pub fn answer(&self, subject: &str, verdict: Result<ProofVerdict, DriverError>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(subject.to_owned(), verdict);
    }

    /// The subjects that were asked about, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Prover for MemoryProver {
    fn width(&self) -> usize {
        2
    }

    fn prove(&self, request: &ProofRequest, _: &dyn Fn() -> bool) -> Result<ProofVerdict, DriverError> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.subject.clone());
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = || Ok(ProofVerdict::unprovable(Reason::Unknown, "nobody said what comes of it"));
        answers.get(&request.subject).cloned().unwrap_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use greylag_model::proof::{Outcome, Reach};

    #[test]
    fn the_double_answers_what_it_was_told() {
        let prover = MemoryProver::default();
        let equal = ProofVerdict { outcome: Outcome::Equal, reach: Reach::default() };
        prover.answer("a.sql", Ok(equal.clone()));
        let request = |subject: &str| ProofRequest { subject: subject.to_owned(), ..conformance::request("", "") };
        assert_eq!(prover.prove(&request("a.sql"), &|| false), Ok(equal));
        assert_eq!(prover.prove(&request("b.sql"), &|| false).unwrap().name(), "unprovable");
        assert_eq!(prover.asked(), ["a.sql", "b.sql"]);
    }
}
