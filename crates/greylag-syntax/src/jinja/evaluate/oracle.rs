//! All ways that a template can go.
//!
//! Where a condition cannot be known, an evaluation asks the oracle, which answers from a list and then always with yes. Each answer
//! that was not on the list is a fork: the evaluation is begun anew with the list up to there and a no. So every way is gone
//! once. Lists wait in the order in which they were found, so that, if there are too many, every single condition has been
//! seen both ways before two of them are seen together.
//!
//! What has the same words has the same value: within one rendering a question is asked once, and what was said to be equal to
//! one value is equal to no other.
//!
//! **Where there are too many ways**, mostly since one condition stands in a loop and is another question for each item, the template
//! is gone once more, and what is asked at one place is answered there as it was first. If that ends, and if with both together
//! every question was answered both ways, the ways are taken for all: each branch was seen with and without each other one, and only
//! what comes of items that differ among themselves was seen for single ones alone.

use super::{Evaluator, Host, Limits, Scope, Stop};
use crate::jinja::ast::Node;
use crate::jinja::error::Error;
use crate::jinja::value::{Key, Open, Value, holes_of};
use crate::trace::{Span, Traced};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// An answer that a rendering rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What could not be known, as the template says it.
    pub what: Arc<str>,
    /// The bytes of the condition.
    pub at: Span,
    /// What was assumed.
    pub answer: bool,
}

/// One way to render a template.
#[derive(Debug)]
pub struct Rendering<H> {
    /// The text; or why there is none this way.
    pub text: Result<Traced, Error>,
    /// What it rests on, in the order in which it was asked.
    pub decisions: Vec<Decision>,
    /// The open values that stand in the text.
    pub holes: Vec<Open>,
    /// What the embedding noted.
    pub host: H,
}

/// All ways that were gone.
#[derive(Debug)]
pub struct Renderings<H> {
    /// Each that differs, in the order in which they were found.
    pub all: Vec<Rendering<H>>,
    /// Whether there are more, other than of items of one loop that differ among themselves.
    pub truncated: bool,
    /// How many steps they took together.
    pub steps: u64,
}

/// The answers of one evaluation.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    given: Vec<bool>,
    taken: Vec<Decision>,
    known: HashMap<Arc<str>, bool>,
    /// Questions whether something is equal to a value.
    equalities: HashMap<Arc<str>, (Arc<str>, Key)>,
    /// What was said to be equal to a value.
    values: HashMap<Arc<str>, Key>,
    /// What was answered at each place, if all that is asked there is to be answered alike.
    places: Option<HashMap<Span, bool>>,
    /// The questions that were answered so.
    followed: Vec<(Arc<str>, bool)>,
}

impl Oracle {
    /// The answer to a question.
    pub(super) fn decide(&mut self, what: &Arc<str>, at: Span) -> bool {
        if let Some(answer) = self.known.get(what) {
            return *answer;
        }
        let followed = self.places.as_ref().and_then(|places| places.get(&at)).copied();
        let answer = followed.unwrap_or_else(|| self.given.get(self.taken.len()).copied().unwrap_or(true));
        self.known.insert(what.clone(), answer);
        if answer && let Some((subject, value)) = self.equalities.get(what) {
            self.values.insert(subject.clone(), value.clone());
        }
        if followed.is_some() {
            self.followed.push((what.clone(), answer));
            return answer;
        }
        if let Some(places) = &mut self.places {
            places.insert(at, answer);
        }
        self.taken.push(Decision { what: what.clone(), at, answer });
        answer
    }

    /// Whether something open is one of these values, if it was said what it is equal to.
    pub(super) fn is_one_of(&self, subject: &Open, values: &[Value]) -> Option<bool> {
        let known = self.values.get(&subject.what).filter(|_| !subject.negated)?;
        let mut all_known = true;
        for value in values {
            match Key::of(value).filter(|_| value.open_words().is_none()) {
                Some(key) if key == *known => return Some(true),
                Some(_) => {}
                None => all_known = false,
            }
        }
        all_known.then_some(false)
    }

    /// Notes what a question asks: whether something open is equal to a value.
    pub(super) fn asks(&mut self, question: &Arc<str>, subject: &Open, value: &Value) {
        if let (Some(key), false, None) = (Key::of(value), subject.negated, value.open_words()) {
            self.equalities.insert(question.clone(), (subject.what.clone(), key));
        }
    }
}

