//! Proofs of equivalence in DataFusion, and in [`DuckDbProver`] where it is declared.
//!
//! # How a proof goes
//!
//! 1. Both texts are parsed (`parse`) in their dialect with all names in lower case, and translated (`translate`) by small rewrites to what
//!    DataFusion runs with the same meaning. A function of chance ends it; the clock stands still.
//! 2. Rows (`rows`) are drawn for each relation: from the literals of both texts and their neighbours, nulls, and a small domain that all
//!    columns share. Rows of a changed dataset are mapped by the reference evaluator, and both sides get what survives.
//! 3. Both texts run, statement by statement, each in its own `world` of tables in memory. What writes is run as the
//!    query (`step`) of the rows that are there afterwards.
//! 4. Results, and the tables that were written, are compared (`compare`); those of a changed dataset through its way back (`back`).
//! 5. That is repeated with other rows. One difference is a difference; none in any round, with rows that came out, is equality.
//!
//! # What keeps it in
//!
//! Texts are run in a reader process (see [`crate::pool`]) with limits of memory and time. Only queries are planned, against tables in memory;
//! there are no files, no object stores, no network and no disk to spill to. What a reader does not survive is unprovable.

mod back;
mod compare;
pub mod duckdb;
mod effects;
mod engine;
mod frame;
mod guess;
mod literals;
mod order;
mod parse;
mod rows;
mod run;
mod step;
mod translate;
mod trials;
mod watch;
mod world;

#[cfg(test)]
mod tests;

pub use duckdb::{DuckDbBuilds, DuckDbProver, probe as probe_duckdb};

use crate::error::odd_reply;
use crate::pool::CallLimits;
use crate::request::{Readers, Reply, Request};
use greylag_driver::error::DriverError;
use greylag_driver::proof::Prover;
use greylag_model::code::data as code;
use greylag_model::proof::{ProofRequest, ProofVerdict, Reason};
use std::sync::Arc;
use std::time::Duration;

/// Works on a request in this process: what readers do.
pub(crate) fn answer(request: &ProofRequest) -> Result<ProofVerdict, DriverError> {
    run::prove(request)
}

/// Proves in reader processes.
pub struct DataFusionProver {
    readers: Arc<Readers>,
}

impl DataFusionProver {
    /// With these readers.
    pub fn new(readers: Arc<Readers>) -> Self {
        Self { readers }
    }
}

impl Prover for DataFusionProver {
    fn width(&self) -> usize {
        self.readers.at_once()
    }

    fn prove(&self, request: &ProofRequest, cancelled: &dyn Fn() -> bool) -> Result<ProofVerdict, DriverError> {
        match self.ask(request, cancelled) {
            // The real rows may be what a reader did not survive: the texts are tried without them.
            Err(error) if is_death(&error) && request.relations.iter().any(|relation| relation.sample.is_some()) => {
                let (bare, unread) = without_samples(request);
                let mut verdict = Self::told(self.ask(&bare, cancelled), cancelled)?;
                verdict.reach.unread = unread;
                Ok(verdict)
            }
            answer => Self::told(answer, cancelled),
        }
    }
}

impl DataFusionProver {
    fn ask(&self, request: &ProofRequest, cancelled: &dyn Fn() -> bool) -> Result<Reply, DriverError> {
        let timeout = Some(Duration::from_millis(request.effort.millis.max(1)));
        let limits = CallLimits { timeout, cancelled: Some(cancelled) };
        self.readers.call_within(&Request::Prove(Box::new(request.clone())), &limits)
    }

    /// What readers answered, or what their end says of the texts.
    fn told(answer: Result<Reply, DriverError>, cancelled: &dyn Fn() -> bool) -> Result<ProofVerdict, DriverError> {
        let verdict = answer.and_then(|reply| match reply {
            Reply::Proven(verdict) => Ok(*verdict),
            _ => Err(odd_reply()),
        });
        of_death(verdict, cancelled)
    }
}

/// A verdict, or what the end of a reader says of the texts.
fn of_death(
    answer: Result<ProofVerdict, DriverError>,
    cancelled: &dyn Fn() -> bool,
) -> Result<ProofVerdict, DriverError> {
    answer.or_else(|error| match unprovable(&error) {
        Some(reason) if !cancelled() => Ok(ProofVerdict::unprovable(reason, error.message)),
        _ => Err(error),
    })
}

/// What an error of readers says of the texts.
fn unprovable(error: &DriverError) -> Option<Reason> {
    match error.code {
        code::READER_MEMORY | code::READER_DIED | code::READER_TIMEOUT => Some(Reason::Limit),
        code::READER_PANIC => Some(Reason::Unsupported),
        _ => None,
    }
}

/// Whether a reader ended with its work undone, other than for the time it took.
fn is_death(error: &DriverError) -> bool {
    matches!(error.code, code::READER_MEMORY | code::READER_DIED | code::READER_PANIC)
}

/// A request without real rows, and the names of the datasets that had some.
fn without_samples(request: &ProofRequest) -> (ProofRequest, Vec<String>) {
    let mut bare = request.clone();
    let mut unread = Vec::new();
    for relation in &mut bare.relations {
        if relation.sample.take().is_some() {
            unread.extend(relation.old.first().map(ToString::to_string));
        }
    }
    (bare, unread)
}
