//! The use-cases: one function each, over the engine's drivers. Command line and server are two skins of this.
//!
//! Reading functions work while another process drives the run. A request (`pause`, `abort` …) is first left in the
//! journal, so that it is not lost, and then met at once if nobody drives the run; else the process that does meets it.

use crate::drive::run_unknown;
use crate::{Asked, Engine, UndoPreview, published, rehearse};
use greylag_driver::error::DriverError;
use greylag_driver::journal::{Journal, Request, RunRecord, TaskFilter, TaskRecord};
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, TaskId};
use greylag_model::plan::{Plan, PlanTask};
use greylag_model::task::{Ask, Entry, Refusal, TaskState, decide_run};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tasks of plans are compared in pages of this size.
const PAGE: usize = 1_000;

/// Saves a frozen plan under its id. Saving it again is no change.
pub fn save_plan(engine: &Engine, plan: &Plan) -> Result<(), DriverError> {
    engine.journal().save_plan(plan)
}

/// Records a run of a saved plan, all or nothing. [`Engine::drive`] then drives it.
pub fn start_run(engine: &Engine, plan: &PlanId, run: &RunId) -> Result<RunRecord, DriverError> {
    engine.journal().create_run(run, plan, engine.drivers().clock.now())?;
    status(engine, run)
}

/// One run.
pub fn status(engine: &Engine, run: &RunId) -> Result<RunRecord, DriverError> {
    engine.journal().run(run)?.ok_or_else(|| run_unknown(run))
}

/// Runs, newest first.
pub fn list_runs(engine: &Engine, limit: usize) -> Result<Vec<RunRecord>, DriverError> {
    engine.journal().runs(limit)
}

/// A page of something, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The cursor of the next page; none if this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Tasks of a run that pass the filter, a page of at most `limit` from the cursor on (0 is the first).
pub fn tasks(
    engine: &Engine,
    run: &RunId,
    filter: &TaskFilter,
    cursor: u64,
    limit: usize,
) -> Result<Page<TaskRecord>, DriverError> {
    let items = engine.journal().tasks(run, filter, cursor, limit)?;
    let next = items.last().filter(|_| items.len() == limit).map(|last| last.ordinal + 1);
    Ok(Page { items, next })
}

/// One task of a run.
pub fn task(engine: &Engine, run: &RunId, task: &TaskId) -> Result<TaskRecord, DriverError> {
    let filter = TaskFilter { states: Vec::new(), id: Some(task.clone()) };
    engine.journal().tasks(run, &filter, 0, 1)?.pop().ok_or_else(|| {
        DriverError::permanent(code::TASK_UNKNOWN, format!("run `{run}` has no task `{task}`"))
            .hint(format!("`greylag status {run} -o wide` lists them"))
    })
}

/// Events of a run after a sequence number, at most `limit`.
pub fn events(engine: &Engine, run: &RunId, after: u64, limit: usize) -> Result<Vec<Entry>, DriverError> {
    engine.journal().events(run, after, limit)
}

/// Leases nothing new; attempts under way are told to end at their next chunk.
pub fn pause(engine: &Engine, run: &RunId, by: &str) -> Result<Asked, DriverError> {
    allowed(engine, run, &Ask::Pause(by))?;
    ask(engine, run, Request::Pause { by: by.to_owned() })
}

/// Lets a paused run go on. Driving it is the caller's.
pub fn resume(engine: &Engine, run: &RunId, by: &str) -> Result<Asked, DriverError> {
    allowed(engine, run, &Ask::Resume(by))?;
    ask(engine, run, Request::Resume { by: by.to_owned() })
}

/// Ends a run: what has not ended is skipped.
pub fn abort(engine: &Engine, run: &RunId, by: &str) -> Result<Asked, DriverError> {
    allowed(engine, run, &Ask::Abort(by))?;
    ask(engine, run, Request::Abort { by: by.to_owned() })
}

/// Makes tasks that ended badly ready again: one, or all. Driving the run is the caller's.
pub fn retry_failed(engine: &Engine, run: &RunId, task: Option<&TaskId>, by: &str) -> Result<Asked, DriverError> {
    allowed(engine, run, &Ask::Retry(by, task.cloned()))?;
    if let Some(task) = task {
        self::task(engine, run, task)?;
    }
    ask(engine, run, Request::Retry { by: by.to_owned(), task: task.cloned() })
}

