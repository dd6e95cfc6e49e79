//! What a decider and its attempts need.

use super::prune::removed_at;
use super::row::{
    TASK_COLUMNS, count, direction_number, get, goal_number, loaded, phase_number, run_state_number, state_number,
};
use super::watch::{Folded, run_row};
use super::{from_text, run_unknown, stale_attempt, to_text};
use crate::Store;
use crate::session::Session;
use crate::store::lock;
use greylag_driver::error::DriverError;
use greylag_driver::journal::{AttemptKey, Batch, Committed, Due, Journal, Loaded, Relation, RunLease, Transition};
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, Timestamp, WorkerId};
use greylag_model::task::{Direction, EVENT_VERSION, RunEvent, TaskEvent, TaskRow, TaskState, apply_run, encode};
use rusqlite::ToSql;
use serde_json::Value;

impl Folded {
    fn journal(
        &mut self,
        session: &Session<'_>,
        at: Timestamp,
        ordinal: Option<i64>,
        body: &str,
    ) -> Result<(), DriverError> {
        self.last_seq += 1;
        let insert = "INSERT INTO event (run, seq, at, ordinal, version, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        session.execute(insert, &[&self.key, &(self.last_seq as i64), &at.0, &ordinal, &EVENT_VERSION, &body])?;
        Ok(())
    }

    fn journal_run(&mut self, session: &Session<'_>, at: Timestamp, event: &RunEvent) -> Result<(), DriverError> {
        self.row = apply_run(&self.row, event);
        if let RunEvent::Replanned { plan, .. } = event {
            let update = "UPDATE run SET plan = p.key FROM plan p WHERE p.id = ?2 AND run.key = ?1";
            if session.execute(update, &[&self.key, &plan.as_str()])? == 0 {
                let message = format!("there is no saved plan `{plan}`");
                return Err(DriverError::permanent(code::PLAN_UNKNOWN, message));
            }
        }
        self.journal(session, at, None, &encode(event))
    }

    fn write(&mut self, session: &Session<'_>, at: Timestamp, transition: &Transition) -> Result<(), DriverError> {
        let ordinal = transition.ordinal as i64;
        if update_task(session, self.key, transition)? != 1 {
            return Err(stale_attempt(transition.ordinal));
        }
        for event in &transition.events {
            if let TaskEvent::StepDone { progress, direction, .. } = event {
                self.steps_done += 1;
                if *direction == Direction::Forward {
                    self.progress = self.progress.plus(*progress);
                }
            }
            self.journal(session, at, Some(ordinal), &encode(event))?;
        }
        if let Some(output) = &transition.output {
            let insert = "INSERT OR REPLACE INTO output (run, ordinal, uses, step, value) VALUES (?1, ?2, ?3, ?4, ?5)";
            let value = to_text(&*output.value)?;
            session.execute(insert, &[&self.key, &ordinal, &output.name, &output.step, &value])?;
        }
        self.counters.moved(transition.from, transition.after.state);
        Ok(())
    }

    fn save(&self, session: &Session<'_>, at: Timestamp) -> Result<(), DriverError> {
        let (counters, progress) = (self.counters, self.progress);
        let numbers = [
            self.last_seq,
            counters.pending,
            counters.ready,
            counters.running,
            counters.waiting,
            counters.stale,
            counters.succeeded,
            counters.failed,
            counters.quarantined,
            counters.skipped,
            counters.undone,
            progress.rows,
            progress.bytes,
            progress.chunks,
            progress.chunks_total,
            self.steps_done,
            self.epoch,
        ];
        let numbers = numbers.map(|number| number as i64);
        let worker = self.worker.as_ref().map(WorkerId::as_str);
        let (state, goal) = (run_state_number(self.row.state), goal_number(self.row.goal));
        let mut params: Vec<&dyn ToSql> = vec![&self.key, &state, &goal, &worker, &at.0];
        params.extend(numbers.iter().map(|number| number as &dyn ToSql));
        let update = "UPDATE run SET state = ?2, goal = ?3, worker = ?4, updated_at = ?5, last_seq = ?6, pending = ?7, \
             ready = ?8, running = ?9, waiting = ?10, stale = ?11, succeeded = ?12, failed = ?13, quarantined = ?14, \
             skipped = ?15, undone = ?16, rows = ?17, bytes = ?18, chunks = ?19, chunks_total = ?20, \
             steps_done = ?21, epoch = ?22 WHERE key = ?1";
        session.execute(update, &params)?;
        Ok(())
    }
}

