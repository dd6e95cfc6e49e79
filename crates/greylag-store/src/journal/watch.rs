//! What any process may ask of runs.

use super::row::{TASK_COLUMNS, count, get, goal, progress, run_state, state_number, task_record};
use super::{from_text, to_text};
use crate::Store;
use crate::error::damaged;
use crate::session::Session;
use greylag_driver::error::DriverError;
use greylag_driver::journal::{Holder, Posted, Request, RunRecord, TaskFilter, TaskRecord, Watch};
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, TaskId, Timestamp, WorkerId};
use greylag_model::task::{Counters, Entry, Event, RunRow, Unreadable, decode_run, decode_task};
use rusqlite::Row;
use std::sync::atomic::Ordering;

const RUN: &str = "SELECT r.id, p.id, p.migration, r.state, r.goal, r.pending, r.ready, r.running, r.waiting, r.stale, \
     r.succeeded, r.failed, r.quarantined, r.skipped, r.undone, r.rows, r.bytes, r.chunks, r.chunks_total, \
     r.steps_done, r.last_seq, r.epoch, r.created_at, r.updated_at, r.worker, w.until, r.cohorts \
     FROM run r JOIN plan p ON p.key = r.plan LEFT JOIN worker w ON w.id = r.worker";

/// Ten columns from `at` on.
pub(super) fn counters(row: &Row<'_>, at: usize) -> Result<Counters, DriverError> {
    Ok(Counters {
        pending: count(row, at)?,
        ready: count(row, at + 1)?,
        running: count(row, at + 2)?,
        waiting: count(row, at + 3)?,
        stale: count(row, at + 4)?,
        succeeded: count(row, at + 5)?,
        failed: count(row, at + 6)?,
        quarantined: count(row, at + 7)?,
        skipped: count(row, at + 8)?,
        undone: count(row, at + 9)?,
    })
}

impl Store {
    fn run_record(&self, row: &Row<'_>) -> Result<RunRecord, DriverError> {
        let worker: Option<String> = get(row, 24)?;
        let lease = worker.map(WorkerId).map(|worker| {
            let until = Timestamp(get::<Option<i64>>(row, 25)?.unwrap_or_default());
            let dead = self.alive.is_dead(&worker);
            Ok::<_, DriverError>(Holder { worker, until, dead })
        });
        Ok(RunRecord {
            id: RunId(get(row, 0)?),
            plan: PlanId(get(row, 1)?),
            migration: get(row, 2)?,
            row: RunRow { state: run_state(get(row, 3)?)?, goal: goal(get(row, 4)?)? },
            counters: counters(row, 5)?,
            cohorts: get::<Option<String>>(row, 26)?.as_deref().map(from_text).transpose()?.unwrap_or_default(),
            progress: progress(row, 15)?,
            steps_done: count(row, 19)?,
            last_seq: count(row, 20)?,
            epoch: count(row, 21)?,
            created_at: Timestamp(get(row, 22)?),
            updated_at: Timestamp(get(row, 23)?),
            lease: lease.transpose()?,
        })
    }
}

