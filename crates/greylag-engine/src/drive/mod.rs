//! Driving a run: the loop of the one process that decides for it.
//!
//! **Terms.** A *flight* is an errand (an attempt, or a question after pending work) that a thread of the pool has or will
//! have. A *round* is one turn of the loop: it gathers what came in, decides, writes all of it in one commit, and only
//! then does what follows. A *sweep* walks over the tasks page by page for a request that concerns many of them.
//!
//! ```text
//!     reports of flights ─┐
//!     requests of people ─┼─▶ decide (pure) ─▶ one batch ─▶ commit ─▶ start, poll, cancel; tell the observer
//!     due tasks ──────────┘
//! ```
//!
//! **Group commit.** While a commit waits for the disk the threads work, and what they report meanwhile goes into the next
//! commit together. Intents are written ahead of free threads, as many as keep the threads busy during a commit:
//! thousands if steps take microseconds, one per thread if they take seconds (see [`Decider::capacity`]). The outcome of a
//! step and the intent of the next one of the same task share a transition.
//!
//! **When it dies half-way.** See `greylag_driver::journal`: nothing that was not committed was begun, nothing committed
//! is lost. [`Engine::drive`] again claims the run, calls the attempts that were running lost, and goes on.
//!
//! **Lost attempts.** A step that kills its process (by taking all memory, say) must not do so for ever: after so many
//! attempts lost in a row its task is quarantined. But an intent on disk says only that an attempt may have begun, since
//! intents are written ahead, and a process that dies takes its other flights with it. A mark of the beginning would cost
//! a commit before every step: written with the next group commit it would be missing for exactly the step that kills at
//! once. So the engine does not ask which attempts had begun; it sees to it that the answer is known where it counts. A
//! task lost twice in a row is a *suspect*, and a suspect is alone: its intent is written when no other flight is under
//! way, and nothing is leased or polled beside it. It comes before all other tasks, so that it has the whole life of its
//! process. **Invariant:** of the losses that quarantine a task, all but the first two are of attempts for which a thread
//! was free, beside which nothing ran, and which were the first thing that their process did. So a run that is killed over
//! and over sets no task aside whose step is done in less time than lies between the kills, and one that kills costs the
//! others a few lives and nothing else.
//!
//! **When an attempt hangs.** At its time-out its context says `cancelled`. If it has not ended when the grace is over, it
//! is given up: its thread is left alone, another takes its place, the task is tried again under a higher epoch, and what
//! the lost thread still wants to write is refused.

pub(crate) mod condition;
mod draft;
mod gates;
pub(crate) mod observer;
mod outputs;
mod pace;
mod pool;
mod quota;
mod requests;
mod round;
mod sweep;

use crate::time::Steady;
use crate::{Ended, Engine, RunSummary, Shared};
use draft::Draft;
use greylag_driver::error::DriverError;
use greylag_driver::journal::{Due, Loaded, RunLease, RunRecord};
use greylag_model::code::{cli, engine as code};
use greylag_model::id::{RunId, Timestamp};
use greylag_model::plan::PlanHeader;
use greylag_model::rollout::CohortRow;
use greylag_model::spec::ErrorClass;
use greylag_model::task::{
    Ask, Circumstances, Counters, Goal, Input, RunEvent, RunRow, RunState, StopReason, TaskState, decide_run,
};
use observer::{Commit, Observer};
use outputs::Outputs;
use pace::Pace;
use pool::{Board, Errand, Pool};
use quota::Quota;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use sweep::Sweep;

/// So long a round waits at most for more reports.
const LONGEST_COMPANY: Duration = Duration::from_millis(5);
/// Rows of one page of a sweep.
const PAGE: usize = 1_000;