/// Writes the row if the stored one is in the state and epoch that the transition expects. A task that goes on to its next
/// step stays running, and its place in the queue's index is left alone: SQLite would write it even if nothing changes.
fn update_task(session: &Session<'_>, run: i64, transition: &Transition) -> Result<usize, DriverError> {
    const STAYS: &str = "UPDATE task SET direction = ?6, step = ?7, begun = ?8, attempt = ?9, failures = ?10, \
         lost = ?11, epoch = ?12, attempt_at = ?13, worker = ?14, approved = ?15, blocked_by = ?16, handle = ?17, \
         error = ?18, rows = ?19, bytes = ?20, chunks = ?21, chunks_total = ?22, updated_at = ?23, \
         furthest = ?24, gated = ?25, live = NULL WHERE run = ?1 AND ordinal = ?2 AND state = ?3 AND epoch = ?4 AND ?5 = ?3";
    const MOVES: &str = "UPDATE task SET state = ?5, direction = ?6, step = ?7, begun = ?8, attempt = ?9, \
         failures = ?10, lost = ?11, epoch = ?12, attempt_at = ?13, worker = ?14, approved = ?15, blocked_by = ?16, \
         handle = ?17, error = ?18, rows = ?19, bytes = ?20, chunks = ?21, chunks_total = ?22, updated_at = ?23, \
         live = NULL, furthest = ?24, gated = ?25, wake = ?26 WHERE run = ?1 AND ordinal = ?2 AND state = ?3 AND epoch = ?4";
    let row = &transition.after;
    let error = row.error.as_ref().map(to_text).transpose()?;
    let worker = row.worker.as_ref().map(WorkerId::as_str);
    let wake = row.wake.map(|wake| wake.0);
    let params: [&dyn ToSql; 26] = [
        &run,
        &(transition.ordinal as i64),
        &state_number(transition.from),
        &(transition.from_epoch as i64),
        &state_number(row.state),
        &direction_number(row.direction),
        &row.step,
        &row.begun,
        &row.attempt,
        &row.failures,
        &row.lost,
        &(row.epoch as i64),
        &row.attempt_at.0,
        &worker,
        &row.approved,
        &row.blocked_by,
        &row.handle,
        &error,
        &(row.progress.rows as i64),
        &(row.progress.bytes as i64),
        &(row.progress.chunks as i64),
        &(row.progress.chunks_total as i64),
        &row.updated_at.0,
        &row.furthest,
        &row.gated,
        &wake,
    ];
    // A running task has no wake time, so one that stays so keeps all of its index entry.
    if transition.from == TaskState::Running && row.state == TaskState::Running {
        session.execute(STAYS, &params[..25])
    } else {
        session.execute(MOVES, &params)
    }
}

fn beat(session: &Session<'_>, worker: &WorkerId, until: Timestamp) -> Result<(), DriverError> {
    let upsert = "INSERT INTO worker (id, until) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET until = excluded.until";
    session.execute(upsert, &[&worker.as_str(), &until.0]).map(drop)
}

fn insert_tasks(session: &Session<'_>, run: i64, plan: i64, now: Timestamp) -> Result<(), DriverError> {
    // One statement for all: what a new row holds is asked of the model, once for a free task and once for a blocked one.
    for blocked in [false, true] {
        let row = TaskRow::new(u32::from(blocked), false, now);
        let insert = "INSERT INTO task (run, ordinal, state, direction, step, begun, attempt, failures, lost, epoch, \
             attempt_at, approved, blocked_by, gated, wake, rows, bytes, chunks, chunks_total, updated_at, lane) \
             SELECT ?1, ordinal, ?4, 0, 0, 0, 0, 0, 0, 0, ?3, 0, waits, cohort > 0, ?5, 0, 0, 0, 0, ?3, lane \
             FROM plan_task WHERE plan = ?2 AND (waits > 0 OR cohort > 0) = ?6";
        let wake = row.wake.map(|wake| wake.0);
        session.execute(insert, &[&run, &plan, &now.0, &state_number(row.state), &wake, &blocked])?;
    }
    Ok(())
}

