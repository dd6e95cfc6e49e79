//! What the simulated steps do, and what must hold when they do it.

use super::{Dice, STEPS, now};
use greylag_driver::clock::ManualClock;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, Progress, StepReport, StepRequest};
use greylag_driver::journal::{Journal, TaskFilter};
use greylag_model::code::engine as code;
use greylag_model::id::{RunId, Timestamp};
use greylag_model::plan::PlanTask;
use greylag_model::spec::ErrorClass;
use greylag_model::task::{Direction, Phase, TaskState};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Steps, by their places.
const FILL: usize = 1;
const CHECK: usize = 2;
/// Of a hundred attempts, those whose work goes on elsewhere.
const PENDS: std::ops::Range<u64> = 86..94;

/// Effects, and everything that was seen to be wrong.
pub(crate) struct World {
    journal: Arc<dyn Journal>,
    run: RunId,
    clock: Arc<ManualClock>,
    /// One attempt at a time, so that one that takes long makes no other miss its time.
    pub(crate) alone: AtomicBool,
    /// No more trouble.
    pub(crate) calm: AtomicBool,
    /// Number of the engine that lives.
    pub(crate) life: AtomicU64,
    /// So many attempts at once.
    pub(crate) most: AtomicU64,
    /// Attempts under way, by life.
    inside: Mutex<HashMap<u64, u64>>,
    after: HashMap<String, Vec<(String, Phase)>>,
    state: Mutex<State>,
}

struct State {
    dice: Dice,
    /// `task/step`, each once.
    effects: BTreeSet<(String, usize)>,
    epochs: HashMap<String, u64>,
    pending: HashMap<String, i64>,
    wrong: Vec<String>,
}

impl World {
    pub(crate) fn new(
        seed: u64,
        journal: Arc<dyn Journal>,
        run: RunId,
        clock: Arc<ManualClock>,
        tasks: &[PlanTask],
    ) -> Self {
        let after = |task: &PlanTask| {
            let others = task.after.iter().map(|after| (after.task.to_string(), after.phase));
            (task.id.to_string(), others.collect())
        };
        let state = State {
            dice: Dice::new(seed),
            effects: BTreeSet::new(),
            epochs: HashMap::new(),
            pending: HashMap::new(),
            wrong: Vec::new(),
        };
        Self {
            journal,
            run,
            clock,
            alone: AtomicBool::new(false),
            calm: AtomicBool::new(false),
            life: AtomicU64::new(0),
            most: AtomicU64::new(u64::MAX),
            inside: Mutex::default(),
            after: tasks.iter().map(after).collect(),
            state: Mutex::new(state),
        }
    }

    /// What was wrong, and whether the effects are those of a run that ended like this.
    pub(crate) fn verdict(&self, undone: bool) -> Result<(), String> {
        let state = self.state.lock().unwrap();
        if let Some(wrong) = state.wrong.first() {
            return Err(wrong.clone());
        }
        let expected = if undone { 0 } else { self.after.len() * STEPS.len() };
        if state.effects.len() != expected {
            return Err(format!("{} effects are there, and {expected} should be", state.effects.len()));
        }
        Ok(())
    }

    /// Counts an attempt until it ends. One of an earlier life whose thread is still here died with its process.
    fn enter(&self, request: &StepRequest<'_>) -> impl Drop + '_ {
        let life = self.life.load(Ordering::SeqCst);
        let mut inside = self.inside.lock().unwrap();
        let count = inside.entry(life).or_default();
        *count += 1;
        let most = self.most.load(Ordering::SeqCst);
        if *count > most {
            let wrong = format!("{}, `{}`: {count} at once, and {most} may be", request.task, request.step.uses);
            self.state.lock().unwrap().wrong.push(wrong);
        }
        Inside { world: self, life }
    }

    fn step_of(phase: Phase) -> usize {
        STEPS.iter().position(|(_, other)| *other == phase).unwrap_or_default()
    }

    /// Whether the journal calls this attempt running.
    fn is_intended(&self, request: &StepRequest<'_>, step: usize) -> bool {
        let filter = TaskFilter { id: Some(request.task.clone()), ..TaskFilter::default() };
        let row = self.journal.tasks(&self.run, &filter, 0, 1).unwrap().remove(0).row;
        row.state == TaskState::Running
            && row.epoch == request.epoch
            && row.step as usize == step
            && row.direction == request.direction
    }

    /// Everything that must hold when an attempt begins.
    fn look(&self, state: &mut State, request: &StepRequest<'_>, step: usize) {
        let task = request.task.to_string();
        let mut wrong = Vec::new();
        let last = state.epochs.insert(task.clone(), request.epoch);
        if last.is_some_and(|last| request.epoch <= last) {
            wrong.push(format!("epoch {} follows {last:?}", request.epoch));
        }
        let has = |task: &str, step: usize| state.effects.contains(&(task.to_owned(), step));
        let back = request.direction == Direction::Undo;
        if let Some(missing) = (0..step).find(|earlier| !has(&task, *earlier)) {
            wrong.push(format!("the effect of `{}` is not there", STEPS[missing].0));
        }
        // What failed in a check is made anew when a person tries it again; then the check may have been made.
        let again = |later: usize| !back && step == FILL && later == CHECK;
        if let Some(left) = (step + 1..STEPS.len()).find(|later| has(&task, *later) && !again(*later)) {
            wrong.push(format!("the effect of `{}` is still there", STEPS[left].0));
        }
        for (other, phase) in &self.after[&task] {
            if !back && !has(other, Self::step_of(*phase)) {
                wrong.push(format!("{phase:?} of `{other}`, which it waits for, is not done"));
            }
        }
        if back {
            let stands = |(other, after): (&String, &Vec<(String, Phase)>)| {
                after.iter().any(|(on, _)| *on == task) && has(other, 0)
            };
            if let Some((other, _)) = self.after.iter().find(|(other, after)| stands((other, after))) {
                wrong.push(format!("`{other}` still stands on it"));
            }
        }
        let direction = if back { "back" } else { "forwards" };
        state.wrong.extend(wrong.into_iter().map(|why| format!("{task}, `{}` {direction}: {why}", request.step.uses)));
    }
}

struct Inside<'a> {
    world: &'a World,
    life: u64,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.world.inside.lock().unwrap().get_mut(&self.life) {
            *count -= 1;
        }
    }
}