impl Engine {
    /// Drives a run until it ends, pauses, waits for a person only, or `stop` is set. Called again after a crash it goes
    /// on where the journal ends. Fails with class conflict if another process drives the run or has taken it over, and
    /// with what the journal says if that fails for longer than the limits' patience.
    pub fn drive(&self, run: &RunId, observer: &dyn Observer, stop: &AtomicBool) -> Result<RunSummary, DriverError> {
        self.decider(run, observer, stop, true)?.run()
    }

    /// Meets the requests left for a run without beginning any attempt. Fails with class conflict while another process
    /// drives the run.
    pub fn settle(&self, run: &RunId) -> Result<RunRecord, DriverError> {
        let stop = AtomicBool::new(false);
        self.decider(run, &observer::Quiet, &stop, false)?.run().map(|summary| summary.run)
    }

    fn decider<'a>(
        &'a self,
        run: &RunId,
        observer: &'a dyn Observer,
        stop: &'a AtomicBool,
        leases: bool,
    ) -> Result<Decider<'a>, DriverError> {
        let shared = &self.shared;
        let journal = &shared.drivers.journal;
        let record = journal.run(run)?.ok_or_else(|| run_unknown(run))?;
        let header = journal.plan(&record.plan)?.ok_or_else(|| {
            DriverError::permanent(code::PLAN_UNKNOWN, format!("there is no saved plan `{}`", record.plan))
        })?;
        let mut time = Steady::new(Arc::clone(&shared.drivers.clock));
        let now = time.now();
        let lease = journal.claim(run, &shared.drivers.worker, now, shared.limits.lease_millis)?;
        Ok(Decider {
            shared,
            observer,
            stop,
            leases,
            header: Arc::new(header),
            row: record.row,
            counters: record.counters,
            cohorts: record.cohorts,
            quota: Quota::default(),
            seed: seed_of(shared.drivers.seed, run),
            pool: Pool::new(shared)?,
            flights: HashMap::new(),
            cancels: 0,
            abandoned: 0,
            sweep: None,
            version: None,
            looked_at: None,
            beat_at: now,
            pace: Pace::default(),
            commit_time: Duration::ZERO,
            moved_at: shared.drivers.clock.elapsed(),
            orphans_skipped: false,
            makes_room: false,
            time,
            lease,
        })
    }
}

/// The error of a run that does not exist.
pub(crate) fn run_unknown(run: &RunId) -> DriverError {
    DriverError::permanent(code::RUN_UNKNOWN, format!("there is no run `{run}`"))
        .hint("`greylag runs` lists the runs of this state folder")
}

/// FNV-1a: spreads the jitter of runs that were started with one seed.
fn seed_of(seed: u64, run: &RunId) -> u64 {
    run.as_str()
        .bytes()
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The state of the loop. Everything here can be lost: it is read again from the journal.
struct Decider<'a> {
    shared: &'a Arc<Shared>,
    observer: &'a dyn Observer,
    stop: &'a AtomicBool,
    leases: bool,
    lease: RunLease,
    header: Arc<PlanHeader>,
    row: RunRow,
    counters: Counters,
    /// State of the cohorts; none if there is no rollout, or nothing was begun.
    cohorts: Vec<CohortRow>,
    /// What limits leave it.
    quota: Quota,
    seed: u64,
    time: Steady,
    pool: Pool,
    flights: HashMap<u64, Flight>,
    /// Cancellations of pending work that have not reported.
    cancels: usize,
    /// Attempts given up, whose threads may hang.
    abandoned: usize,
    sweep: Option<Sweep>,
    /// The journal's version when requests were last read.
    version: Option<u64>,
    /// Elapsed time of the last look at requests and time-outs.
    looked_at: Option<Duration>,
    /// When the lease was last renewed.
    beat_at: Timestamp,
    /// How long steps take.
    pace: Pace,
    /// Running mean of the time of a commit.
    commit_time: Duration,
    /// Elapsed time when something happened last besides another answer that pending work goes on.
    moved_at: Duration,
    orphans_skipped: bool,
    /// A suspect waits for the other flights to end, so nothing is begun.
    makes_room: bool,
}

