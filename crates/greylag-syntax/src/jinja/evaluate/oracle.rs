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
//! what comes of items that differ among themselves was seen for single ones alone. A question that was answered one way only is turned in
//! a way that asks it.
//!
//! **Where that does not end either**, mostly since a dozen switches stand in one template, ways are gone until each three answers were seen
//! together in all combinations: see [`cover`](super::cover). What hangs on more answers than that at once may not be seen, so it is said
//! that it was in threes; nothing of what is asked is left out.

use super::cover::{Answer, Cover, is_of_item};
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
    /// Whether there are more, but each three answers were seen together.
    pub in_threes: bool,
    /// How many steps they took together.
    pub steps: u64,
}

/// How many combinations a rendering that was begun for one of them may be hoped to settle.
const EACH: usize = 12;

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
    /// What was asked, in its order, and answered.
    answers: Vec<Answer>,
    /// What chooses the answers, if they are to be seen in threes.
    cover: Option<Cover>,
    /// What certain questions are answered.
    fixed: HashMap<Arc<str>, bool>,
}

impl Oracle {
    /// The answer to a question.
    pub(super) fn decide(&mut self, what: &Arc<str>, at: Span) -> bool {
        if let Some(answer) = self.known.get(what) {
            return *answer;
        }
        let followed = self.places.as_ref().and_then(|places| places.get(&at)).copied();
        let chosen = self.cover.as_mut().map(|cover| cover.answer(what, at));
        let chosen = chosen.or(followed).or_else(|| self.fixed.get(what).copied());
        let answer = chosen.unwrap_or_else(|| self.given.get(self.taken.len()).copied().unwrap_or(true));
        self.known.insert(what.clone(), answer);
        self.answers.push((what.clone(), at, answer));
        if answer && let Some((subject, value)) = self.equalities.get(what) {
            self.values.insert(subject.clone(), value.clone());
        }
        if followed.is_some() {
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
        let covered = if ends { Covered::ByPlace } else { all.cover(nodes, limits, &mut host) };
        all.found.truncated = match covered {
            Covered::Not => true,
            Covered::ByPlace => !all.turn(nodes, limits, &mut host),
            Covered::All => false,
        };
        all.found.in_threes = !ends && !all.found.truncated;
    }
    all.found
}

/// Whether each three answers were seen together.
enum Covered {
    Not,
    /// They were, but of what is asked at one place the answers were alike.
    ByPlace,
    All,
}

/// The ways that were gone so far.
struct All<H> {
    found: Renderings<H>,
    /// What makes each another one.
    seen: HashSet<(String, u64)>,
    /// What was answered in each.
    answers: Vec<Vec<Answer>>,
}

impl<H> Default for All<H> {
    fn default() -> Self {
        let found = Renderings { all: Vec::new(), truncated: false, in_threes: false, steps: 0 };
        Self { found, seen: HashSet::new(), answers: Vec::new() }
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
            let oracle = Oracle { given, places: alike.then(HashMap::new), ..Oracle::default() };
            let once = once(nodes, limits, host(), oracle);
            steps += once.steps;
            let decisions = &once.rendering.decisions;
            for at in fixed..decisions.len() {
                if waiting.len() + gone > limits.renderings {
                    more = true;
                    break;
                }
                let mut next: Vec<bool> = decisions[..at].iter().map(|decision| decision.answer).collect();
                next.push(!decisions[at].answer);
                waiting.push_back(next);
            }
            self.keep(once);
        }
        more
    }

