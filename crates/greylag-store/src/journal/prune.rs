//! Letting go of plans and journals, and of the space that they took.

use super::row::{count, get, run_state};
use crate::Store;
use crate::error::classed;
use crate::session::Session;
use crate::store::lock;
use greylag_driver::error::DriverError;
use greylag_driver::journal::{Prune, Shrunk};
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, Timestamp, WorkerId};

/// Tables that hold rows of runs, by the run's key.
const OF_RUNS: [&str; 5] = ["event", "task", "chunk", "output", "request"];

impl Prune for Store {
    fn plan_bytes(&self, plan: &PlanId) -> Result<u64, DriverError> {
        let select = "SELECT length(header) + (SELECT coalesce(sum(length(body) + length(id)), 0) FROM plan_task \
                      WHERE plan = key) FROM plan WHERE id = ?1";
        let found = self.read(|session| session.row(select, &[&plan.as_str()], |row| count(row, 0)))?;
        Ok(found.unwrap_or(0))
    }

    fn run_bytes(&self, run: &RunId) -> Result<u64, DriverError> {
        // A row of the task table is mostly numbers: about a hundred bytes beside its texts.
        let select = "SELECT (SELECT coalesce(sum(length(body) + 16), 0) FROM event WHERE run = key) \
                      + (SELECT coalesce(sum(100 + coalesce(length(error), 0)), 0) FROM task WHERE run = key) \
                      + (SELECT coalesce(sum(length(name) + length(value) + 16), 0) FROM chunk WHERE run = key) \
                      + (SELECT coalesce(sum(length(uses) + length(value) + 16), 0) FROM output WHERE run = key) \
                      FROM run WHERE id = ?1";
        let found = self.read(|session| session.row(select, &[&run.as_str()], |row| count(row, 0)))?;
        Ok(found.unwrap_or(0))
    }

    fn remove_plan(&self, plan: &PlanId) -> Result<bool, DriverError> {
        self.write(|session| {
            let select = "SELECT key FROM plan WHERE id = ?1";
            let Some(key) = session.row(select, &[&plan.as_str()], |row| get::<i64>(row, 0))? else {
                return Ok(false);
            };
            let used = "SELECT id FROM run WHERE plan = ?1 ORDER BY key LIMIT 1";
            if let Some(run) = session.row(used, &[&key], |row| get::<String>(row, 0))? {
                let message = format!("the plan `{plan}` is that of run `{run}`");
                return Err(DriverError::conflict(code::PLAN_IN_USE, message));
            }
            session.execute("DELETE FROM plan_dependency WHERE plan = ?1", &[&key])?;
            session.execute("DELETE FROM plan_task WHERE plan = ?1", &[&key])?;
            session.execute("DELETE FROM plan WHERE key = ?1", &[&key])?;
            Ok(true)
        })
    }

    fn remove_run(&self, run: &RunId, now: Timestamp) -> Result<bool, DriverError> {
        let removed = self.write(|session| {
            let select = "SELECT r.key, r.state, r.worker, w.until FROM run r LEFT JOIN worker w ON w.id = r.worker \
                          WHERE r.id = ?1";
            let found = session.row(select, &[&run.as_str()], |row| {
                let worker: Option<String> = get(row, 2)?;
                let until: Option<i64> = get(row, 3)?;
                Ok((get::<i64>(row, 0)?, run_state(get(row, 1)?)?, worker.map(WorkerId), until))
            })?;
            let Some((key, state, worker, until)) = found else { return Ok(false) };
            let driven =
                until.is_some_and(|until| until > now.0) && worker.is_some_and(|worker| !self.alive.is_dead(&worker));
            if driven || !state.has_ended() {
                let message = format!("the run `{run}` is {} and cannot be removed", state.as_str());
                return Err(DriverError::conflict(code::RUN_IN_USE, message));
            }
            for table in OF_RUNS {
                session.execute(&format!("DELETE FROM {table} WHERE run = ?1"), &[&key])?;
            }
            session.execute("DELETE FROM run WHERE key = ?1", &[&key])?;
            let insert = "INSERT INTO removed_run (id, removed_at) VALUES (?1, ?2)";
            session.execute(insert, &[&run.as_str(), &now.0])?;
            Ok(true)
        })?;
        lock(&self.keys).remove(run);
        Ok(removed)
    }

    fn removed_at(&self, run: &RunId) -> Result<Option<Timestamp>, DriverError> {
        self.read(|session| removed_at(session, run))
    }

    fn shrink(&self) -> Result<Shrunk, DriverError> {
        let before = self.bytes_on_disk();
        self.alive.bury_dead()?;
        self.write(|session| {
            let held = "DELETE FROM worker WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.worker = worker.id)";
            session.execute(held, &[]).map(drop)
        })?;
        self.vacuum()?;
        Ok(Shrunk { before, after: self.bytes_on_disk() })
    }
}

/// When the run of this name was removed, if it was.
pub(super) fn removed_at(session: &Session<'_>, run: &RunId) -> Result<Option<Timestamp>, DriverError> {
    let select = "SELECT removed_at FROM removed_run WHERE id = ?1";
    session.row(select, &[&run.as_str()], |row| get(row, 0).map(Timestamp))
}

impl Store {
    /// Writes the database anew without its free pages, and the log back into it. The new content goes through the log
    /// like any other, so a crash leaves the old file or the new one.
    fn vacuum(&self) -> Result<(), DriverError> {
        // Readers that rest hold no snapshot, but a prepared statement of another connection may.
        lock(&self.readers).clear();
        let writer = self.group.connection();
        writer.flush_prepared_statement_cache();
        writer.execute_batch("VACUUM").map_err(classed)?;
        // Answers a row even where another process keeps it from being copied back whole; the next one does it then.
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(classed)
    }

    /// Bytes of the database and of its log.
    fn bytes_on_disk(&self) -> u64 {
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        let length = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        length(&self.path) + length(log.as_ref())
    }
}
