//! An executor whose effects are counted: the world as far as these tests have one.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::fragile::Kill;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, Progress, Rehearsal, StepReport, StepRequest};
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code::{Code, engine as code};
use greylag_model::spec::ErrorClass;
use greylag_model::task::Direction;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What a step does when it is its turn, in place of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Fails with this class.
    Fail(ErrorClass),
    /// Panics.
    Panic,
    /// Notes something and fails for good.
    NoteAndFail,
    /// Does its work; a check says no.
    CheckFails,
    /// Finds that the world has moved.
    WorldMoved,
    /// Does not return before [`Estate::let_go`].
    Hang,
    /// Works in chunks until it is told to end.
    WorkUntilTold,
    /// Is pending for so many milliseconds.
    Pend(i64),
}

/// Files, as it were: made by steps forwards, removed by steps back.
#[derive(Default)]
pub(crate) struct Estate {
    effects: Mutex<BTreeMap<String, u32>>,
    script: Mutex<HashMap<(String, String), VecDeque<Act>>>,
    log: Mutex<Vec<String>>,
    deadly: Mutex<Option<(String, Arc<Kill>)>>,
    pending: Mutex<BTreeMap<String, i64>>,
    cancelled: Mutex<Vec<String>>,
    free: (Mutex<bool>, Condvar),
    working: (Mutex<u32>, Condvar),
    late: (Mutex<Vec<Result<(), Code>>>, Condvar),
    /// What undos have seen of what was noted forwards.
    pub(crate) notes: Mutex<Vec<String>>,
}

impl Estate {
    /// What attempts of a step do, one after the other; when none is left they do their work.
    pub(crate) fn script(&self, task: &str, uses: &str, acts: impl IntoIterator<Item = Act>) {
        self.script.lock().unwrap().insert((task.to_owned(), uses.to_owned()), acts.into_iter().collect());
    }

    /// A step of a task that ends the life as soon as it begins, as if it took all memory.
    pub(crate) fn deadly(&self, task: &str, uses: &str, kill: &Arc<Kill>) {
        *self.deadly.lock().unwrap() = Some((format!("{task}/{uses}"), kill.clone()));
    }

    /// What is there: names, and how often each was made.
    pub(crate) fn effects(&self) -> BTreeMap<String, u32> {
        self.effects.lock().unwrap().clone()
    }

    /// Attempts that were begun, one a line.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    pub(crate) fn cancelled(&self) -> Vec<String> {
        self.cancelled.lock().unwrap().clone()
    }

    /// Lets attempts that hang go on; answers what became of the chunks that `count` of them then wanted to note.
    pub(crate) fn let_go(&self, count: usize) -> Vec<Result<(), Code>> {
        *self.free.0.lock().unwrap() = true;
        self.free.1.notify_all();
        let late = self.late.0.lock().unwrap();
        let (late, timeout) =
            self.late.1.wait_timeout_while(late, Duration::from_mins(1), |late| late.len() < count).unwrap();
        assert!(!timeout.timed_out(), "threads do not come back");
        late.clone()
    }

    /// Returns when `count` attempts have begun to work until told.
    pub(crate) fn await_working(&self, count: u32) {
        let working = self.working.0.lock().unwrap();
        let (_working, timeout) =
            self.working.1.wait_timeout_while(working, Duration::from_mins(1), |working| *working < count).unwrap();
        assert!(!timeout.timed_out(), "nothing works");
    }

    /// What the script has ready for a step.
    fn scripted(&self, request: &StepRequest<'_>) -> Option<Act> {
        let key = (request.task.to_string(), request.step.uses.clone());
        self.script.lock().unwrap().get(&key)?.front().copied()
    }

    fn act(&self, request: &StepRequest<'_>) -> Option<Act> {
        let key = (request.task.to_string(), request.step.uses.clone());
        self.script.lock().unwrap().get_mut(&key)?.pop_front()
    }

    /// The work, twice as good as once: made if it is not there, and the same the other way.
    fn work(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Outcome, DriverError> {
        let name = format!("{}/{}", request.task, request.step.name());
        if let Some((_, kill)) = self.deadly.lock().unwrap().as_ref().filter(|(deadly, _)| *deadly == name) {
            kill.strike();
        }
        context.checkpoint("half", &json!(1))?;
        failing(context.fault("in-effect"))?;
        let mut effects = self.effects.lock().unwrap();
        match request.direction {
            Direction::Forward if !effects.contains_key(&name) => {
                effects.insert(name.clone(), 1);
            }
            Direction::Forward => {}
            Direction::Undo => {
                effects.remove(&name);
            }
        }
        let progress = Progress { rows: 10, bytes: 100, chunks: 1, chunks_total: 1 };
        let others = request.direction == Direction::Undo && request.step.uses == "estate/fill";
        let notes = if others { vec![format!("{name} was changed by others")] } else { Vec::new() };
        let output = json!({"attempt": request.attempt});
        Ok(Outcome::Done(StepReport { progress, output, notes, ..StepReport::default() }))
    }
}

