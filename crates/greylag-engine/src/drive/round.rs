//! One round's parts: reports in, leases out, and what follows a commit.

use super::draft::Draft;
use super::outputs::Outputs;
use super::pool::{Board, Errand, Job, Report, interrupted, point_name};
use super::{Decider, Flight, PAGE, Told};
use crate::rehearse::notes_of_undo;
use greylag_driver::error::DriverError;
use greylag_driver::executor::Outcome;
use greylag_driver::journal::{AttemptKey, Due, Loaded, Relation, StepOutput};
use greylag_model::code::engine as code;
use greylag_model::id::Timestamp;
use greylag_model::spec::ErrorClass;
use greylag_model::task::{
    Circumstances, Command, Direction, Failure, Goal, Input, Phase, RunState, Step, TaskEvent, TaskRow, TaskState,
};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Intents are written so much work ahead of the threads at most.
const LONGEST_AHEAD: Duration = Duration::from_millis(4);
/// Attempts that wait for each thread if steps are short, so that a commit never holds up the mapping of thousands of small
/// datasets. Of the numbers tried with `cargo xtask bench small` the best.
const WAITING: usize = 12;
/// A step below this is short.
const SHORT: Duration = Duration::from_millis(100);

impl Decider<'_> {
    /// Takes in what flights have reported, and lets tasks go on to their next step at once.
    pub(super) fn take_reports(&mut self, draft: &mut Draft, reports: Vec<Report>) -> Result<(), DriverError> {
        for report in reports {
            if let Errand::Cancel(_) = report.errand {
                // Ending pending work is a courtesy: nothing waits for it, so its failure changes nothing.
                self.cancels = self.cancels.saturating_sub(1);
                continue;
            }
            let current = self.flights.get(&report.ordinal);
            if current.is_none_or(|flight| flight.task.row.epoch != report.epoch || flight.errand != report.errand) {
                // Given up before; its thread has come back after all.
                self.abandoned = self.abandoned.saturating_sub(1);
                self.quota.end(report.ordinal, report.epoch);
                continue;
            }
            let Some(flight) = self.flights.remove(&report.ordinal) else { continue };
            let row = &flight.task.row;
            if let Some(step) = flight.task.plan.steps.get(row.step as usize) {
                self.pace.report(&step.uses, row.direction, report.took);
            }
            self.take_report(draft, &flight, report.result)?;
            // A task that has gone on has another epoch by now.
            self.quota.end(report.ordinal, report.epoch);
        }
        Ok(())
    }

    fn take_report(
        &mut self,
        draft: &mut Draft,
        flight: &Flight,
        result: Result<Outcome, DriverError>,
    ) -> Result<(), DriverError> {
        let task = &flight.task;
        let around = self.around(draft.batch.now, task.ordinal);
        let step = task.plan.steps.get(task.row.step as usize);
        let input = match result {
            Ok(Outcome::Done(report)) => {
                let said = step.and_then(|step| said(step, task.row.direction, report.output, &report.notes));
                let output = said.map(|(name, value)| StepOutput { step: task.row.step, name, value: Arc::new(value) });
                let known = flight.outputs.clone();
                let known = match &output {
                    Some(output) => known.with(&output.name, &output.value),
                    None => known,
                };
                draft.outputs.insert(task.ordinal, known);
                let input = Input::Done { progress: report.progress, checks: report.checks, notes: report.notes };
                // The flight holds a row that only this process moves: the input always fits it.
                let _ = draft.decide(task, input, &around);
                if let Some(output) = output {
                    draft.output(task.ordinal, output);
                }
                return self.go_on(draft, task, &around);
            }
            Ok(Outcome::Pending { handle, wake }) => {
                let deadline = step.map(|step| task.row.attempt_at.plus_millis(step.timeout_millis));
                if deadline.is_some_and(|deadline| deadline <= around.now) {
                    Input::Failed(timed_out(task))
                } else {
                    Input::Pending { handle, wake }
                }
            }
            Err(error) => match flight.told {
                Some((Told::Stop(_), _)) if matches!(flight.errand, Errand::Poll(_)) => return Ok(()),
                Some((Told::Stop(reason), _)) => Input::Stopped(reason),
                Some((Told::TimedOut, _)) => Input::Failed(timed_out(task)),
                None => Input::Failed(error.into()),
            },
        };
        let _ = draft.decide(task, input, &around);
        Ok(())
    }

    /// Leases the next step of a task that has just done one, in the same commit.
    fn go_on(&mut self, draft: &mut Draft, task: &Loaded, around: &Circumstances) -> Result<(), DriverError> {
        let may = self.may_begin();
        let row = draft.row(task);
        let epoch = row.epoch + 1;
        if may && row.state == TaskState::Ready && self.may_go_on(task, (task.row.epoch, epoch), around.now)? {
            self.lease(draft, task, around);
        }
        Ok(())
    }

    fn may_begin(&self) -> bool {
        let running = self.row.state == RunState::Running && self.row.goal != Goal::Abort;
        self.leases && running && self.halted().is_none() && !self.makes_room
    }

    /// Whether a suspect is under way, beside which nothing is begun.
    fn suspect_flies(&self) -> bool {
        self.flights.len() == 1 && self.flights.values().any(|flight| flight.task.row.is_suspect())
    }

    /// Takes an intent into the batch, unless the fault point before it fails. What was held for it and is not needed is let go.
    fn lease(&mut self, draft: &mut Draft, task: &Loaded, around: &Circumstances) {
        let epoch = draft.row(task).epoch + 1;
        self.try_lease(draft, task, around);
        let row = draft.row(task);
        if row.state != TaskState::Running || row.epoch != epoch {
            self.quota.end(task.ordinal, epoch);
        }
    }

    fn try_lease(&mut self, draft: &mut Draft, task: &Loaded, around: &Circumstances) {
        let row = draft.row(task);
        let step = task.plan.steps.get(row.step as usize);
        if let Some(step) = step
            && self.hit(&step.uses, row.direction, "before-intent").is_err()
        {
            return;
        }
        if let Some(until) = closed_until(task, row, around) {
            let _ = draft.decide(task, Input::Postpone { until }, around);
            return;
        }
        let worker = self.lease.worker.clone();
        let _ = draft.decide(task, Input::Lease(&worker), around);
    }

    fn hit(&self, uses: &str, direction: Direction, point: &str) -> Result<(), DriverError> {
        let faults = &self.shared.drivers.faults;
        if !faults.armed() {
            return Ok(());
        }
        faults.hit(&point_name(uses, direction, point)).map_err(|error| interrupted(point, &error))
    }

    /// How many flights there should be: one per thread, and as many that wait for one as the threads can do while a commit
    /// (and the one after it) waits for the disk, but one per thread at least, and [`WAITING`] if steps are
    /// [`SHORT`]. The fewer wait, the more often a thread has nothing to do; the more wait, the longer the next commit, and
    /// the more attempts are lost with a process that dies.
    fn capacity(&self) -> usize {
        let limits = &self.shared.limits;
        let threads = limits.workers.max(1);
        let waiting = match self.pace.step() {
            None => threads,
            Some(step) if step.is_zero() => limits.ahead,
            Some(step) => {
                let wait = (self.commit_time * 2).min(LONGEST_AHEAD);
                let during_commits = wait.as_secs_f64() / step.as_secs_f64() * threads as f64;
                let at_least = if step < SHORT { WAITING * threads } else { threads };
                at_least.max(during_commits as usize)
            }
        };
        threads + waiting.min(limits.ahead)
    }

    /// Leases tasks that are due, and sends for news of pending work, up to the capacity.
    pub(super) fn lease_due(&mut self, draft: &mut Draft) -> Result<Due, DriverError> {
        let going = self.flights.len() + draft.errands.len();
        if self.makes_room && going > 0 {
            return Ok(Due::default());
        }
        self.makes_room = false;
        let may = self.may_begin() && self.sweep.is_none() && !self.suspect_flies();
        let capacity = self.capacity();
        // A query per report would cost more than it brings: wait until a quarter of the places is free.
        if !may || going + capacity.div_ceil(4) > capacity {
            return Ok(Due::default());
        }
        // Asking after pending work takes half of the places at most, so that it never keeps ready tasks from beginning.
        let polled = self.flights.values().filter(|flight| matches!(flight.errand, Errand::Poll(_))).count();
        let may_poll = (capacity / 2).max(1).saturating_sub(polled);
        let wanted = capacity - going;
        // Rows in flight and in this very batch are still shown as they were.
        let moved = draft.batch.transitions.len();
        let waiting = if may_poll == 0 { 0 } else { may_poll + polled + moved };
        let mut due = self.shared.drivers.journal.due(&self.lease.run, draft.batch.now, waiting, wanted + moved)?;
        let (mut polls, mut ready) = (Vec::new(), Vec::new());
        for task in &due.tasks {
            match task.row.handle.as_ref().filter(|_| task.row.state == TaskState::Waiting) {
                Some(handle) if polls.len() < may_poll && !self.is_known(draft, task) => {
                    polls.push((task.clone(), handle.clone()));
                }
                Some(_) => {}
                None => ready.push(task.clone()),
            }
        }
        let places = wanted.saturating_sub(polls.len());
        self.lease_ready(draft, ready, places, going + polls.len() > 0)?;
        let jobs = polls
            .into_iter()
            .map(|(task, handle)| self.take_off(task, Outputs::default(), Errand::Poll(handle)))
            .collect();
        self.pool.submit(jobs);
        due.tasks.retain(|task| !self.flights.contains_key(&task.ordinal));
        Ok(due)
    }

    /// Whether a task is under way or was moved in this batch, or is not to go forth while the rest is taken back.
    fn is_known(&self, draft: &Draft, task: &Loaded) -> bool {
        let moved = self.flights.contains_key(&task.ordinal) || draft.row(task) != &task.row;
        moved || (self.row.goal == Goal::Undo && task.row.direction == Direction::Forward)
    }

    /// Leases ready tasks, as many as there are places. Where limits refuse some, those of other lanes are looked for.
    fn lease_ready(
        &mut self,
        draft: &mut Draft,
        mut ready: Vec<Loaded>,
        mut places: usize,
        busy: bool,
    ) -> Result<(), DriverError> {
        let now = draft.batch.now;
        let mut leased = 0;
        loop {
            let mut chosen = Vec::new();
            for task in &ready {
                if chosen.len() == places || self.is_known(draft, task) || self.quota.closed.contains(&task.lane) {
                    continue;
                }
                if task.row.is_suspect() {
                    // Alone or not at all.
                    self.makes_room = busy || leased + chosen.len() > 0;
                    if !self.makes_room {
                        chosen.push(task);
                    }
                    places = chosen.len();
                    break;
                }
                chosen.push(task);
            }
            let epochs: Vec<u64> = chosen.iter().map(|task| task.row.epoch + 1).collect();
            let before = self.quota.closed.len();
            let granted = self.admit(&chosen, &epochs, now)?;
            for task in chosen.iter().zip(&granted).filter_map(|(task, granted)| granted.then_some(*task)) {
                let around = self.around(now, task.ordinal);
                self.lease(draft, task, &around);
                places = places.saturating_sub(1);
                leased += 1;
            }
            // Every further look has one closed lane more, so this ends.
            if places == 0 || self.quota.closed.len() == before {
                return Ok(());
            }
            let moved = draft.batch.transitions.len();
            let journal = &self.shared.drivers.journal;
            ready = journal.due_beside(&self.lease.run, now, places + moved, &self.quota.closed)?;
        }
    }

    /// Does what follows a commit: rows of flights are as committed, attempts begin, pending work is ended.
    pub(super) fn after_commit(&mut self, mut draft: Draft) -> Result<(), DriverError> {
        let mut rows: std::collections::HashMap<u64, Loaded> = std::collections::HashMap::new();
        for transition in std::mem::take(&mut draft.batch.transitions) {
            for event in &transition.events {
                if let TaskEvent::StepDone { uses, direction, .. } = event {
                    // The outcome is on disk: a failure here has nothing left to fail.
                    let _ = self.hit(uses, *direction, "after-commit");
                }
            }
            if let Some(plan) = draft.plans.get(&transition.ordinal) {
                let plan = Arc::clone(plan);
                let (has_dependents, lane) = draft.kept(transition.ordinal);
                let ordinal = transition.ordinal;
                rows.insert(ordinal, Loaded { ordinal, row: transition.after, plan, has_dependents, lane });
            }
        }
        let mut jobs = Vec::new();
        for (ordinal, command) in std::mem::take(&mut draft.errands) {
            let Some(task) = rows.get(&ordinal) else { continue };
            match command {
                Command::Start => {
                    let task = task.clone();
                    let uses = task.plan.steps[task.row.step as usize].uses.clone();
                    match self.hit(&uses, task.row.direction, "after-intent") {
                        Ok(()) => {
                            let outputs = draft.outputs.remove(&ordinal);
                            let outputs = outputs.unwrap_or_else(|| Outputs::unseen(&task.row));
                            jobs.push(self.take_off(task, outputs, Errand::Start));
                        }
                        Err(error) => self.fail_at_once(task, error)?,
                    }
                }
                Command::Cancel { step, direction, handle } => {
                    self.cancels += 1;
                    jobs.push(self.job(
                        task,
                        (step, direction),
                        Outputs::default(),
                        Errand::Cancel(handle),
                        Arc::default(),
                    ));
                }
                Command::PhaseDone(_) | Command::SkipDependents | Command::TakenBack | Command::NotTakenBack => {}
            }
        }
        self.pool.submit(jobs);
        Ok(())
    }

    /// An attempt whose intent is on disk and that cannot begin.
    fn fail_at_once(&mut self, task: Loaded, error: DriverError) -> Result<(), DriverError> {
        self.quota.end(task.ordinal, task.row.epoch);
        let mut draft = Draft::default();
        draft.batch.now = self.time.now();
        let around = self.around(draft.batch.now, task.ordinal);
        let _ = draft.decide(&task, Input::Failed(error.into()), &around);
        self.tell_others(&mut draft)?;
        self.commit(draft)
    }

    fn take_off(&mut self, task: Loaded, outputs: Outputs, errand: Errand) -> Job {
        let board = Arc::new(Board::default());
        let (step, direction) = (task.row.step, task.row.direction);
        let job = self.job(&task, (step, direction), outputs.clone(), errand.clone(), Arc::clone(&board));
        self.flights.insert(task.ordinal, Flight { task, outputs, errand, board, told: None });
        job
    }

    fn job(
        &self,
        task: &Loaded,
        (step, direction): (u32, Direction),
        outputs: Outputs,
        errand: Errand,
        board: Arc<Board>,
    ) -> Job {
        let (ordinal, epoch) = (task.ordinal, task.row.epoch);
        let key = AttemptKey { run: self.lease.run.clone(), ordinal, step, direction, epoch };
        let (header, plan) = (Arc::clone(&self.header), Arc::clone(&task.plan));
        Job { key, attempt: task.row.attempt, header, plan, outputs, errand, board }
    }

    /// Whether a tick has passed since the last look at requests and time-outs.
    pub(super) fn is_time_to_look(&mut self) -> bool {
        let elapsed = self.shared.drivers.clock.elapsed();
        let tick = Duration::from_millis(self.shared.limits.tick_millis.max(0) as u64);
        let looks = self.looked_at.is_none_or(|at| elapsed.saturating_sub(at) >= tick);
        if looks {
            self.looked_at = Some(elapsed);
        }
        looks
    }

    /// Time-outs, attempts that do not end when told to, and progress.
    pub(super) fn look_at_flights(&mut self, draft: &mut Draft) -> Result<(), DriverError> {
        let elapsed = self.shared.drivers.clock.elapsed();
        let grace = Duration::from_millis(self.shared.limits.grace_millis.max(0) as u64);
        let mut given_up = Vec::new();
        let mut live = Vec::new();
        for (ordinal, flight) in &mut self.flights {
            if let Some(progress) = flight.board.take_live() {
                live.push((*ordinal, progress));
            }
            let step = flight.task.plan.steps.get(flight.task.row.step as usize);
            let timeout = Duration::from_millis(step.map_or(0, |step| step.timeout_millis.max(0) as u64));
            let begun = flight.board.begun();
            match flight.told {
                None if begun.is_some_and(|begun| elapsed.saturating_sub(begun) >= timeout) => {
                    flight.board.cancel();
                    flight.told = Some((Told::TimedOut, elapsed));
                }
                Some((_, since)) if begun.is_some() && elapsed.saturating_sub(since) >= grace => {
                    given_up.push(*ordinal);
                }
                _ => {}
            }
        }
        let shown: Vec<_> = live
            .iter()
            .filter_map(|(ordinal, progress)| self.flights.get(ordinal).map(|flight| (&flight.task.plan.id, *progress)))
            .collect();
        if !shown.is_empty() {
            self.observer.progress(&shown);
        }
        draft.batch.live = live;
        for ordinal in given_up {
            self.give_up(draft, ordinal)?;
        }
        Ok(())
    }

    /// Leaves an attempt that does not end to itself.
    fn give_up(&mut self, draft: &mut Draft, ordinal: u64) -> Result<(), DriverError> {
        let Some(flight) = self.flights.remove(&ordinal) else { return Ok(()) };
        draft.batch.live.retain(|(live, _)| *live != ordinal);
        let around = self.around(draft.batch.now, ordinal);
        let told = flight.told.map_or(Told::TimedOut, |(told, _)| told);
        let input = match told {
            Told::TimedOut => Some(Input::Failed(timed_out(&flight.task))),
            Told::Stop(_) if matches!(flight.errand, Errand::Poll(_)) => None,
            Told::Stop(reason) => Some(Input::Stopped(reason)),
        };
        if let Some(input) = input {
            let _ = draft.decide(&flight.task, input, &around);
        }
        self.abandoned += 1;
        if self.abandoned > self.shared.limits.abandoned {
            let message = format!("`{}` attempts hang and were given up", self.abandoned);
            return Err(DriverError::permanent(code::STUCK, message));
        }
        self.pool.add_thread()
    }

    /// Decides for tasks that stand in a relation to those of the batch, in the same batch.
    pub(super) fn tell_others(&mut self, draft: &mut Draft) -> Result<(), DriverError> {
        while let Some((ordinal, command)) = draft.tell.pop_front() {
            let relation = match &command {
                Command::PhaseDone(phase) => Relation::WaitFor(ordinal, *phase),
                Command::SkipDependents => Relation::Dependents(ordinal),
                Command::TakenBack | Command::NotTakenBack => Relation::Dependencies(ordinal),
                Command::Start | Command::Cancel { .. } => continue,
            };
            let name = draft.plans.get(&ordinal).map(|plan| plan.id.to_string()).unwrap_or_default();
            let mut from = 0;
            loop {
                let page = self.shared.drivers.journal.related(&self.lease.run, relation, from, PAGE)?;
                let Some(last) = page.last() else { break };
                from = last.ordinal + 1;
                for task in &page {
                    self.tell(draft, task, &command, &name);
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, draft: &mut Draft, task: &Loaded, command: &Command, about: &str) {
        let around = self.around(draft.batch.now, task.ordinal);
        let row = draft.row(task);
        let input = match command {
            Command::SkipDependents if row.blocked_by > 0 && row.state == TaskState::Pending => Input::Skip(Failure {
                hints: vec!["`greylag retry --failed` takes up both once the other one is mended".to_owned()],
                ..Failure::new(
                    ErrorClass::Permanent,
                    code::DEPENDENCY_FAILED,
                    format!("task `{about}`, which this one waits for, did not end well"),
                )
            }),
            Command::PhaseDone(_) if row.direction == Direction::Forward => Input::Unblocked,
            Command::TakenBack if row.direction == Direction::Undo => Input::Unblocked,
            Command::NotTakenBack => Input::RefuseUndo(Failure::new(
                ErrorClass::Denied,
                code::UNDO_REFUSED,
                format!("task `{about}`, which stands on this one, cannot be taken back"),
            )),
            _ => return,
        };
        // One that is in no state to be told has nothing to do with it.
        let _ = draft.decide(task, input, &around);
    }
}

/// Under which name a step's output is kept, and what: forwards what it put out, backwards what people should know.
fn said(step: &Step, direction: Direction, output: Value, notes: &[String]) -> Option<(String, Value)> {
    match direction {
        Direction::Forward => Some((step.name().to_owned(), output)).filter(|(_, output)| !output.is_null()),
        Direction::Undo if notes.is_empty() => None,
        Direction::Undo => Some((notes_of_undo(step), Value::from(notes))),
    }
}

/// Until when the step at hand has to wait for its window: one that begins the task or that others see. What was begun goes on.
fn closed_until(task: &Loaded, row: &TaskRow, around: &Circumstances) -> Option<Timestamp> {
    let window = task.plan.window.as_ref()?;
    let step = task.plan.steps.get(row.step as usize)?;
    let seen = row.step == 0 || step.phase >= Phase::Publish;
    if row.begun || row.direction != Direction::Forward || !seen {
        return None;
    }
    Some(window.open_from(around.now)).filter(|opens| *opens > around.now)
}

fn timed_out(task: &Loaded) -> Failure {
    let step = task.plan.steps.get(task.row.step as usize);
    let (uses, millis) = step.map_or(("", 0), |step| (step.uses.as_str(), step.timeout_millis));
    Failure {
        hints: vec!["raise `timeout` in the migration file if the work is really that long".to_owned()],
        ..Failure::new(
            ErrorClass::Transient,
            code::TIMED_OUT,
            format!("`{uses}` did not end within `{millis}` ms and was given up"),
        )
    }
}