impl Journal for Store {
    fn create_run(&self, run: &RunId, plan: &PlanId, now: Timestamp) -> Result<(), DriverError> {
        self.write(|session| {
            let found =
                session.row("SELECT key FROM plan WHERE id = ?1", &[&plan.as_str()], |row| get::<i64>(row, 0))?;
            let Some(plan_key) = found else {
                return Err(DriverError::permanent(code::PLAN_UNKNOWN, format!("there is no saved plan `{plan}`"))
                    .hint("`greylag plan -f FILE` makes one"));
            };
            if removed_at(session, run)?.is_some() {
                let message = format!("a run `{run}` existed and was removed; a name is used once");
                return Err(DriverError::conflict(code::RUN_EXISTS, message).hint("name it with `--run NAME`"));
            }
            let insert = "INSERT INTO run (id, plan, state, goal, epoch, last_seq, pending, ready, running, waiting, \
                 stale, succeeded, failed, quarantined, skipped, undone, rows, bytes, chunks, chunks_total, \
                 steps_done, created_at, updated_at) SELECT ?1, ?2, 0, 0, 0, 0, (SELECT count(*) FROM plan_task \
                 WHERE plan = ?2 AND (waits > 0 OR cohort > 0)), (SELECT count(*) FROM plan_task WHERE plan = ?2 \
                 AND waits = 0 AND cohort = 0), \
                 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?3, ?3 WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = ?1)";
            if session.execute(insert, &[&run.as_str(), &plan_key, &now.0])? == 0 {
                return Err(DriverError::conflict(code::RUN_EXISTS, format!("a run `{run}` exists"))
                    .hint(format!("`greylag resume {run}` goes on with it")));
            }
            let mut folded = run_row(session, run)?.ok_or_else(|| run_unknown(run))?;
            insert_tasks(session, folded.key, plan_key, now)?;
            let tasks = folded.counters.total();
            folded.journal_run(session, now, &RunEvent::RunCreated { plan: plan.clone(), tasks })?;
            folded.save(session, now)
        })
    }

    fn claim(&self, run: &RunId, worker: &WorkerId, now: Timestamp, ttl_millis: i64) -> Result<RunLease, DriverError> {
        self.alive.hold(worker)?;
        let (epoch, holder) = self.write(|session| {
            let mut folded = run_row(session, run)?.ok_or_else(|| run_unknown(run))?;
            let holder = folded.worker.take().filter(|holder| holder != worker);
            if let Some(holder) = &holder {
                let select = "SELECT until FROM worker WHERE id = ?1";
                let until: Option<i64> = session.row(select, &[&holder.as_str()], |row| get(row, 0))?;
                if until.is_some_and(|until| until > now.0) && !self.alive.is_dead(holder) {
                    return Err(DriverError::conflict(
                        code::RUN_DRIVEN,
                        format!("run `{run}` is driven by `{holder}`"),
                    )
                    .hint(format!("`greylag status -w {run}` watches it")));
                }
                session.execute(
                    "DELETE FROM worker WHERE id = ?1 AND NOT EXISTS \
                    (SELECT 1 FROM run WHERE worker = ?1 AND id <> ?2)",
                    &[&holder.as_str(), &run.as_str()],
                )?;
            }
            session.execute("DELETE FROM limit_share WHERE run = ?1", &[&folded.key])?;
            folded.epoch += 1;
            folded.worker = Some(worker.clone());
            let epoch = folded.epoch;
            folded.journal_run(session, now, &RunEvent::RunClaimed { worker: worker.clone(), epoch })?;
            beat(session, worker, now.plus_millis(ttl_millis))?;
            folded.save(session, now)?;
            Ok((epoch, holder))
        })?;
        if let Some(holder) = holder.filter(|holder| self.alive.is_dead(holder)) {
            self.alive.bury(&holder);
        }
        Ok(RunLease { run: run.clone(), worker: worker.clone(), epoch, ttl_millis })
    }