fn fail(class: ErrorClass) -> Result<Outcome, DriverError> {
    Err(DriverError::new(class, code::INTERRUPTED, "as the dice fell"))
}

fn change(state: &mut State, request: &StepRequest<'_>, step: usize) {
    let effect = (request.task.to_string(), step);
    match request.direction {
        Direction::Forward => state.effects.insert(effect),
        Direction::Undo => state.effects.remove(&effect),
    };
}

impl Executor for World {
    fn serves(&self) -> &'static [&'static str] {
        &["sim/make", "sim/fill", "sim/check", "sim/show"]
    }

    fn start(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Outcome, DriverError> {
        let step = STEPS.iter().position(|(uses, _)| *uses == request.step.uses).unwrap();
        let _inside = self.enter(request);
        let calm = self.calm.load(Ordering::SeqCst);
        // Time may have leaped since it was handed out, so that it was given up before it began.
        if !self.is_intended(request, step) {
            context.checkpoint("late", &json!(step))?;
            if !self.is_intended(request, step) {
                let wrong =
                    format!("{}, `{}`: begun without an intent, and not refused", request.task, request.step.uses);
                self.state.lock().unwrap().wrong.push(wrong);
            }
        }
        let roll = {
            let mut state = self.state.lock().unwrap();
            self.look(&mut state, request, step);
            match state.dice.below(100) {
                trouble if calm && trouble < 75 => 0,
                // What takes its time is no trouble.
                _ if calm => PENDS.start,
                roll => roll,
            }
        };
        context.checkpoint("begun", &json!(step))?;
        let broken = |error: std::io::Error| DriverError::transient(code::INTERRUPTED, error.to_string());
        match roll {
            // Fails before anything is done.
            70..75 => return fail(ErrorClass::Transient),
            75..77 => return fail(ErrorClass::Conflict),
            77..79 => return fail(ErrorClass::Permanent),
            // Takes a while, sometimes longer than the step may.
            79..86 if !self.alone.load(Ordering::SeqCst) => self.clock.advance_millis(2_000),
            79..84 => self.clock.advance_millis(30_000),
            84..86 => self.clock.advance_millis(70_000),
            // Somebody sets the wall's clock.
            66..67 => self.clock.jump_millis(3_600_000),
            67..68 => self.clock.jump_millis(-3_600_000),
            _ => {}
        }
        context.fault("in-effect").map_err(broken)?;
        // Whoever was given up meanwhile is told here.
        context.checkpoint("effect", &json!(step))?;
        let mut state = self.state.lock().unwrap();
        if PENDS.contains(&roll) && request.direction == Direction::Forward {
            let wake = now(&*self.clock) + 5_000;
            let handle = format!("{}/{step}", request.task);
            state.pending.insert(handle.clone(), wake);
            return Ok(Outcome::Pending { handle, wake: Timestamp(wake) });
        }
        change(&mut state, request, step);
        if roll >= PENDS.end {
            // It is done, but the answer is cut off.
            return fail(ErrorClass::Transient);
        }
        let progress = Progress { rows: 1, bytes: 1, chunks: 1, chunks_total: 1 };
        Ok(Outcome::Done(StepReport { progress, output: json!({ "step": step }), ..StepReport::default() }))
    }

    fn poll(&self, request: &StepRequest<'_>, handle: &str, context: &dyn Context) -> Result<Outcome, DriverError> {
        let step = STEPS.iter().position(|(uses, _)| *uses == request.step.uses).unwrap();
        let mut state = self.state.lock().unwrap();
        let wake = state.pending.get(handle).copied().unwrap_or_default();
        // The wall may have been set back meanwhile, which must not make it wait for an hour.
        if context.now().0 < wake && wake - context.now().0 <= 5_000 {
            return Ok(Outcome::Pending { handle: handle.to_owned(), wake: Timestamp(wake) });
        }
        change(&mut state, request, step);
        Ok(Outcome::Done(StepReport::default()))
    }

    fn cancel(&self, _: &StepRequest<'_>, handle: &str, _: &dyn Context) -> Result<(), DriverError> {
        self.state.lock().unwrap().pending.remove(handle);
        Ok(())
    }
}