/// Turns a run round: every task is taken back, newest step first, and what stands on a task before that task. Driving
/// it is the caller's.
pub fn undo(engine: &Engine, run: &RunId, by: &str) -> Result<Asked, DriverError> {
    allowed(engine, run, &Ask::Undo(by))?;
    stands_alone(engine, run)?;
    ask(engine, run, Request::Undo { by: by.to_owned() })
}

/// Refuses what would pull the ground from under later runs: those that go on from what this one has published are taken
/// back before it.
pub fn stands_alone(engine: &Engine, run: &RunId) -> Result<(), DriverError> {
    let later = published::later(engine.journal(), &status(engine, run)?)?;
    let Some(newest) = later.first() else { return Ok(()) };
    let more = match later.len() {
        1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    let words = format!("run `{}`{more} goes on from what run `{run}` has published", newest.id);
    Err(DriverError::permanent(code::UNDO_LATER_FIRST, words)
        .hint(format!("`greylag undo {}` first: the newest goes first", newest.id)))
}

/// What [`undo`] would do to a page of tasks, rehearsed step by step, and what stands in its way; touches nothing. The
/// same list of steps is what it walks.
pub fn undo_preview(engine: &Engine, run: &RunId, cursor: u64, limit: usize) -> Result<Page<UndoPreview>, DriverError> {
    let record = status(engine, run)?;
    let header = engine.journal().plan(&record.plan)?.ok_or_else(|| {
        DriverError::permanent(code::PLAN_UNKNOWN, format!("there is no saved plan `{}`", record.plan))
    })?;
    let rows = tasks(engine, run, &TaskFilter::default(), cursor, limit)?;
    let plans = engine.journal().plan_tasks(&record.plan, cursor, limit)?;
    let items = rows.items.into_iter().zip(plans);
    let items = items.map(|(row, plan)| rehearse::task(engine, &header, run, &row, &plan));
    Ok(Page { items: items.collect(), next: rows.next })
}

/// What was not as before when steps of a task had been taken back, because others had changed it.
pub fn notes(journal: &dyn Journal, run: &RunId, ordinal: u64) -> Result<Vec<String>, DriverError> {
    rehearse::notes(journal, run, ordinal)
}

/// Says yes to the step at which a task waits.
pub fn approve(engine: &Engine, run: &RunId, task: &TaskId, by: &str, why: Option<&str>) -> Result<Asked, DriverError> {
    let found = self::task(engine, run, task)?;
    if found.row.state != TaskState::Waiting || found.row.handle.is_some() {
        let refusal = Refusal(format!("task `{task}` is {} and waits for no approval", found.row.state.as_str()));
        return Err(wrong_state(&refusal));
    }
    ask(engine, run, Request::Approve { by: by.to_owned(), task: task.clone(), why: why.map(str::to_owned) })
}

/// Says yes to what follows a cohort; who, and why. A cohort of which more tasks have ended badly than may is let go only
/// where that is said.
pub fn approve_cohort(
    engine: &Engine,
    run: &RunId,
    cohort: &str,
    (by, why): (&str, Option<&str>),
    despite_failures: bool,
) -> Result<Asked, DriverError> {
    let record = status(engine, run)?;
    let refused = |message: String| Err(wrong_state(&Refusal(message)));
    match record.cohorts.iter().position(|row| row.name == cohort).map(|at| record.cohorts.get(at + 1)) {
        None => return refused(format!("the run has no cohort `{cohort}`")),
        Some(None) => return refused(format!("`{cohort}` is the last cohort: nothing waits for it")),
        Some(Some(next)) if next.released_at.is_some() => {
            return refused(format!("what follows cohort `{cohort}` was released already"));
        }
        Some(Some(_)) => {}
    }
    let (by, why) = (by.to_owned(), why.map(str::to_owned));
    ask(engine, run, Request::ApproveCohort { by, cohort: cohort.to_owned(), why, despite_failures })
}

/// Says yes to stale tasks as another saved plan has them, and makes them ready. That plan must differ from the run's in
/// these tasks alone, and leave alone what other tasks and an undo rely on: their names, targets and what they wait for.
/// Driving the run is the caller's.
pub fn replan(
    engine: &Engine,
    run: &RunId,
    tasks: &[TaskId],
    plan: &PlanId,
    by: &str,
    why: Option<&str>,
) -> Result<Asked, DriverError> {
    let mut ordinals = BTreeSet::new();
    for task in tasks {
        allowed(engine, run, &Ask::Retry(by, Some(task.clone())))?;
        let found = self::task(engine, run, task)?;
        if found.row.state != TaskState::Stale {
            return Err(wrong_state(&Refusal(format!("task `{task}` is {} and not stale", found.row.state.as_str()))));
        }
        if found.row.step > 0 {
            // What its earlier steps did was done by the old plan.
            return Err(wrong_state(&Refusal(format!("task `{task}` has steps done and cannot be planned anew"))));
        }
        ordinals.insert(found.ordinal);
    }
    differs_only_in(engine, &status(engine, run)?.plan, plan, &ordinals)?;
    let now = engine.drivers().clock.now();
    let request =
        Request::Replan { by: by.to_owned(), plan: plan.clone(), tasks: tasks.to_vec(), why: why.map(str::to_owned) };
    engine.journal().post(run, &request, now)?;
    // Met behind it: one that is cut off in between leaves tasks that are still stale.
    for task in tasks {
        engine.journal().post(run, &Request::Retry { by: by.to_owned(), task: Some(task.clone()) }, now)?;
    }
    settle(engine, run)
}

/// Whether two saved plans are the same but for the tasks at `ordinals`, and those keep their place in the world.
fn differs_only_in(engine: &Engine, old: &PlanId, new: &PlanId, ordinals: &BTreeSet<u64>) -> Result<(), DriverError> {
    let journal = engine.journal();
    let refused = |message: String| Err(DriverError::permanent(code::PLAN_INVALID, message));
    let header = |plan: &PlanId| {
        journal
            .plan(plan)?
            .ok_or_else(|| DriverError::permanent(code::PLAN_UNKNOWN, format!("there is no saved plan `{plan}`")))
    };
    if header(old)?.connections != header(new)?.connections {
        return refused(format!("the plan `{new}` has other connections than `{old}`"));
    }
    let mut from = 0;
    loop {
        let (before, after) = (journal.plan_tasks(old, from, PAGE)?, journal.plan_tasks(new, from, PAGE)?);
        if before.len() != after.len() {
            return refused(format!("the plan `{new}` has other tasks than `{old}`"));
        }
        for (at, (before, after)) in (from..).zip(before.iter().zip(&after)) {
            if !ordinals.contains(&at) && before.digest() != after.digest() {
                return refused(format!("the plan `{new}` differs from `{old}` in task `{}` too", before.id));
            }
            let place = |task: &PlanTask| {
                let target = task.dataset().map(|work| (work.target.clone(), work.target_location.clone()));
                (task.id.clone(), target, task.after.clone())
            };
            if place(before) != place(after) {
                return refused(format!("task `{}` has another target, or waits for other tasks", before.id));
            }
        }
        if before.len() < PAGE {
            return Ok(());
        }
        from += PAGE as u64;
    }
}

/// Waits until the run meets a condition; false if `timeout_millis` pass or `stop` is set before that.
pub fn wait(
    engine: &Engine,
    run: &RunId,
    until: &dyn Fn(&RunRecord) -> bool,
    timeout_millis: i64,
    stop: &AtomicBool,
) -> Result<bool, DriverError> {
    const LOOK_MILLIS: i64 = 100;
    let clock = &engine.drivers().clock;
    let begun = clock.elapsed();
    loop {
        if until(&status(engine, run)?) {
            return Ok(true);
        }
        let passed = clock.elapsed().saturating_sub(begun).as_millis() as i64;
        if passed >= timeout_millis || stop.load(Ordering::Acquire) {
            return Ok(false);
        }
        std::thread::park_timeout(clock.pass(LOOK_MILLIS.min(timeout_millis - passed)));
    }
}

/// Refuses what the run's state, as it is now, does not allow: the person is told at once rather than in the journal.
fn allowed(engine: &Engine, run: &RunId, ask: &Ask<'_>) -> Result<(), DriverError> {
    decide_run(&status(engine, run)?.row, ask).map(drop).map_err(|refusal| wrong_state(&refusal))
}

fn wrong_state(refusal: &Refusal) -> DriverError {
    DriverError::permanent(code::WRONG_STATE, refusal.0.clone()).hint("`greylag status` shows the state")
}

fn ask(engine: &Engine, run: &RunId, request: Request) -> Result<Asked, DriverError> {
    engine.journal().post(run, &request, engine.drivers().clock.now())?;
    settle(engine, run)
}

/// Meets what was asked at once if nobody drives the run.
fn settle(engine: &Engine, run: &RunId) -> Result<Asked, DriverError> {
    match engine.settle(run) {
        Ok(run) => Ok(Asked::Met { run: Box::new(run) }),
        Err(error) if error.code == code::RUN_DRIVEN => Ok(Asked::Left { run: Box::new(status(engine, run)?) }),
        Err(error) => Err(error),
    }
}