    fn release(&self, lease: &RunLease) -> Result<(), DriverError> {
        self.write(|session| {
            let update = "UPDATE run SET worker = NULL WHERE id = ?1 AND epoch = ?2";
            if session.execute(update, &[&lease.run.as_str(), &(lease.epoch as i64)])? > 0 {
                let delete = "DELETE FROM limit_share WHERE run = (SELECT key FROM run WHERE id = ?1)";
                session.execute(delete, &[&lease.run.as_str()])?;
            }
            let delete = "DELETE FROM worker WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE worker = ?1)";
            session.execute(delete, &[&lease.worker.as_str()]).map(drop)
        })
    }

    fn commit(&self, lease: &RunLease, batch: &Batch) -> Result<Committed, DriverError> {
        let committed = self.write(|session| {
            let mut run = run_row(session, &lease.run)?.ok_or_else(|| run_unknown(&lease.run))?;
            if run.epoch != lease.epoch {
                let message = format!("run `{}` was taken over by another process", lease.run);
                return Err(DriverError::conflict(code::LEASE_LOST, message)
                    .hint(format!("`greylag status -w {}` watches it", lease.run)));
            }
            let first_seq = run.last_seq + 1;
            for event in &batch.run_events {
                run.journal_run(session, batch.now, event)?;
            }
            for transition in &batch.transitions {
                run.write(session, batch.now, transition)?;
            }
            for event in &batch.run_events_after {
                run.journal_run(session, batch.now, event)?;
            }
            if let Some(cohorts) = &batch.cohorts {
                let update = "UPDATE run SET cohorts = ?2 WHERE key = ?1";
                session.execute(update, &[&run.key, &to_text(cohorts)?])?;
            }
            for (ordinal, progress) in &batch.live {
                let update = "UPDATE task SET live = ?3 WHERE run = ?1 AND ordinal = ?2";
                session.execute(update, &[&run.key, &(*ordinal as i64), &to_text(progress)?])?;
            }
            for id in &batch.met {
                session.execute("DELETE FROM request WHERE key = ?1", &[id])?;
            }
            beat(session, &lease.worker, batch.now.plus_millis(lease.ttl_millis))?;
            if !batch.is_empty() {
                run.save(session, batch.now)?;
            }
            Ok(Committed { first_seq, run: run.row, counters: run.counters })
        })?;
        if batch.run_events.iter().any(|event| matches!(event, RunEvent::Replanned { .. })) {
            // Another plan's key; other processes read this run through keys of their own, and see the old plan's text.
            lock(&self.keys).remove(&lease.run);
        }
        Ok(committed)
    }

    fn due(&self, run: &RunId, now: Timestamp, waiting: usize, ready: usize) -> Result<Due, DriverError> {
        self.read(|session| {
            let (key, plan) = self.keys_of(session, run)?;
            let select = format!(
                "SELECT {TASK_COLUMNS}, t.ordinal, p.body, p.awaited FROM task t INDEXED BY task_queue \
                 JOIN plan_task p ON p.plan = ?2 AND p.ordinal = t.ordinal \
                 WHERE t.run = ?1 AND t.state = ?3 AND t.wake <= ?4 ORDER BY t.wake, t.ordinal LIMIT ?5"
            );
            let mut due = Due::default();
            for (state, limit) in [(TaskState::Waiting, waiting), (TaskState::Ready, ready)] {
                if limit > 0 {
                    let params: &[&dyn ToSql] = &[&key, &plan, &state_number(state), &now.0, &(limit as i64)];
                    due.tasks.extend(session.rows(&select, params, loaded)?);
                }
                let next =
                    "SELECT min(wake) FROM task INDEXED BY task_queue WHERE run = ?1 AND state = ?2 AND wake > ?3";
                let params: &[&dyn ToSql] = &[&key, &state_number(state), &now.0];
                let wake = session.row(next, params, |row| get::<Option<i64>>(row, 0))?.flatten().map(Timestamp);
                due.next_wake = due.next_wake.into_iter().chain(wake).min();
            }
            Ok(due)
        })
    }

