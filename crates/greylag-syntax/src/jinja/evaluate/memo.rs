//! What macros without arguments gave before, so that it is not worked out again.
//!
//! Some projects begin every model with a macro that reads hundreds of settings, and each of the ways that a model can go begins with it, too. What
//! such a macro gives hangs on nothing but the project, the package of the node, and the answers to what it asks. So it is kept for
//! a thread: the questions in their order with their answers, the open values that were made, the steps, and the value.
//!
//! **What is kept is as if it were worked out**: when it is used, the questions are asked and the open values made again in the same
//! order, and its steps are paid for. So a rendering is the same whatever was rendered before it, and so are its limits. The value is a copy,
//! since lists and dicts can be changed by whoever gets them.
//!
//! **What is not kept**: whatever asked the host for more than [`Host::is_constant`](super::Host::is_constant) allows, noted something, or gave what cannot be
//! copied (macros, objects, texts in which open values stand).

use super::{Evaluator, Stop};
use crate::jinja::ast::Macro;
use crate::jinja::value::{Arguments, Dict, List, Open, Tuple, Value, holes_of};
use crate::trace::Span;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// Calls nested deeper are worked out, so that the bound on their depth is met where it would be.
const DEEPEST: usize = 16;
/// How many outcomes of one macro are kept, and of how many macros.
const MOST: (usize, usize) = (64, 1024);
/// What takes less is worked out again.
const LEAST_STEPS: u64 = 200;
/// How deep values stand in each other that are copied.
const DEPTH: usize = 16;

/// A macro, where it is called.
type Key = (usize, u64);

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// What is kept of one project.
#[derive(Default)]
struct Kept {
    project: u64,
    /// The macro is held, so that no other gets its address.
    outcomes: HashMap<Key, (Arc<Macro>, Vec<Rc<Outcome>>)>,
}

/// What a call gave.
struct Outcome {
    /// Questions, where they were asked, and the answers.
    asks: Vec<(Arc<str>, Span, bool)>,
    opens: Vec<(Arc<str>, Span)>,
    steps: u64,
    value: Value,
}

/// A call that is watched.
#[derive(Default)]
pub(super) struct Watch {
    asks: Vec<(Arc<str>, Span, bool)>,
    opens: Vec<(Arc<str>, Span)>,
    is_spoilt: bool,
}

/// Where a rendering is: its project, and the part of it that macros see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The project: no two have the same number.
    pub project: u64,
    /// What else a macro may see of where it is called.
    pub part: u64,
}