impl Watch for Store {
    fn run(&self, run: &RunId) -> Result<Option<RunRecord>, DriverError> {
        let select = format!("{RUN} WHERE r.id = ?1");
        self.read(|session| session.row(&select, &[&run.as_str()], |row| self.run_record(row)))
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, DriverError> {
        let select = format!("{RUN} ORDER BY r.key DESC LIMIT ?1");
        self.read(|session| session.rows(&select, &[&(limit as i64)], |row| self.run_record(row)))
    }

    fn tasks(&self, run: &RunId, filter: &TaskFilter, from: u64, limit: usize) -> Result<Vec<TaskRecord>, DriverError> {
        self.read(|session| {
            let (key, plan) = self.keys_of(session, run)?;
            let (from, limit) = (from as i64, limit as i64);
            let (source, condition) = match (&filter.id, filter.states.is_empty()) {
                (Some(_), _) => ("plan_task p JOIN task t ON t.run = ?1 AND t.ordinal = p.ordinal", "p.id = ?5 AND "),
                // By primary key, or by the queue's index, and in this order (which is what `CROSS` says): the other way
                // round every task of the plan would be looked for among all rows of the state.
                (None, true) => ("task t JOIN plan_task p ON p.ordinal = t.ordinal", "?5 IS NULL AND "),
                (None, false) => {
                    ("task t INDEXED BY task_queue CROSS JOIN plan_task p ON p.ordinal = t.ordinal", "?5 IS NULL AND ")
                }
            };
            let states = if filter.states.is_empty() {
                String::new()
            } else {
                let numbers: Vec<_> = filter.states.iter().map(|state| state_number(*state).to_string()).collect();
                format!("AND t.state IN ({}) ", numbers.join(", "))
            };
            let select = format!(
                "SELECT {TASK_COLUMNS}, t.ordinal, p.id, p.steps, t.live FROM {source} \
                 WHERE {condition} t.run = ?1 AND p.plan = ?2 AND t.ordinal >= ?3 {states}ORDER BY t.ordinal LIMIT ?4"
            );
            let id = filter.id.as_ref().map(TaskId::as_str);
            session.rows(&select, &[&key, &plan, &from, &limit, &id], task_record)
        })
    }

    fn events(&self, run: &RunId, after: u64, limit: usize) -> Result<Vec<Entry>, DriverError> {
        self.read(|session| {
            let (key, plan) = self.keys_of(session, run)?;
            let select = "SELECT e.seq, e.at, e.ordinal, e.version, e.body, p.id FROM event e \
                          LEFT JOIN plan_task p ON p.plan = ?2 AND p.ordinal = e.ordinal \
                          WHERE e.run = ?1 AND e.seq > ?3 ORDER BY e.seq LIMIT ?4";
            session.rows(select, &[&key, &plan, &(after as i64), &(limit as i64)], entry)
        })
    }

    fn post(&self, run: &RunId, request: &Request, now: Timestamp) -> Result<(), DriverError> {
        let body = to_text(request)?;
        self.write(|session| {
            let (key, _) = self.keys_of(session, run)?;
            let insert = "INSERT INTO request (run, at, body) VALUES (?1, ?2, ?3)";
            session.execute(insert, &[&key, &now.0, &body])
        })?;
        self.posted.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    fn requests(&self, run: &RunId) -> Result<Vec<Posted>, DriverError> {
        self.read(|session| {
            let (key, _) = self.keys_of(session, run)?;
            session.rows("SELECT key, at, body FROM request WHERE run = ?1 ORDER BY key", &[&key], |row| {
                Ok(Posted {
                    id: get(row, 0)?,
                    at: Timestamp(get(row, 1)?),
                    request: from_text(&get::<String>(row, 2)?)?,
                })
            })
        })
    }

    fn version(&self) -> Result<u64, DriverError> {
        self.data_version()
    }
}

fn entry(row: &Row<'_>) -> Result<Entry, DriverError> {
    let version = u32::try_from(get::<i64>(row, 3)?).map_err(damaged)?;
    let body: String = get(row, 4)?;
    let event = match get::<Option<i64>>(row, 2)? {
        Some(_) => decode_task(version, &body).map(Event::Task),
        None => decode_run(version, &body).map(Event::Run),
    };
    let event = event.map_err(|error| match error {
        Unreadable::Newer(_) => DriverError::permanent(code::STATE_NEWER, error.to_string())
            .hint("use the newer Greylag, or another folder with `--home`"),
        Unreadable::Damaged(_) => damaged(error),
    })?;
    let task = get::<Option<String>>(row, 5)?.map(TaskId);
    Ok(Entry { seq: count(row, 0)?, at: Timestamp(get(row, 1)?), task, event })
}

/// Only for the writer: the run's row under its lock.
pub(super) fn run_row(session: &Session<'_>, run: &RunId) -> Result<Option<Folded>, DriverError> {
    let select = "SELECT key, plan, epoch, worker, last_seq, state, goal, pending, ready, running, waiting, stale, \
                  succeeded, failed, quarantined, skipped, undone, rows, bytes, chunks, chunks_total, steps_done \
                  FROM run WHERE id = ?1";
    session.row(select, &[&run.as_str()], |row| {
        Ok(Folded {
            key: get(row, 0)?,
            epoch: count(row, 2)?,
            worker: get::<Option<String>>(row, 3)?.map(WorkerId),
            last_seq: count(row, 4)?,
            row: RunRow { state: run_state(get(row, 5)?)?, goal: goal(get(row, 6)?)? },
            counters: counters(row, 7)?,
            progress: progress(row, 17)?,
            steps_done: count(row, 21)?,
        })
    })
}

/// A run's row while a batch is folded into it.
pub(super) struct Folded {
    pub(super) key: i64,
    pub(super) epoch: u64,
    pub(super) worker: Option<WorkerId>,
    pub(super) last_seq: u64,
    pub(super) row: RunRow,
    pub(super) counters: Counters,
    pub(super) progress: greylag_model::task::Progress,
    pub(super) steps_done: u64,
}
