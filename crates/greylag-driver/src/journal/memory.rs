//! The double: a journal in memory that keeps every promise of the traits but the one about crashes.

mod quotas;

use super::{
    AttemptKey, Batch, Committed, Due, Holder, Journal, Loaded, Plans, Posted, Prune, Relation, Request, RunLease,
    RunRecord, Shrunk, TaskFilter, TaskRecord, Transition, Watch, check_plan,
};
use crate::error::DriverError;
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, Timestamp, WorkerId};
use greylag_model::plan::{Plan, PlanHeader, PlanTask};
use greylag_model::task::{
    Counters, Direction, Entry, Event, Progress, RunEvent, RunRow, TaskEvent, TaskRow, TaskState, apply_run,
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A journal in memory.
#[derive(Debug, Default)]
pub struct MemoryJournal(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    plans: BTreeMap<PlanId, SavedPlan>,
    runs: BTreeMap<RunId, SavedRun>,
    /// Names of runs that were removed, and when.
    removed: BTreeMap<RunId, Timestamp>,
    /// Bytes of what was removed since the last time that it was shrunk.
    freed: u64,
    /// Until when each worker's leases hold.
    workers: BTreeMap<WorkerId, Timestamp>,
    saved: u64,
    posted: u64,
    shared: quotas::Shared,
}

#[derive(Debug)]
struct SavedPlan {
    order: u64,
    header: PlanHeader,
    tasks: Vec<Arc<PlanTask>>,
    /// What limits each.
    lanes: Vec<u32>,
}

#[derive(Debug)]
struct SavedRun {
    order: u64,
    record: RunRecord,
    worker: Option<WorkerId>,
    rows: Vec<TaskRow>,
    live: BTreeMap<u64, Progress>,
    entries: Vec<Entry>,
    outputs: BTreeMap<(u64, String), Value>,
    chunks: BTreeMap<(u64, u32, Direction), BTreeMap<String, Value>>,
    requests: Vec<Posted>,
}

impl MemoryJournal {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run_unknown(run: &RunId) -> DriverError {
    DriverError::permanent(code::RUN_UNKNOWN, format!("there is no run `{run}`"))
        .hint("`greylag runs` lists the runs of this state folder")
}

fn run_removed(run: &RunId) -> DriverError {
    DriverError::conflict(code::RUN_EXISTS, format!("a run `{run}` existed and was removed; a name is used once"))
}

fn lease_lost(run: &RunId) -> DriverError {
    DriverError::conflict(code::LEASE_LOST, format!("the lease of run `{run}` was taken over by another process"))
}

fn stale_attempt(ordinal: u64) -> DriverError {
    DriverError::conflict(
        code::STALE_ATTEMPT,
        format!("the attempt of task number `{ordinal}` is no longer the one that runs"),
    )
}

impl Inner {
    fn run(&self, run: &RunId) -> Result<&SavedRun, DriverError> {
        self.runs.get(run).ok_or_else(|| run_unknown(run))
    }

    fn run_mut(&mut self, run: &RunId) -> Result<&mut SavedRun, DriverError> {
        self.runs.get_mut(run).ok_or_else(|| run_unknown(run))
    }

    fn plan_of(&self, run: &SavedRun) -> &[Arc<PlanTask>] {
        self.plans.get(&run.record.plan).map_or(&[], |plan| &plan.tasks)
    }

    fn loaded(&self, run: &SavedRun, ordinal: u64) -> Option<Loaded> {
        let tasks = self.plan_of(run);
        let plan = tasks.get(ordinal as usize)?;
        let has_dependents = tasks.iter().any(|task| task.after.iter().any(|after| after.task == plan.id));
        let row = run.rows.get(ordinal as usize)?.clone();
        let lane = self.plans.get(&run.record.plan).and_then(|plan| plan.lanes.get(ordinal as usize)).copied();
        Some(Loaded { ordinal, row, plan: Arc::clone(plan), has_dependents, lane: lane.unwrap_or_default() })
    }

    fn record(&self, run: &SavedRun) -> RunRecord {
        let lease = run.worker.as_ref().and_then(|worker| {
            let until = *self.workers.get(worker)?;
            Some(Holder { worker: worker.clone(), until, dead: false })
        });
        RunRecord { lease, ..run.record.clone() }
    }
}

impl SavedRun {
    fn journal(&mut self, at: Timestamp, task: Option<greylag_model::id::TaskId>, event: Event) {
        self.record.last_seq += 1;
        self.record.updated_at = at;
        self.entries.push(Entry { seq: self.record.last_seq, at, task, event });
    }

    fn journal_run(&mut self, at: Timestamp, event: &RunEvent) {
        self.record.row = apply_run(&self.record.row, event);
        if let RunEvent::Replanned { plan, .. } = event {
            self.record.plan = plan.clone();
        }
        self.journal(at, None, Event::Run(event.clone()));
    }

    fn expects(&self, transition: &Transition) -> bool {
        self.rows
            .get(transition.ordinal as usize)
            .is_some_and(|row| row.state == transition.from && row.epoch == transition.from_epoch)
    }

    fn write(&mut self, at: Timestamp, id: &greylag_model::id::TaskId, transition: &Transition) {
        for event in &transition.events {
            if let TaskEvent::StepDone { progress, direction, .. } = event {
                self.record.steps_done += 1;
                if *direction == Direction::Forward {
                    self.record.progress = self.record.progress.plus(*progress);
                }
            }
            self.journal(at, Some(id.clone()), Event::Task(event.clone()));
        }
        self.record.counters.moved(transition.from, transition.after.state);
        self.rows[transition.ordinal as usize] = transition.after.clone();
        self.live.remove(&transition.ordinal);
        if let Some(output) = &transition.output {
            self.outputs.insert((transition.ordinal, output.name.clone()), Value::clone(&output.value));
        }
    }

    fn runs_attempt(&self, attempt: &AttemptKey) -> bool {
        self.rows.get(attempt.ordinal as usize).is_some_and(|row| {
            row.state == TaskState::Running
                && row.epoch == attempt.epoch
                && row.step == attempt.step
                && row.direction == attempt.direction
        })
    }
}

impl Plans for MemoryJournal {
    fn save_plan(&self, plan: &Plan) -> Result<(), DriverError> {
        check_plan(plan)?;
        let mut inner = self.inner();
        inner.saved += 1;
        let saved = SavedPlan {
            order: inner.saved,
            header: plan.header.clone(),
            tasks: plan.tasks.iter().cloned().map(Arc::new).collect(),
            lanes: greylag_model::limit::lanes(&plan.tasks),
        };
        inner.plans.entry(plan.header.id.clone()).or_insert(saved);
        Ok(())
    }

    fn plan(&self, plan: &PlanId) -> Result<Option<PlanHeader>, DriverError> {
        Ok(self.inner().plans.get(plan).map(|plan| plan.header.clone()))
    }

    fn plan_tasks(&self, plan: &PlanId, from: u64, limit: usize) -> Result<Vec<PlanTask>, DriverError> {
        let inner = self.inner();
        let tasks = inner.plans.get(plan).map_or(&[][..], |plan| &plan.tasks);
        Ok(tasks.iter().skip(from as usize).take(limit).map(|task| PlanTask::clone(task)).collect())
    }

    fn plans(&self, limit: usize) -> Result<Vec<PlanHeader>, DriverError> {
        let inner = self.inner();
        let mut plans: Vec<_> = inner.plans.values().collect();
        plans.sort_by_key(|plan| std::cmp::Reverse(plan.order));
        Ok(plans.into_iter().take(limit).map(|plan| plan.header.clone()).collect())
    }
}

impl Watch for MemoryJournal {
    fn run(&self, run: &RunId) -> Result<Option<RunRecord>, DriverError> {
        let inner = self.inner();
        Ok(inner.runs.get(run).map(|run| inner.record(run)))
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, DriverError> {
        let inner = self.inner();
        let mut runs: Vec<_> = inner.runs.values().collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.order));
        Ok(runs.into_iter().take(limit).map(|run| inner.record(run)).collect())
    }

    fn tasks(&self, run: &RunId, filter: &TaskFilter, from: u64, limit: usize) -> Result<Vec<TaskRecord>, DriverError> {
        let inner = self.inner();
        let run = inner.run(run)?;
        let rows = inner.plan_of(run).iter().zip(&run.rows).enumerate().skip(from as usize);
        let record = |(ordinal, (plan, row)): (usize, (&Arc<PlanTask>, &TaskRow))| TaskRecord {
            ordinal: ordinal as u64,
            id: plan.id.clone(),
            steps: plan.steps.len() as u32,
            row: row.clone(),
            live: run.live.get(&(ordinal as u64)).copied(),
        };
        let passes = |record: &TaskRecord| {
            (filter.states.is_empty() || filter.states.contains(&record.row.state))
                && filter.id.as_ref().is_none_or(|id| *id == record.id)
        };
        Ok(rows.map(record).filter(passes).take(limit).collect())
    }

    fn events(&self, run: &RunId, after: u64, limit: usize) -> Result<Vec<Entry>, DriverError> {
        let inner = self.inner();
        Ok(inner.run(run)?.entries.iter().skip(after as usize).take(limit).cloned().collect())
    }

    fn post(&self, run: &RunId, request: &Request, now: Timestamp) -> Result<(), DriverError> {
        let mut inner = self.inner();
        inner.posted += 1;
        let id = inner.posted as i64;
        inner.run_mut(run)?.requests.push(Posted { id, at: now, request: request.clone() });
        Ok(())
    }

    fn requests(&self, run: &RunId) -> Result<Vec<Posted>, DriverError> {
        Ok(self.inner().run(run)?.requests.clone())
    }

    fn version(&self) -> Result<u64, DriverError> {
        Ok(self.inner().posted)
    }
}

impl Journal for MemoryJournal {
    fn create_run(&self, run: &RunId, plan: &PlanId, now: Timestamp) -> Result<(), DriverError> {
        let mut inner = self.inner();
        if inner.runs.contains_key(run) {
            return Err(DriverError::conflict(code::RUN_EXISTS, format!("a run `{run}` exists")));
        }
        if inner.removed.contains_key(run) {
            return Err(run_removed(run));
        }
        let Some(saved) = inner.plans.get(plan) else {
            return Err(DriverError::permanent(code::PLAN_UNKNOWN, format!("there is no saved plan `{plan}`")));
        };
        let row = |task: &Arc<PlanTask>| {
            let mut after: Vec<_> = task.after.iter().map(|after| (&after.task, after.phase)).collect();
            after.sort_unstable();
            after.dedup();
            TaskRow::new(after.len() as u32, task.cohort > 0, now)
        };
        let rows: Vec<TaskRow> = saved.tasks.iter().map(row).collect();
        let mut counters = Counters::default();
        for row in &rows {
            *counters.of(row.state) += 1;
        }
        let record = RunRecord {
            id: run.clone(),
            plan: plan.clone(),
            migration: saved.header.migration.clone(),
            row: RunRow::default(),
            counters,
            cohorts: Vec::new(),
            progress: Progress::default(),
            steps_done: 0,
            last_seq: 0,
            epoch: 0,
            lease: None,
            created_at: now,
            updated_at: now,
        };
        let created = RunEvent::RunCreated { plan: plan.clone(), tasks: rows.len() as u64 };
        inner.saved += 1;
        let mut saved = SavedRun {
            order: inner.saved,
            record,
            worker: None,
            rows,
            live: BTreeMap::new(),
            entries: Vec::new(),
            outputs: BTreeMap::new(),
            chunks: BTreeMap::new(),
            requests: Vec::new(),
        };
        saved.journal_run(now, &created);
        inner.runs.insert(run.clone(), saved);
        Ok(())
    }

    fn claim(&self, run: &RunId, worker: &WorkerId, now: Timestamp, ttl_millis: i64) -> Result<RunLease, DriverError> {
        let mut inner = self.inner();
        let holder = inner.run(run)?.worker.clone().filter(|holder| holder != worker);
        if let Some(holder) = holder
            && inner.workers.get(&holder).is_some_and(|until| *until > now)
        {
            let message = format!("run `{run}` is driven by `{holder}`");
            return Err(DriverError::conflict(code::RUN_DRIVEN, message));
        }
        inner.workers.insert(worker.clone(), now.plus_millis(ttl_millis));
        let saved = inner.run_mut(run)?;
        saved.worker = Some(worker.clone());
        saved.record.epoch += 1;
        let epoch = saved.record.epoch;
        saved.journal_run(now, &RunEvent::RunClaimed { worker: worker.clone(), epoch });
        Ok(RunLease { run: run.clone(), worker: worker.clone(), epoch, ttl_millis })
    }

    fn release(&self, lease: &RunLease) -> Result<(), DriverError> {
        let mut inner = self.inner();
        let run = inner.run_mut(&lease.run)?;
        if run.record.epoch == lease.epoch {
            run.worker = None;
        }
        Ok(())
    }

    fn commit(&self, lease: &RunLease, batch: &Batch) -> Result<Committed, DriverError> {
        let mut inner = self.inner();
        let run = inner.run(&lease.run)?;
        if run.record.epoch != lease.epoch {
            return Err(lease_lost(&lease.run));
        }
        if let Some(transition) = batch.transitions.iter().find(|transition| !run.expects(transition)) {
            return Err(stale_attempt(transition.ordinal));
        }
        for event in batch.run_events.iter().chain(&batch.run_events_after) {
            if let RunEvent::Replanned { plan, .. } = event
                && !inner.plans.contains_key(plan)
            {
                return Err(DriverError::permanent(code::PLAN_UNKNOWN, format!("there is no saved plan `{plan}`")));
            }
        }
        let tasks = inner.plan_of(run);
        let ids: Vec<_> = batch.transitions.iter().map(|each| tasks[each.ordinal as usize].id.clone()).collect();
        let run = inner.run_mut(&lease.run)?;
        let first_seq = run.record.last_seq + 1;
        for event in &batch.run_events {
            run.journal_run(batch.now, event);
        }
        for (transition, id) in batch.transitions.iter().zip(&ids) {
            run.write(batch.now, id, transition);
        }
        for event in &batch.run_events_after {
            run.journal_run(batch.now, event);
        }
        if let Some(cohorts) = &batch.cohorts {
            run.record.cohorts.clone_from(cohorts);
        }
        run.live.extend(batch.live.iter().copied());
        run.requests.retain(|posted| !batch.met.contains(&posted.id));
        let committed = Committed { first_seq, run: run.record.row, counters: run.record.counters };
        inner.workers.insert(lease.worker.clone(), batch.now.plus_millis(lease.ttl_millis));
        Ok(committed)
    }

    fn due(&self, run: &RunId, now: Timestamp, waiting: usize, ready: usize) -> Result<Due, DriverError> {
        let inner = self.inner();
        let run = inner.run(run)?;
        let mut queue: Vec<(bool, Timestamp, u64)> = Vec::new();
        for (ordinal, row) in run.rows.iter().enumerate() {
            if let (TaskState::Ready | TaskState::Waiting, Some(wake)) = (row.state, row.wake) {
                queue.push((row.state == TaskState::Ready, wake, ordinal as u64));
            }
        }
        queue.sort_unstable();
        let next_wake = queue.iter().map(|(_, wake, _)| *wake).filter(|wake| *wake > now).min();
        queue.retain(|(_, wake, _)| *wake <= now);
        let split = queue.partition_point(|(is_ready, _, _)| !is_ready);
        let queue = queue[..split].iter().take(waiting).chain(queue[split..].iter().take(ready));
        let tasks: Vec<_> = queue.filter_map(|(_, _, ordinal)| inner.loaded(run, *ordinal)).collect();
        Ok(Due { tasks, next_wake })
    }

    fn load(&self, run: &RunId, ordinals: &[u64]) -> Result<Vec<Loaded>, DriverError> {
        let inner = self.inner();
        let run = inner.run(run)?;
        Ok(ordinals.iter().filter_map(|ordinal| inner.loaded(run, *ordinal)).collect())
    }

    fn related(&self, run: &RunId, relation: Relation, from: u64, limit: usize) -> Result<Vec<Loaded>, DriverError> {
        let inner = self.inner();
        let run = inner.run(run)?;
        let tasks = inner.plan_of(run);
        let id = |ordinal: u64| tasks.get(ordinal as usize).map(|task| &task.id);
        let related = |task: &PlanTask| match relation {
            Relation::WaitFor(on, phase) => {
                task.after.iter().any(|after| Some(&after.task) == id(on) && after.phase == phase)
            }
            Relation::Dependents(on) => task.after.iter().any(|after| Some(&after.task) == id(on)),
            Relation::Dependencies(of) => {
                tasks.get(of as usize).is_some_and(|of| of.after.iter().any(|after| after.task == task.id))
            }
        };
        let found = tasks.iter().enumerate().skip(from as usize).filter(|(_, task)| related(task)).take(limit);
        Ok(found.filter_map(|(ordinal, _)| inner.loaded(run, ordinal as u64)).collect())
    }

    fn checkpoint_all(&self, attempt: &AttemptKey, notes: &[(String, Value)]) -> Result<(), DriverError> {
        let mut inner = self.inner();
        let run = inner.run_mut(&attempt.run)?;
        if !run.runs_attempt(attempt) {
            return Err(stale_attempt(attempt.ordinal));
        }
        let chunks = run.chunks.entry((attempt.ordinal, attempt.step, attempt.direction)).or_default();
        chunks.extend(notes.iter().cloned());
        Ok(())
    }

    fn checkpoints(&self, attempt: &AttemptKey) -> Result<Vec<(String, Value)>, DriverError> {
        let inner = self.inner();
        let chunks = inner.run(&attempt.run)?.chunks.get(&(attempt.ordinal, attempt.step, attempt.direction));
        Ok(chunks.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn output(&self, run: &RunId, ordinal: u64, uses: &str) -> Result<Option<Value>, DriverError> {
        Ok(self.inner().run(run)?.outputs.get(&(ordinal, uses.to_owned())).cloned())
    }
}

impl Prune for MemoryJournal {
    fn plan_bytes(&self, plan: &PlanId) -> Result<u64, DriverError> {
        Ok(self.inner().plans.get(plan).map_or(0, SavedPlan::bytes))
    }

    fn run_bytes(&self, run: &RunId) -> Result<u64, DriverError> {
        Ok(self.inner().runs.get(run).map_or(0, SavedRun::bytes))
    }

    fn remove_plan(&self, plan: &PlanId) -> Result<bool, DriverError> {
        let mut inner = self.inner();
        if let Some(run) = inner.runs.values().find(|run| run.record.plan == *plan) {
            let message = format!("the plan `{plan}` is that of run `{}`", run.record.id);
            return Err(DriverError::conflict(code::PLAN_IN_USE, message));
        }
        let removed = inner.plans.remove(plan);
        inner.freed += removed.as_ref().map_or(0, SavedPlan::bytes);
        Ok(removed.is_some())
    }

    fn remove_run(&self, run: &RunId, now: Timestamp) -> Result<bool, DriverError> {
        let mut inner = self.inner();
        let Some(saved) = inner.runs.get(run) else { return Ok(false) };
        let driven =
            saved.worker.as_ref().and_then(|worker| inner.workers.get(worker)).is_some_and(|until| *until > now);
        if driven || !saved.record.row.state.has_ended() {
            let message = format!("the run `{run}` is {} and cannot be removed", saved.record.row.state.as_str());
            return Err(DriverError::conflict(code::RUN_IN_USE, message));
        }
        inner.freed += saved.bytes();
        inner.runs.remove(run);
        inner.removed.insert(run.clone(), now);
        Ok(true)
    }

    fn removed_at(&self, run: &RunId) -> Result<Option<Timestamp>, DriverError> {
        Ok(self.inner().removed.get(run).copied())
    }

    fn shrink(&self) -> Result<Shrunk, DriverError> {
        let mut inner = self.inner();
        let plans: u64 = inner.plans.values().map(SavedPlan::bytes).sum();
        let after = plans + inner.runs.values().map(SavedRun::bytes).sum::<u64>();
        Ok(Shrunk { before: after + std::mem::take(&mut inner.freed), after })
    }
}

impl SavedPlan {
    fn bytes(&self) -> u64 {
        bytes(&self.header) + self.tasks.iter().map(|task| bytes(task.as_ref())).sum::<u64>()
    }
}

impl SavedRun {
    fn bytes(&self) -> u64 {
        let entries: u64 = self.entries.iter().map(bytes).sum();
        let rows: u64 = self.rows.iter().map(bytes).sum();
        let chunks: u64 = self.chunks.values().map(bytes).sum();
        entries + rows + chunks + self.outputs.values().map(bytes).sum::<u64>()
    }
}

fn bytes<T: Serialize>(value: &T) -> u64 {
    serde_json::to_string(value).map_or(0, |text| text.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::MemoryJournal;

    #[test]
    fn keeps_the_promises_of_a_journal() {
        super::super::conformance::prune::run(&|| Box::new(MemoryJournal::default()));
    }
}