    fn load(&self, run: &RunId, ordinals: &[u64]) -> Result<Vec<Loaded>, DriverError> {
        self.read(|session| {
            let (key, plan) = self.keys_of(session, run)?;
            let select = format!(
                "SELECT {TASK_COLUMNS}, t.ordinal, p.body, p.awaited FROM task t \
                 JOIN plan_task p ON p.plan = ?2 AND p.ordinal = t.ordinal WHERE t.run = ?1 AND t.ordinal = ?3"
            );
            let mut tasks = Vec::with_capacity(ordinals.len());
            for ordinal in ordinals {
                tasks.extend(session.row(&select, &[&key, &plan, &(*ordinal as i64)], loaded)?);
            }
            Ok(tasks)
        })
    }

    fn related(&self, run: &RunId, relation: Relation, from: u64, limit: usize) -> Result<Vec<Loaded>, DriverError> {
        let (subject, condition, phase) = match relation {
            Relation::WaitFor(on, phase) => (
                on,
                "ordinal FROM plan_dependency WHERE plan = ?1 AND upstream = ?2 AND phase = ?5",
                phase_number(phase),
            ),
            Relation::Dependents(on) => {
                (on, "ordinal FROM plan_dependency WHERE plan = ?1 AND upstream = ?2 AND ?5 >= 0", 0)
            }
            Relation::Dependencies(of) => {
                (of, "upstream AS ordinal FROM plan_dependency WHERE plan = ?1 AND ordinal = ?2 AND ?5 >= 0", 0)
            }
        };
        let select =
            format!("SELECT ordinal FROM (SELECT DISTINCT {condition}) WHERE ordinal >= ?3 ORDER BY ordinal LIMIT ?4");
        let ordinals = self.read(|session| {
            let (_, plan) = self.keys_of(session, run)?;
            let params: &[&dyn ToSql] = &[&plan, &(subject as i64), &(from as i64), &(limit as i64), &phase];
            session.rows(&select, params, |row| count(row, 0))
        })?;
        self.load(run, &ordinals)
    }

    fn checkpoint_all(&self, attempt: &AttemptKey, notes: &[(String, Value)]) -> Result<(), DriverError> {
        let run = self.read(|session| self.keys_of(session, &attempt.run))?.0;
        let text = |(key, value): &(String, Value)| Ok((key.clone(), to_text(value)?));
        let notes = notes.iter().map(text).collect::<Result<Vec<_>, DriverError>>()?;
        let attempt = attempt.clone();
        self.note(move |session| {
            let direction = direction_number(attempt.direction);
            let ordinal = attempt.ordinal as i64;
            let select = "SELECT 1 FROM task WHERE run = ?1 AND ordinal = ?2 AND state = ?3 AND epoch = ?4 AND step = ?5 \
                          AND direction = ?6";
            let running = state_number(TaskState::Running);
            let params: &[&dyn ToSql] = &[&run, &ordinal, &running, &(attempt.epoch as i64), &attempt.step, &direction];
            if session.row(select, params, |_| Ok(()))?.is_none() {
                return Err(stale_attempt(attempt.ordinal));
            }
            let insert = "INSERT OR REPLACE INTO chunk (run, ordinal, step, direction, name, value) \
                          VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            notes.iter().try_for_each(|(name, value)| {
                session.execute(insert, &[&run, &ordinal, &attempt.step, &direction, name, value]).map(drop)
            })
        })
    }

    fn checkpoints(&self, attempt: &AttemptKey) -> Result<Vec<(String, Value)>, DriverError> {
        self.read(|session| {
            let (run, _) = self.keys_of(session, &attempt.run)?;
            let select = "SELECT name, value FROM chunk WHERE run = ?1 AND ordinal = ?2 AND step = ?3 \
                          AND direction = ?4 ORDER BY name";
            let direction = direction_number(attempt.direction);
            session.rows(select, &[&run, &(attempt.ordinal as i64), &attempt.step, &direction], |row| {
                Ok((get(row, 0)?, from_text(&get::<String>(row, 1)?)?))
            })
        })
    }

    fn output(&self, run: &RunId, ordinal: u64, uses: &str) -> Result<Option<Value>, DriverError> {
        self.read(|session| {
            let (run, _) = self.keys_of(session, run)?;
            let select = "SELECT value FROM output WHERE run = ?1 AND ordinal = ?2 AND uses = ?3";
            session.row(select, &[&run, &(ordinal as i64), &uses], |row| from_text(&get::<String>(row, 0)?))
        })
    }
}