fn failing(result: std::io::Result<()>) -> Result<(), DriverError> {
    result.map_err(|error| DriverError::transient(code::INTERRUPTED, error.to_string()))
}

impl Executor for Estate {
    fn serves(&self) -> &'static [&'static str] {
        &["estate/make", "estate/fill", "estate/wait", "estate/show", "estate/drop", "custom/"]
    }

    fn start(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Outcome, DriverError> {
        let undo = if request.direction == Direction::Undo { " undo" } else { "" };
        self.log.lock().unwrap().push(format!("{}:{undo} {} #{}", request.task, request.step.uses, request.attempt));
        if request.direction == Direction::Undo {
            let noted = context.noted_forwards()?.into_iter().map(|(key, _)| format!("{}: {key}", request.task));
            self.notes.lock().unwrap().extend(noted);
        }
        match self.act(request) {
            Some(Act::Fail(class)) => Err(DriverError::new(class, code::INTERRUPTED, "as the script says")),
            Some(Act::NoteAndFail) => {
                context.checkpoint("note", &json!(1))?;
                Err(DriverError::permanent(code::INTERRUPTED, "noted"))
            }
            Some(Act::Panic) => panic!("as the script says"),
            Some(Act::WorldMoved) => Err(DriverError::conflict(code::STALE, "the schema has changed")),
            Some(Act::CheckFails) => {
                let check = CheckResult {
                    name: "rows".to_owned(),
                    verdict: Verdict::Fail,
                    detail: "1 of 2".to_owned(),
                    hint: None,
                };
                Ok(Outcome::Done(StepReport { checks: vec![check], ..StepReport::default() }))
            }
            Some(Act::Hang) => {
                let free = self.free.0.lock().unwrap();
                drop(self.free.1.wait_while(free, |free| !*free).unwrap());
                let refused = context.checkpoint("late", &json!(1)).map_err(|error| error.code);
                self.late.0.lock().unwrap().push(refused);
                self.late.1.notify_all();
                Err(DriverError::transient(code::INTERRUPTED, "late"))
            }
            Some(Act::WorkUntilTold) => {
                *self.working.0.lock().unwrap() += 1;
                self.working.1.notify_all();
                context.progress(Progress { rows: 5, ..Progress::default() });
                while !context.cancelled() {
                    std::thread::yield_now();
                }
                Err(DriverError::transient(code::STOPPED, "told to end"))
            }
            Some(Act::Pend(millis)) => {
                let handle = format!("{}/{}", request.task, request.step.uses);
                self.pending.lock().unwrap().insert(handle.clone(), context.now().plus_millis(millis).0);
                Ok(Outcome::Pending { handle, wake: context.now().plus_millis(millis) })
            }
            // A step that waits for something outside, whatever the script.
            None if request.step.uses == "estate/wait" && request.direction == Direction::Forward => {
                let handle = format!("{}/{}", request.task, request.step.uses);
                failing(context.fault("in-effect"))?;
                let mut pending = self.pending.lock().unwrap();
                let wake = *pending.entry(handle.clone()).or_insert(context.now().0 + 50);
                Ok(Outcome::Pending { handle, wake: greylag_model::id::Timestamp(wake) })
            }
            None => self.work(request, context),
        }
    }

    /// What the script has ready stands in the way; it is not used up by asking.
    fn rehearse(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Rehearsal, DriverError> {
        assert!(context.checkpoint("rehearsed", &json!(1)).is_err(), "a rehearsal can write nothing down");
        let name = format!("{}/{}", request.task, request.step.name());
        match self.scripted(request) {
            Some(Act::Fail(class)) => Err(DriverError::new(class, code::INTERRUPTED, "as the script says")),
            _ => Ok(Rehearsal::does(format!("remove {name}"))),
        }
    }

    fn poll(&self, request: &StepRequest<'_>, handle: &str, context: &dyn Context) -> Result<Outcome, DriverError> {
        let ready = *self.pending.lock().unwrap().get(handle).unwrap();
        if context.now().0 < ready {
            return Ok(Outcome::Pending { handle: handle.to_owned(), wake: greylag_model::id::Timestamp(ready) });
        }
        let mut effects = self.effects.lock().unwrap();
        effects.entry(format!("{}/{}", request.task, request.step.uses)).or_insert(1);
        Ok(Outcome::Done(StepReport::default()))
    }

    fn cancel(&self, _: &StepRequest<'_>, handle: &str, _: &dyn Context) -> Result<(), DriverError> {
        self.pending.lock().unwrap().remove(handle);
        self.cancelled.lock().unwrap().push(handle.to_owned());
        Ok(())
    }
}