impl Evaluator<'_> {
    /// What a macro without arguments gives, by `work` or as it did before.
    pub(super) fn remembered(
        &mut self,
        definition: &Arc<Macro>,
        arguments: Arguments,
        work: impl FnOnce(&mut Self, Arguments) -> Result<Value, Stop>,
    ) -> Result<Value, Stop> {
        let is_bare = arguments.positional.is_empty() && arguments.named.is_empty() && self.calls < DEEPEST;
        let Some(place) = self.host.place().filter(|_| is_bare) else { return work(self, arguments) };
        let (key, at) = ((Arc::as_ptr(definition) as usize, place.part), arguments.at);
        if let Some(outcome) = self.known(place, key) {
            for (what, at) in &outcome.opens {
                self.open_of(what, *at);
            }
            self.spend(usize::try_from(outcome.steps).unwrap_or(usize::MAX), at)?;
            return Ok(self.copied(&outcome.value, DEPTH).unwrap_or(Value::None));
        }
        self.watches.push(Watch::default());
        let before = self.steps;
        let result = work(self, arguments);
        let watch = self.watches.pop().unwrap_or_default();
        let steps = self.steps - before;
        if let (Ok(value), false) = (&result, watch.is_spoilt || steps < LEAST_STEPS)
            && let Some(value) = self.copied(value, DEPTH)
        {
            let Watch { asks, opens, .. } = watch;
            keep(place, key, definition, Outcome { asks, opens, steps, value });
        }
        result
    }

    /// The outcome of a call whose questions are answered as they were. What is asked here would be asked by the call.
    fn known(&mut self, place: Place, key: Key) -> Option<Rc<Outcome>> {
        let mut candidates = KEPT.with_borrow(|kept| {
            let found = kept.outcomes.get(&key).filter(|_| kept.project == place.project);
            found.map(|(_, outcomes)| outcomes.clone()).unwrap_or_default()
        });
        for at in 0.. {
            let Some((what, place, _)) = candidates.first()?.asks.get(at).cloned() else { break };
            let answer = self.decide(&what, place);
            candidates.retain(|outcome| outcome.asks.get(at).is_some_and(|(.., given)| *given == answer));
        }
        candidates.into_iter().next()
    }

    /// The answer to a question, which whoever is watched asks.
    pub(super) fn decide(&mut self, what: &Arc<str>, at: Span) -> bool {
        let answer = self.oracle.decide(what, at);
        for watch in &mut self.watches {
            watch.asks.push((what.clone(), at, answer));
        }
        answer
    }

    /// Notes that an open value is made, or met.
    pub(super) fn note_open(&mut self, what: &Arc<str>, at: Span) {
        for watch in &mut self.watches {
            watch.opens.push((what.clone(), at));
        }
    }

    /// Whether anybody keeps what is going on.
    pub(super) fn is_watched(&self) -> bool {
        !self.watches.is_empty()
    }

    /// Says that what is going on hangs on more than macros may see everywhere in a project.
    pub fn spoil(&mut self) {
        for watch in &mut self.watches {
            watch.is_spoilt = true;
        }
    }

    /// A copy of a value that nobody else has; none of what cannot be copied.
    fn copied(&mut self, value: &Value, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let mut all =
            |values: Vec<Value>| values.iter().map(|value| self.copied(value, depth)).collect::<Option<Vec<_>>>();
        Some(match value {
            Value::Text(text) if holes_of(text).next().is_some() => return None,
            Value::List(list) => Value::List(List::new(all(list.items())?)),
            Value::Tuple(tuple) => Value::Tuple(Tuple::new(all(tuple.items())?)),
            Value::Dict(dict) => Value::Dict(self.copied_dict(dict, depth)?),
            Value::Namespace(dict) => Value::Namespace(self.copied_dict(dict, depth)?),
            Value::Macro(_) | Value::Object(_) => return None,
            Value::Open(open) => {
                let own = self.open_of(&open.what, open.at);
                Value::Open(if open.negated { Rc::new(Open { negated: true, ..(*own).clone() }) } else { own })
            }
            plain => plain.clone(),
        })
    }

    fn copied_dict(&mut self, dict: &Dict, depth: usize) -> Option<Dict> {
        let entries = dict.entries().into_iter();
        entries.map(|(key, value)| Some((key, self.copied(&value, depth)?))).collect()
    }
}

fn keep(place: Place, key: Key, definition: &Arc<Macro>, outcome: Outcome) {
    KEPT.with_borrow_mut(|kept| {
        if kept.project != place.project {
            *kept = Kept { project: place.project, outcomes: HashMap::new() };
        }
        let is_full = kept.outcomes.len() >= MOST.1 && !kept.outcomes.contains_key(&key);
        if is_full {
            return;
        }
        let (_, outcomes) = kept.outcomes.entry(key).or_insert_with(|| (definition.clone(), Vec::new()));
        let is_same = |other: &Rc<Outcome>| other.asks == outcome.asks;
        if outcomes.len() < MOST.0 && !outcomes.iter().any(is_same) {
            outcomes.push(Rc::new(outcome));
        }
    });
}

/// Forgets what the thread has kept.
pub fn forget() {
    KEPT.with_borrow_mut(|kept| *kept = Kept::default());
}
