//! The journal's traits on SQLite.

mod plans;
mod prune;
mod quotas;
mod row;
mod runs;
mod watch;

use crate::Store;
use crate::error::damaged;
use crate::session::Session;
use crate::store::lock;
use greylag_driver::error::DriverError;
use greylag_model::code::engine as code;
use greylag_model::id::RunId;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The error of a run that does not exist.
fn run_unknown(run: &RunId) -> DriverError {
    DriverError::permanent(code::RUN_UNKNOWN, format!("there is no run `{run}`"))
        .hint("`greylag runs` lists the runs of this state folder")
}

fn stale_attempt(ordinal: u64) -> DriverError {
    let message = format!("the attempt of task number `{ordinal}` is no longer the one that runs");
    DriverError::conflict(code::STALE_ATTEMPT, message)
}

fn to_text<T: Serialize>(value: &T) -> Result<String, DriverError> {
    serde_json::to_string(value).map_err(damaged)
}

fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, DriverError> {
    serde_json::from_str(text).map_err(damaged)
}

impl Store {
    /// Keys of a run and of its plan.
    fn keys_of(&self, session: &Session<'_>, run: &RunId) -> Result<(i64, i64), DriverError> {
        if let Some(keys) = lock(&self.keys).get(run) {
            return Ok(*keys);
        }
        let found = session.row("SELECT key, plan FROM run WHERE id = ?1", &[&run.as_str()], |row| {
            Ok((row::get(row, 0)?, row::get(row, 1)?))
        })?;
        let keys = found.ok_or_else(|| run_unknown(run))?;
        lock(&self.keys).insert(run.clone(), keys);
        Ok(keys)
    }
}
