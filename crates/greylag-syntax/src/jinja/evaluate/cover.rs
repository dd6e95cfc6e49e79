//! Which ways to look at where there are too many to go all: such that every three answers are seen together.
//!
//! A **variable** is what has one answer within a rendering: a question, in whatever words it is asked. A question at a place has other words
//! where what was answered before is part of them, so what is asked at a place that nothing else was asked at in the same rendering is the
//! same variable. One that is asked of an item of a list that is not known is known by its place alone: such a list has any number of
//! items, each with an answer of its own. Where there are too many variables, all are known by their places.
//!
//! **What is looked for** is each combination of answers of each three variables that were asked in one rendering. A rendering is begun with
//! no answers given, and each question is answered such that most combinations come up that have not been seen. When that brings nothing new,
//! each combination that is left is asked for by name: the other answers are at first those of a rendering that asked all three.
//!
//! **What cannot be had** is taken to be none: where two answers stood together in [`ENOUGH`] renderings and none of them came to the
//! third question, it is not asked together with them. Such is a question that stands in a branch of another.
//!
//! **Why three.** What stands in a branch stands there by one answer, that to the innermost question around it: those further out follow. What
//! it means hangs on other parts of the text, which are there by their own: where a column is of hangs on whether a table is joined, and on what
//! that table shows. So a text is seen with each two others, there and not there. What hangs on three others at once is not promised to be
//! seen.

use crate::trace::Span;
use std::collections::HashMap;
use std::sync::Arc;

/// Renderings after which two answers are held not to come to a third question.
const ENOUGH: u32 = 4;
/// Variables, two of which are always there: with them, one answer and two answers are three.
const MOST: usize = 64;
const ALWAYS: usize = 2;
/// Renderings that are kept in mind.
const RUNS: usize = 384;

/// A question, where it was asked, and the answer.
pub(super) type Answer = (Arc<str>, Span, bool);

/// What the words of an item of a list begin with that is not known.
pub(super) const ITEM: &str = "an item of ";

/// Whether a question is about an item of a list that is not known.
pub(super) fn is_of_item(what: &str) -> bool {
    what.contains(ITEM)
}

/// Renderings, a bit each.
#[derive(Debug, Clone, Copy, Default)]
struct Runs([u128; RUNS / 128]);

impl Runs {
    fn insert(&mut self, run: usize) {
        if let Some(word) = self.0.get_mut(run / 128) {
            *word |= 1 << (run % 128);
        }
    }

    fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] & other.0[at]))
    }

    fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    fn count(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    fn first(self) -> Option<usize> {
        let at = self.0.iter().position(|word| *word != 0)?;
        Some(at * 128 + self.0[at].trailing_zeros() as usize)
    }
}

/// An answer of a variable: twice its number, and one more for a yes.
type Literal = usize;

fn literal(variable: usize, answer: bool) -> Literal {
    variable * 2 + usize::from(answer)
}

/// Three answers, by the numbers of their variables.
type Three = [Literal; 3];

/// What was seen of the combinations, and the rendering that is going on.
#[derive(Debug)]
pub(super) struct Cover {
    /// The variables of questions by their words, and of places.
    words: HashMap<Arc<str>, usize>,
    places: HashMap<Span, usize>,
    count: usize,
    by_place: bool,
    /// Where there are more variables than are kept apart, nothing is covered.
    is_full: bool,
    /// The answers of each rendering by their variables.
    runs: Vec<Vec<Option<bool>>>,
    /// The renderings that have an answer.
    having: Vec<Runs>,
    /// By two literals, the third ones as bits.
    seen: Vec<u128>,
    /// What was asked for by name, and how often.
    tried: HashMap<Three, u32>,
    /// Where the next one is looked for.
    cursor: [usize; 3],
    /// Of each literal, how many combinations are wanted that have it.
    wanted: Vec<u32>,
    now: Vec<Option<(bool, Arc<str>)>>,
    taken: Vec<Literal>,
    forced: Vec<Literal>,
    base: Option<usize>,
}

impl Cover {
    /// A cover that knows the renderings that were made so far.
    pub(super) fn new(before: &[Vec<Answer>]) -> Self {
        let cover = Self::of(before, false);
        if cover.is_full { Self::of(before, true) } else { cover }
    }