/// An errand under way.
struct Flight {
    task: Loaded,
    outputs: Outputs,
    errand: Errand,
    board: Arc<Board>,
    /// Why and since when (elapsed time) it has been told to end.
    told: Option<(Told, Duration)>,
}

/// Why a flight was told to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Stop(StopReason),
    TimedOut,
}

impl Decider<'_> {
    fn run(mut self) -> Result<RunSummary, DriverError> {
        let result = self.rounds();
        let journal = &self.shared.drivers.journal;
        let lease = self.lease.clone();
        if result.is_err() {
            self.call_back();
        }
        let all_idle = self.flights.is_empty() && self.cancels == 0 && self.abandoned == 0;
        self.pool.close(all_idle);
        let ended = match result {
            Ok(ended) => ended,
            Err(error) => {
                // The first error is the one to tell.
                let _ = journal.release(&lease);
                return Err(error);
            }
        };
        journal.release(&lease)?;
        let run = journal.run(&lease.run)?.ok_or_else(|| run_unknown(&lease.run))?;
        Ok(RunSummary { ended, run })
    }

    /// Tells all flights to end and waits for them as long as the grace is, so that nothing works on for a process that
    /// no longer decides.
    fn call_back(&mut self) {
        for flight in self.flights.values() {
            flight.board.cancel();
        }
        let clock = &self.shared.drivers.clock;
        let mut left = self.shared.limits.grace_millis;
        while left > 0 && !self.flights.is_empty() {
            let wait = clock.pass(left.min(10)).max(Duration::from_millis(1));
            for report in self.pool.reports(wait) {
                self.flights.remove(&report.ordinal);
            }
            left -= 10;
        }
    }

    fn rounds(&mut self) -> Result<Ended, DriverError> {
        self.begin()?;
        let mut reports = Vec::new();
        loop {
            let mut draft = Draft::default();
            draft.batch.now = self.time.now();
            self.take_reports(&mut draft, std::mem::take(&mut reports))?;
            let looks = self.is_time_to_look();
            if looks {
                self.tell_use(draft.batch.now)?;
                self.quota.reopen();
                self.look_at_flights(&mut draft)?;
                self.look_at_requests(&mut draft)?;
            }
            self.obey_halt();
            self.sweep_on(&mut draft)?;
            self.look_at_gate(&mut draft);
            let due = self.lease_due(&mut draft)?;
            self.tell_others(&mut draft)?;
            let idle = draft.is_empty();
            self.commit(draft)?;
            if idle {
                if let Some(ended) = self.is_over(&due)? {
                    return Ok(ended);
                }
                let wait = self.idle_time(&due);
                reports = self.pool.reports(wait);
            } else {
                reports = self.company();
            }
        }
    }

    /// Reports for the next round. While threads have errands in hand a round waits for company, at most as long as a
    /// commit takes: a commit of four outcomes costs hardly more than one of a single outcome.
    fn company(&self) -> Vec<pool::Report> {
        let spare = self.flights.len().saturating_sub(self.shared.limits.workers);
        let longest = if spare == 0 { Duration::ZERO } else { self.commit_time.min(LONGEST_COMPANY) };
        self.pool.reports_together(spare.div_ceil(4), longest)
    }

    /// Starts a planned run, calls running attempts lost, and takes up a sweep that was cut off.
    fn begin(&mut self) -> Result<(), DriverError> {
        let journal = Arc::clone(&self.shared.drivers.journal);
        self.read_limits()?;
        loop {
            let running = greylag_driver::journal::TaskFilter { states: vec![TaskState::Running], id: None };
            let page = journal.tasks(&self.lease.run, &running, 0, PAGE)?;
            let mut draft = Draft::default();
            draft.batch.now = self.time.now();
            let ordinals: Vec<u64> = page.iter().map(|task| task.ordinal).collect();
            for task in journal.load(&self.lease.run, &ordinals)? {
                let around = self.around(draft.batch.now, task.ordinal);
                draft.decide(&task, Input::Lost, &around).map_err(internal)?;
            }
            self.tell_others(&mut draft)?;
            if page.is_empty() {
                break;
            }
            self.commit(draft)?;
        }
        if self.row.state == RunState::Planned && self.leases {
            let event = decide_run(&self.row, &Ask::Start).map_err(internal)?;
            self.commit_run(event)?;
        }
        self.begin_cohorts()?;
        if self.row.state == RunState::Running {
            self.sweep = match self.row.goal {
                // A release that was cut off half-way.
                Goal::Finish => (self.cohorts.len() > 1).then(Sweep::release),
                Goal::Abort => Some(Sweep::abort()),
                Goal::Undo => Some(Sweep::undo()),
            };
        }
        Ok(())
    }

    fn around(&self, now: Timestamp, ordinal: u64) -> Circumstances {
        let seed = self.seed.wrapping_add(ordinal.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Circumstances { now, seed, lost_limit: self.shared.limits.lost }
    }

    /// Why nothing new may be begun, if so.
    fn halted(&self) -> Option<StopReason> {
        if self.stop.load(Ordering::Acquire) {
            Some(StopReason::Shutdown)
        } else if self.row.state == RunState::Paused {
            Some(StopReason::Paused)
        } else if self.sweep.as_ref().is_some_and(Sweep::needs_rest) {
            Some(StopReason::Aborted)
        } else {
            None
        }
    }

    /// Tells flights to end if nothing may go on.
    fn obey_halt(&mut self) {
        let Some(reason) = self.halted() else { return };
        let elapsed = self.shared.drivers.clock.elapsed();
        for flight in self.flights.values_mut().filter(|flight| flight.told.is_none()) {
            flight.board.cancel();
            flight.told = Some((Told::Stop(reason), elapsed));
        }
    }

    /// Whether there is nothing to do any more, and why. Asked only when a round had nothing to write.
    fn is_over(&mut self, due: &Due) -> Result<Option<Ended>, DriverError> {
        if !self.flights.is_empty() || self.cancels > 0 {
            return Ok(None);
        }
        if self.stop.load(Ordering::Acquire) {
            return Ok(Some(Ended::Stopped));
        }
        if self.version != Some(self.shared.drivers.journal.version()?) {
            // Somebody has asked for something since the last look.
            self.looked_at = None;
            return Ok(None);
        }
        match self.row.state {
            RunState::Paused => return Ok(Some(Ended::Paused)),
            RunState::Finished => return Ok(Some(Ended::Finished)),
            RunState::Aborted => return Ok(Some(Ended::Aborted)),
            RunState::Undone => return Ok(Some(Ended::Undone)),
            RunState::Planned => return Ok((!self.leases).then_some(Ended::Stopped)),
            RunState::Running => {}
        }
        if self.sweep.is_some() {
            return Ok(None);
        }
        if self.counters.open() == 0 {
            let event = decide_run(&self.row, &Ask::End).map_err(internal)?;
            self.commit_run(event)?;
            return Ok(None);
        }
        if self.row.goal == Goal::Abort {
            self.sweep = Some(Sweep::abort());
            return Ok(None);
        }
        if !self.leases {
            return Ok(Some(Ended::Stopped));
        }
        // What is ready and was refused waits for others to end.
        let now = self.time.now();
        let refused = !self.quota.closed.is_empty() || !due.tasks.is_empty();
        if refused || due.next_wake.is_some() || self.soaks_until(now).is_some() {
            return Ok(self.is_left_outside(due, now).then_some(Ended::Outside));
        }
        if self.counters.waiting == 0 && !self.orphans_skipped {
            // What is left waits for tasks that will not do what it waits for.
            self.orphans_skipped = true;
            self.sweep = Some(Sweep::orphans());
            return Ok(None);
        }
        Ok(Some(Ended::NeedsPerson))
    }

    /// Whether nothing but what goes on outside is left, and it has been waited for long enough.
    fn is_left_outside(&self, due: &Due, now: Timestamp) -> bool {
        let Some(longest) = self.shared.limits.outside_millis else { return false };
        let others = self.counters.ready + self.counters.running > 0
            || !due.tasks.is_empty()
            || !self.quota.closed.is_empty()
            || self.soaks_until(now).is_some();
        let quiet = self.shared.drivers.clock.elapsed().saturating_sub(self.moved_at);
        !others && quiet >= Duration::from_millis(longest.max(0) as u64)
    }

    /// How long to wait for reports when there is nothing to write.
    fn idle_time(&mut self, due: &Due) -> Duration {
        let limits = &self.shared.limits;
        let now = self.time.now();
        let mut millis = limits.tick_millis.min(limits.lease_millis / 3);
        if self.sweep.is_some() && self.flights.is_empty() {
            millis = 0;
        }
        if let Some(until) = self.soaks_until(now) {
            millis = millis.min(until.millis_since(now).max(0));
        }
        if let Some(next) = self.quota.next {
            millis = millis.min(next.millis_since(now).max(1));
        }
        if let Some(wake) = due.next_wake {
            millis = millis.min(wake.millis_since(now).max(0));
        }
        if self.looked_at.is_none() {
            millis = 0;
        }
        let wait = self.shared.drivers.clock.pass(millis);
        if self.flights.is_empty() && self.cancels == 0 { wait } else { wait.max(Duration::from_millis(1)) }
    }

    fn commit_run(&mut self, event: RunEvent) -> Result<(), DriverError> {
        let mut draft = Draft::default();
        draft.batch.now = self.time.now();
        draft.batch.run_events.push(event);
        self.commit(draft)
    }

    /// Writes the draft and then does what follows from it. A journal that fails for a while is asked again.
    fn commit(&mut self, mut draft: Draft) -> Result<(), DriverError> {
        let now = draft.batch.now;
        draft.batch.cohorts = self.counted(&draft);
        let renew = now.millis_since(self.beat_at) >= self.shared.limits.lease_millis / 3;
        if draft.is_empty() && !renew {
            return Ok(());
        }
        let begun = self.shared.drivers.clock.elapsed();
        let committed = self.write(&draft)?;
        let took = self.shared.drivers.clock.elapsed().saturating_sub(begun);
        self.commit_time = (self.commit_time * 7 + took) / 8;
        if draft.moves_on() {
            self.moved_at = begun;
        }
        self.beat_at = now;
        self.row = committed.run;
        self.counters = committed.counters;
        if let Some(cohorts) = draft.batch.cohorts.take() {
            self.cohorts = cohorts;
        }
        if !draft.is_empty() {
            self.observer.committed(&Commit {
                run: committed.run,
                counters: committed.counters,
                first_seq: committed.first_seq,
                batch: &draft.batch,
                plans: &draft.plans,
            });
        }
        self.after_commit(draft)
    }

    fn write(&mut self, draft: &Draft) -> Result<greylag_driver::journal::Committed, DriverError> {
        let mut wait = 20;
        let mut patience = self.shared.limits.patience_millis;
        loop {
            match self.shared.drivers.journal.commit(&self.lease, &draft.batch) {
                Ok(committed) => return Ok(committed),
                Err(error) if error.class == ErrorClass::Transient && patience > 0 => {
                    if self.stop.load(Ordering::Acquire) {
                        return Err(error);
                    }
                    patience -= wait;
                    std::thread::park_timeout(self.shared.drivers.clock.pass(wait));
                    wait = (wait * 2).min(2_000);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A refusal where the decider's own bookkeeping says that none is possible.
fn internal(refusal: greylag_model::task::Refusal) -> DriverError {
    DriverError::permanent(cli::INTERNAL, format!("the decider contradicts itself: {refusal}"))
}