    /// Goes ways until each three answers were seen together, if that is not too much.
    fn cover(&mut self, nodes: &[Node], limits: &Limits, host: &mut impl FnMut() -> H) -> Covered {
        let mut cover = Cover::new(&self.answers);
        let (mut steps, mut is_new) = (0, true);
        for gone in 0..limits.threes {
            let next = if is_new { None } else { cover.next() };
            if !is_new && next.is_none() {
                return if cover.is_by_place() { Covered::ByPlace } else { Covered::All };
            }
            cover.begin(next);
            if cover.is_full() || steps > limits.all_steps || !is_new && cover.left() > EACH * (limits.threes - gone) {
                break;
            }
            let mut once = once(nodes, limits, host(), Oracle { cover: Some(cover), ..Oracle::default() });
            let Some(own) = once.cover.take() else { break };
            cover = own;
            steps += once.steps;
            // What is asked for by name goes on being that: what remains comes up by itself no more.
            is_new = cover.record(&once.answers) && is_new;
            self.keep(once);
        }
        Covered::Not
    }

    /// Goes ways until each question was answered both ways, other than of items of lists that are not known, and says whether that ended.
    fn turn(&mut self, nodes: &[Node], limits: &Limits, host: &mut impl FnMut() -> H) -> bool {
        let mut steps = 0;
        for gone in 0.. {
            let Some(fixed) = self.one_sided() else { return true };
            if gone == limits.renderings.min(limits.threes) || steps > limits.all_steps {
                return false;
            }
            let turned = fixed.clone();
            let once = once(nodes, limits, host(), Oracle { fixed, ..Oracle::default() });
            steps += once.steps;
            // What is not asked there again is not asked with that answer.
            let is_turned = once.answers.iter().any(|(what, _, answer)| turned.get(what) == Some(answer));
            self.keep(once);
            if !is_turned {
                return false;
            }
        }
        false
    }

    /// The answers of a rendering, with one of them turned that was never given otherwise.
    fn one_sided(&self) -> Option<HashMap<Arc<str>, bool>> {
        let mut sides: HashMap<&Arc<str>, [bool; 2]> = HashMap::new();
        for (what, _, answer) in self.answers.iter().flatten() {
            sides.entry(what).or_default()[usize::from(*answer)] = true;
        }
        let is_one = |what: &Arc<str>| !is_of_item(what) && sides.get(what).is_some_and(|sides| *sides != [true, true]);
        let (answers, what) = self.answers.iter().find_map(|answers| {
            let (what, ..) = answers.iter().find(|(what, ..)| is_one(what))?;
            Some((answers, what))
        })?;
        let turned = |(asked, _, answer): &Answer| (asked.clone(), if asked == what { !answer } else { *answer });
        Some(answers.iter().map(turned).collect())
    }

    fn keep(&mut self, once: Once<H>) {
        self.found.steps += once.steps;
        self.answers.push(once.answers);
        if self.seen.insert(fingerprint(&once.rendering)) {
            self.found.all.push(once.rendering);
        }
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

/// One rendering, what was answered on the way, and its steps.
struct Once<H> {
    rendering: Rendering<H>,
    answers: Vec<Answer>,
    steps: u64,
    cover: Option<Cover>,
}

fn once<H: Host>(nodes: &[Node], limits: &Limits, host: H, oracle: Oracle) -> Once<H> {
    let mut text = Traced::new();
    let mut evaluator = Evaluator::new(&host, limits);
    evaluator.oracle = oracle;
    let result = match evaluator.nodes(nodes, &Scope::root(), &mut text) {
        Ok(()) | Err(Stop::Return(_) | Stop::Break | Stop::Continue) => Ok(text),
        Err(Stop::Error(error)) => Err(*error),
    };
    let standing: HashSet<u32> = result.iter().flat_map(holes_of).collect();
    let holes = evaluator.open.values().filter(|open| standing.contains(&open.number)).map(|open| (**open).clone());
    let mut holes: Vec<Open> = holes.collect();
    holes.sort_by_key(|open| open.number);
    let (oracle, steps) = (std::mem::take(&mut evaluator.oracle), evaluator.steps);
    drop(evaluator);
    let rendering = Rendering { text: result, decisions: oracle.taken, holes, host };
    Once { rendering, answers: oracle.answers, steps, cover: oracle.cover }
}