/// Renders nodes in all ways that they can go, each with a new host.
pub fn render<H: Host>(nodes: &[Node], limits: &Limits, mut host: impl FnMut() -> H) -> Renderings<H> {
    let mut all = All::default();
    if all.go(nodes, limits, &mut host, false) {
        let ends = !all.go(nodes, limits, &mut host, true);
        all.found.truncated = !ends || all.answers.values().any(|seen| *seen != [true, true]);
    }
    all.found
}

/// The ways that were gone so far.
struct All<H> {
    found: Renderings<H>,
    /// What makes each another one.
    seen: HashSet<(String, u64)>,
    /// Which answers each question got.
    answers: HashMap<Arc<str>, [bool; 2]>,
}

impl<H> Default for All<H> {
    fn default() -> Self {
        let found = Renderings { all: Vec::new(), truncated: false, steps: 0 };
        Self { found, seen: HashSet::new(), answers: HashMap::new() }
    }
}

impl<H: Host> All<H> {
    /// Goes all ways, or all in which what is asked at one place is answered alike, and says whether there are more.
    fn go(&mut self, nodes: &[Node], limits: &Limits, host: &mut impl FnMut() -> H, alike: bool) -> bool {
        let mut waiting: VecDeque<Vec<bool>> = VecDeque::from([Vec::new()]);
        let (mut gone, mut steps, mut more) = (0, 0, false);
        while let Some(given) = waiting.pop_front() {
            if gone == limits.renderings || steps > limits.all_steps {
                return true;
            }
            gone += 1;
            let fixed = given.len();
            let (rendering, answers, taken) = once(nodes, limits, host(), given, alike);
            (steps, self.found.steps) = (steps + taken, self.found.steps + taken);
            for at in fixed..rendering.decisions.len() {
                if waiting.len() + gone > limits.renderings {
                    more = true;
                    break;
                }
                let mut next: Vec<bool> = rendering.decisions[..at].iter().map(|decision| decision.answer).collect();
                next.push(!rendering.decisions[at].answer);
                waiting.push_back(next);
            }
            for (what, answer) in answers {
                self.answers.entry(what).or_default()[usize::from(answer)] = true;
            }
            if self.seen.insert(fingerprint(&rendering)) {
                self.found.all.push(rendering);
            }
        }
        more
    }
}

/// What makes a rendering another than one before.
fn fingerprint<H: Host>(rendering: &Rendering<H>) -> (String, u64) {
    let words = match &rendering.text {
        Ok(text) => format!("{text}\0{:?}", text.sources()),
        Err(error) => format!("{:?}{error}{:?}", error.kind, error.at),
    };
    (words, rendering.host.fingerprint())
}

/// What was asked, and the answer.
type Answers = Vec<(Arc<str>, bool)>;

/// One rendering, what was answered on the way, and its steps.
fn once<H: Host>(
    nodes: &[Node],
    limits: &Limits,
    host: H,
    given: Vec<bool>,
    alike: bool,
) -> (Rendering<H>, Answers, u64) {
    let mut text = Traced::new();
    let mut evaluator = Evaluator::new(&host, limits);
    evaluator.oracle.given = given;
    evaluator.oracle.places = alike.then(HashMap::new);
    let result = match evaluator.nodes(nodes, &Scope::root(), &mut text) {
        Ok(()) | Err(Stop::Return(_) | Stop::Break | Stop::Continue) => Ok(text),
        Err(Stop::Error(error)) => Err(*error),
    };
    let standing: HashSet<u32> = result.iter().flat_map(holes_of).collect();
    let holes = evaluator.open.values().filter(|open| standing.contains(&open.number)).map(|open| (**open).clone());
    let mut holes: Vec<Open> = holes.collect();
    holes.sort_by_key(|open| open.number);
    let (decisions, steps) = (std::mem::take(&mut evaluator.oracle.taken), evaluator.steps);
    let mut answers = std::mem::take(&mut evaluator.oracle.followed);
    drop(evaluator);
    answers.extend(decisions.iter().map(|decision| (decision.what.clone(), decision.answer)));
    (Rendering { text: result, decisions, holes, host }, answers, steps)
}