    fn of(before: &[Vec<Answer>], by_place: bool) -> Self {
        let mut cover = Self {
            words: HashMap::new(),
            places: HashMap::new(),
            count: ALWAYS,
            by_place,
            is_full: false,
            runs: Vec::new(),
            having: vec![Runs::default(); MOST * 2],
            seen: vec![0; MOST * 2 * MOST * 2],
            tried: HashMap::new(),
            cursor: [0, 1, 2],
            wanted: Vec::new(),
            now: Vec::new(),
            taken: Vec::new(),
            forced: Vec::new(),
            base: None,
        };
        for answers in before {
            cover.record(answers);
        }
        cover
    }

    /// Whether there are more variables than are kept apart.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full || self.runs.len() >= RUNS
    }

    /// Whether questions of one place are one variable.
    pub(super) const fn is_by_place(&self) -> bool {
        self.by_place
    }

    /// Begins a rendering in which most is seen that was not, with a combination that is wanted.
    pub(super) fn begin(&mut self, three: Option<Three>) {
        self.now = vec![None; MOST];
        self.forced = three.map_or_else(Vec::new, Vec::from);
        self.taken = (0..ALWAYS).map(|variable| literal(variable, true)).collect();
        self.taken.extend(self.forced.iter().filter(|found| **found / 2 >= ALWAYS));
        self.base = None;
        if let Some(three) = three {
            let tried = self.tried.entry(three).or_default();
            *tried += 1;
            let is_second = tried.is_multiple_of(2);
            let witness = self.asked(three[0]).and(self.asked(three[1])).and(self.asked(three[2]));
            self.base = witness.first().filter(|_| is_second);
        }
        self.wanted = vec![0; MOST * 2];
        self.each_wanted([0, 1, 2], |cover, three| {
            for found in three {
                cover[found] += 1;
            }
            false
        });
    }

    /// The answer to a question in the rendering that is going on.
    pub(super) fn answer(&mut self, what: &Arc<str>, at: Span) -> bool {
        let now = std::mem::take(&mut self.now);
        let variable = self.variable(what, at, &now);
        self.now = now;
        let Some(variable) = variable else { return true };
        if let Some((answer, _)) = &self.now[variable] {
            return *answer;
        }
        let forced = self.forced.iter().find(|found| **found / 2 == variable).map(|found| found & 1 == 1);
        let is_ahead = self.forced.iter().any(|found| self.now[found / 2].is_none());
        let base = || self.runs.get(self.base.filter(|_| is_ahead)?)?.get(variable).copied().flatten();
        let answer = forced.or_else(base).unwrap_or_else(|| {
            let [no, yes] = [false, true].map(|answer| {
                let found = literal(variable, answer);
                (self.leads(found), self.gain(found), self.wanted[found])
            });
            yes >= no
        });
        self.now[variable] = Some((answer, what.clone()));
        if forced.is_none() {
            self.taken.push(literal(variable, answer));
        }
        answer
    }

    /// How surely an answer leads to the questions of the combination that is wanted: whether they were always asked, or never, where it
    /// was given.
    fn leads(&self, found: Literal) -> i32 {
        let with = self.having[found];
        let ahead = self.forced.iter().filter(|wanted| self.now[**wanted / 2].is_none());
        let lead = |wanted: &Literal| match with.and(self.asked(*wanted)).count() {
            _ if with.count() == 0 => 0,
            0 => -1,
            count if count == with.count() => 1,
            _ => 0,
        };
        ahead.map(lead).sum()
    }

    /// The renderings in which the variable of an answer was asked.
    fn asked(&self, found: Literal) -> Runs {
        self.having[found & !1].or(self.having[found | 1])
    }

    /// How many combinations with an answer come up for the first time.
    fn gain(&self, found: Literal) -> usize {
        let mut gain = 0;
        for (at, one) in self.taken.iter().enumerate() {
            gain += self.taken[at + 1..].iter().filter(|two| !self.is_seen(sorted([*one, **two, found]))).count();
        }
        gain
    }

    /// The variable of a question, in a rendering in which these have their answers.
    fn variable(&mut self, what: &Arc<str>, at: Span, now: &[Option<(bool, Arc<str>)>]) -> Option<usize> {
        let place = self.places.get(&at).copied();
        let known = if self.by_place || is_of_item(what) {
            place
        } else {
            // What has other words than what was taken for the same is another one.
            let is_free = |variable: &usize| now[*variable].as_ref().is_none_or(|(_, asked)| asked == what);
            self.words.get(what).copied().filter(is_free).or_else(|| place.filter(is_free))
        };
        let variable = known.unwrap_or(self.count);
        if variable >= MOST {
            self.is_full = true;
            return None;
        }
        self.count = self.count.max(variable + 1);
        self.places.entry(at).or_insert(variable);
        self.words.insert(what.clone(), variable);
        Some(variable)
    }

    fn is_seen(&self, [one, two, three]: Three) -> bool {
        self.seen[one * MOST * 2 + two] & (1 << three) != 0
    }

    /// Notes what was answered in a rendering, and says whether there is a combination in it that was not seen before.
    pub(super) fn record(&mut self, answers: &[Answer]) -> bool {
        let mut now = vec![None; MOST];
        let mut parted = [false; MOST];
        for (what, at, answer) in answers {
            let Some(variable) = self.variable(what, *at, &now) else { continue };
            // What was answered both ways, as in a rendering that was not made for this, says nothing.
            parted[variable] |= now[variable].as_ref().is_some_and(|(found, _)| found != answer);
            now[variable] = Some((*answer, what.clone()));
        }
        let answers = now.into_iter().zip(parted);
        let mut run: Vec<Option<bool>> =
            answers.map(|(answer, parted)| answer.filter(|_| !parted).map(|(answer, _)| answer)).collect();
        run[..ALWAYS].fill(Some(true));
        let has: Vec<Literal> =
            run.iter().enumerate().filter_map(|(variable, answer)| Some(literal(variable, (*answer)?))).collect();
        for found in &has {
            self.having[*found].insert(self.runs.len());
        }
        let mut is_new = false;
        for (at, one) in has.iter().enumerate() {
            for (next, two) in has.iter().enumerate().skip(at + 1) {
                let third = has[next + 1..].iter().fold(0, |bits, three| bits | 1 << three);
                let bits = &mut self.seen[one * MOST * 2 + two];
                is_new |= *bits | third != *bits;
                *bits |= third;
            }
        }
        self.runs.push(run);
        is_new
    }

    /// How many combinations were not seen when the rendering that is going on was begun, and may come up.
    pub(super) fn left(&self) -> usize {
        self.wanted.iter().map(|wanted| *wanted as usize).sum::<usize>() / 3
    }

    /// A combination that was not seen and may come up.
    pub(super) fn next(&mut self) -> Option<Three> {
        let from = self.cursor;
        let mut first = |from| {
            let mut found = None;
            self.each_wanted(from, |_, three| {
                found = Some(three);
                true
            });
            found
        };
        let next = first(from).or_else(|| first([0, 1, 2]));
        self.cursor = next.map_or([0, 1, 2], |three| three.map(|found| found / 2));
        next
    }

    /// Goes through the combinations that were not seen and may come up, from three variables on, until one is enough.
    fn each_wanted(&mut self, from: [usize; 3], mut each: impl FnMut(&mut [u32], Three) -> bool) {
        let count = self.count;
        let mut wanted = std::mem::take(&mut self.wanted);
        'all: for one in from[0]..count {
            for two in one + 1..count {
                for three in two + 1..count {
                    if [one, two, three] < from || !self.is_any_seen([one, two, three]) {
                        continue;
                    }
                    for answers in 0..8 {
                        let of = |variable, bit: usize| literal(variable, answers >> bit & 1 == 0);
                        let found = [of(one, 0), of(two, 1), of(three, 2)];
                        let is_one = found.iter().all(|found| *found / 2 >= ALWAYS || found & 1 == 1);
                        if is_one && !self.is_seen(found) && self.may_be(found) && each(&mut wanted, found) {
                            break 'all;
                        }
                    }
                }
            }
        }
        self.wanted = wanted;
    }

    /// Whether three variables were asked together.
    fn is_any_seen(&self, [one, two, three]: [usize; 3]) -> bool {
        let bits = 0b11 << (three * 2);
        [false, true].iter().any(|first| {
            let row = literal(one, *first) * MOST * 2;
            [false, true].iter().any(|second| self.seen[row + literal(two, *second)] & bits != 0)
        })
    }

    /// Whether three answers may come up together.
    fn may_be(&self, three: Three) -> bool {
        let never = |with: Runs, third: Literal| with.count() >= ENOUGH && with.and(self.asked(third)).count() == 0;
        let [a, b, c] = three;
        let has = |found: Literal| self.having[found];
        let pairs = [(a, b), (a, c), (b, a), (b, c), (c, a), (c, b)];
        let triples = [(a, b, c), (a, c, b), (b, c, a)];
        self.tried.get(&three).is_none_or(|tried| *tried < ENOUGH)
            && !pairs.iter().any(|(one, other)| never(has(*one), *other))
            && !triples.iter().any(|(one, two, other)| never(has(*one).and(has(*two)), *other))
    }
}

fn sorted(mut three: Three) -> Three {
    three.sort_unstable();
    three
}
