//! One file beside its truth.
//!
//! First each place is given that of its texts (new, alternative, old) with which the whole comes nearest to what was
//! made. Then the words of that text are paired with those of the rewritten one. Between the nearest pairs around a
//! place lies what was made of it; places between the same two pairs are looked at together, because nothing says where
//! the one ends and the next begins. What differs anywhere else must not.

use super::{Counts, Fault, FaultKind, RewriteComparison};
use crate::repository::align::{same_words, words};
use crate::repository::meaning::same_meaning;
use crate::repository::truth::{Edit, FileTruth};
use std::ops::Range;

/// What the guides of the lab's migrations begin with.
const GUIDE: &str = "https://guides.example.com/";

/// More places than this between two pairs of words are not tried in every combination.
const MOST_TOGETHER: usize = 6;

/// A place that changes, or may, in the text that comes nearest to what was made.
struct Spot<'a> {
    place: Range<usize>,
    edit: &'a Edit,
    old: &'a str,
}

/// A word of the expected text and the same in the rewritten one.
type Pair = (Range<usize>, Range<usize>);

/// A file's comparison under way.
struct Comparing<'a> {
    truth: &'a FileTruth,
    /// The text that comes nearest to what was made.
    expected: String,
    actual: &'a str,
    spots: Vec<Spot<'a>>,
    /// Places that must not be taken for names, in the expected text.
    decoys: Vec<(Range<usize>, &'a str)>,
}

/// Compares a rewritten file with its truth; `old` is what it was.
pub(super) fn compare(truth: &FileTruth, old: &str, actual: &str, comparison: &mut RewriteComparison) {
    let usual = |edit: &Edit| if edit.optional { Text::Old } else { Text::New };
    let mut texts: Vec<Text> = truth.edits.iter().map(usual).collect();
    let mut comparing = Comparing::new(truth, old, actual, &texts);
    if actual != comparing.expected {
        texts = if actual == old { vec![Text::Old; texts.len()] } else { nearest(truth, old, actual, texts) };
        comparing = Comparing::new(truth, old, actual, &texts);
    }
    match same_words(&comparing.expected, actual) {
        Some(pairs) => comparing.compare(pairs, comparison),
        None => comparing.another(comparison),
    }
}

/// The texts of the places with which the whole has the fewest words that what was made has not, and the other way
/// round; each place is decided once, in their order.
fn nearest(truth: &FileTruth, old: &str, actual: &str, mut texts: Vec<Text>) -> Vec<Text> {
    let distance = |texts: &[Text]| -> Option<usize> {
        let expected = Comparing::new(truth, old, actual, texts).expected;
        let pairs = same_words(&expected, actual)?.len();
        Some(words(&expected).len() + words(actual).len() - 2 * pairs)
    };
    let Some(mut least) = distance(&texts) else { return texts };
    for at in 0..texts.len() {
        for text in [Text::New, Text::Alike, Text::Old] {
            let (before, edit) = (texts[at], &truth.edits[at]);
            if least == 0 || text == before || (text == Text::Alike && edit.alternatives.is_empty()) {
                continue;
            }
            texts[at] = text;
            match distance(&texts) {
                Some(less) if less < least => least = less,
                _ => texts[at] = before,
            }
        }
    }
    texts
}

/// Which of its texts a place has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    New,
    /// An alternative, or other words.
    Alike,
    Old,
}

/// What became of a place.
enum Outcome<'a> {
    As(Text),
    Wrong(&'a str),
}

impl<'a> Comparing<'a> {
    fn new(truth: &'a FileTruth, old: &'a str, actual: &'a str, texts: &[Text]) -> Self {
        let mut expected = String::new();
        let (mut spots, mut at) = (Vec::new(), 0);
        let part = |range: Range<usize>| old.get(range).unwrap_or_default();
        for (edit, text) in truth.edits.iter().zip(texts) {
            expected.push_str(part(at..edit.start));
            let start = expected.len();
            let was = part(edit.start..edit.end);
            expected.push_str(match text {
                Text::New => &edit.new,
                Text::Alike => edit.alternatives.first().unwrap_or(&edit.new),
                Text::Old => was,
            });
            spots.push(Spot { place: start..expected.len(), edit, old: was });
            at = edit.end;
        }
        expected.push_str(part(at..old.len()));
        let decoys = truth.decoys.iter().map(|decoy| {
            // What stands before it has shifted it.
            let before = spots.iter().filter(|spot| spot.edit.end <= decoy.start);
            let shift: isize = before.map(|spot| spot.place.len().cast_signed() - spot.old.len().cast_signed()).sum();
            let place = |at: usize| at.saturating_add_signed(shift);
            (place(decoy.start)..place(decoy.end), decoy.trap.as_str())
        });
        Self { truth, decoys: decoys.collect(), expected, actual, spots }
    }

    fn compare(&self, mut pairs: Vec<Pair>, comparison: &mut RewriteComparison) {
        let (end, actual_end) = (self.expected.len(), self.actual.len());
        pairs.insert(0, (0..0, 0..0));
        pairs.push((end..end, actual_end..actual_end));
        let mut regions: Vec<Range<usize>> = Vec::new();
        let mut rest = self.spots.as_slice();
        while let Some(first) = rest.first() {
            let left = pairs.partition_point(|(word, _)| word.end <= first.place.start) - 1;
            let mut count = 1;
            let mut right = self.right_of(&pairs, first);
            while let Some(next) = rest.get(count).filter(|next| pairs[right].0.start > next.place.start) {
                right = self.right_of(&pairs, next);
                count += 1;
            }
            let region = pairs[left].0.end..pairs[right].0.start;
            let found = &self.actual[pairs[left].1.end..pairs[right].1.start];
            self.together(&rest[..count], &region, found, comparison);
            regions.push(region);
            rest = &rest[count..];
        }
        for neighbours in pairs.windows(2) {
            let [(one, other), (next, next_other)] = neighbours else { continue };
            let (gap, made) = (one.end..next.start, &self.actual[other.end..next_other.start]);
            let inside = regions.iter().any(|region| region.start <= gap.start && gap.end <= region.end);
            if !(inside || gap.is_empty() && made.is_empty()) {
                self.elsewhere(&gap, made, comparison);
            }
        }
    }

    /// The first pair behind a place.
    fn right_of(&self, pairs: &[Pair], spot: &Spot<'_>) -> usize {
        let behind = pairs.iter().skip(1).position(|(word, _)| word.start >= spot.place.end);
        behind.map_or(pairs.len() - 1, |at| at + 1)
    }

    /// Places between the same two pairs, and what stands there now.
    fn together(&self, spots: &[Spot<'a>], region: &Range<usize>, found: &str, comparison: &mut RewriteComparison) {
        let tried = 3_usize.pow(spots.len().min(MOST_TOGETHER) as u32);
        for same in [|one: &str, other: &str| one == other, same_meaning] {
            for number in 0..tried {
                let Some(texts) = self.texts(spots, number) else { continue };
                if same(&self.assembled(spots, &texts, region), found) {
                    for (spot, (kind, _)) in spots.iter().zip(&texts) {
                        let exact = found == self.assembled(spots, &texts, region);
                        let kind = if *kind == Text::New && !exact { Text::Alike } else { *kind };
                        self.outcome(spot, Outcome::As(kind), comparison);
                    }
                    return;
                }
            }
        }
        self.apart(spots, region, found, comparison);
    }

    /// The choice of texts of this number: each place has its new text, an alternative, or the old one.
    fn texts(&self, spots: &[Spot<'a>], mut number: usize) -> Option<Vec<(Text, &'a str)>> {
        let mut texts = Vec::with_capacity(spots.len());
        for (at, spot) in spots.iter().enumerate() {
            let choice = if at < MOST_TOGETHER { number % 3 } else { 0 };
            number /= 3;
            texts.push(match choice {
                0 => (Text::New, spot.edit.new.as_str()),
                1 => (Text::Alike, spot.edit.alternatives.first()?.as_str()),
                _ => (Text::Old, spot.old),
            });
        }
        Some(texts)
    }

    /// The region with these texts at its places.
    fn assembled(&self, spots: &[Spot<'a>], texts: &[(Text, &str)], region: &Range<usize>) -> String {
        let mut out = String::new();
        let mut at = region.start;
        for (spot, (_, text)) in spots.iter().zip(texts) {
            out.push_str(&self.expected[at..spot.place.start]);
            out.push_str(text);
            at = spot.place.end;
        }
        out + &self.expected[at..region.end]
    }

    /// Places whose neighbourhood changed as well: what is right there counts, the rest is elsewhere or wrong.
    fn apart(&self, spots: &[Spot<'a>], region: &Range<usize>, found: &str, comparison: &mut RewriteComparison) {
        let [spot] = spots else {
            for spot in spots {
                self.outcome(spot, Outcome::Wrong(found), comparison);
            }
            return;
        };
        let noted = found.contains(GUIDE) && found.contains(spot.old);
        let (kind, text) = match spot.edit.new.as_str() {
            new if *region != spot.place && found.contains(new) => (Text::New, new),
            _ if noted => (Text::Old, spot.old),
            _ => return self.outcome(spot, Outcome::Wrong(found), comparison),
        };
        self.outcome(spot, Outcome::As(kind), comparison);
        let around =
            self.expected[region.start..spot.place.start].to_owned() + &self.expected[spot.place.end..region.end];
        let rest = found.replacen(text, "", 1);
        if around == rest {
            return;
        }
        let beside = spot.place.end..spot.place.end;
        self.changed(&beside, around.len() + rest.len(), &rest, around.is_empty(), comparison);
    }

    fn elsewhere(&self, gap: &Range<usize>, made: &str, comparison: &mut RewriteComparison) {
        self.changed(gap, gap.len() + made.len(), made, gap.is_empty(), comparison);
    }

    /// Bytes that must stay and did not, unless they are a comment with the guide where a person must look.
    fn changed(
        &self,
        gap: &Range<usize>,
        bytes: usize,
        made: &str,
        only_added: bool,
        comparison: &mut RewriteComparison,
    ) {
        let trap = self.trap_at(gap).to_owned();
        let looked_at = self.truth.class > crate::ConsumerClass::Mechanical;
        if looked_at && only_added && made.contains(GUIDE) {
            return comparison.count(self.truth.class, &trap, &Counts { noted: 1, ..Counts::default() });
        }
        let fault = Fault {
            kind: FaultKind::Elsewhere,
            path: self.truth.path.clone(),
            line: self.line(gap.start),
            trap,
            expected: self.expected[gap.clone()].to_owned(),
            found: made.to_owned(),
        };
        comparison.fault(self.truth.class, fault, &Counts { elsewhere: bytes as u64, ..Counts::default() });
    }

    /// The trap of bytes that must stay: that of a word that looks like a name, else the file's own.
    fn trap_at(&self, gap: &Range<usize>) -> &str {
        let touches = |place: &Range<usize>| place.start < gap.end && gap.start < place.end;
        let decoy = self.decoys.iter().find(|(place, _)| touches(place)).map(|(_, trap)| *trap);
        decoy.or_else(|| self.truth.traps.first().map(String::as_str)).unwrap_or_default()
    }

    fn outcome(&self, spot: &Spot<'_>, outcome: Outcome<'_>, comparison: &mut RewriteComparison) {
        let optional = spot.edit.optional;
        let none = Counts { expected: u64::from(!optional), ..Counts::default() };
        let (kind, found, counts) = match outcome {
            Outcome::As(Text::New | Text::Alike) if optional => (None, "", Counts { optional: 1, ..none }),
            Outcome::As(Text::New) => (None, "", Counts { found: 1, ..none }),
            Outcome::As(Text::Alike) => (None, "", Counts { alike: 1, ..none }),
            Outcome::As(Text::Old) if optional => (None, "", none),
            Outcome::As(Text::Old) => (Some(FaultKind::Missed), spot.old, Counts { missed: 1, ..none }),
            Outcome::Wrong(found) => (Some(FaultKind::Wrong), found, Counts { wrong: 1, ..none }),
        };
        let Some(kind) = kind else { return comparison.count(self.truth.class, &spot.edit.trap, &counts) };
        let fault = Fault {
            kind,
            path: self.truth.path.clone(),
            line: self.line(spot.place.start),
            trap: spot.edit.trap.clone(),
            expected: spot.edit.new.clone(),
            found: found.to_owned(),
        };
        comparison.fault(self.truth.class, fault, &counts);
    }

    fn line(&self, at: usize) -> u64 {
        self.expected.bytes().take(at).filter(|byte| *byte == b'\n').count() as u64 + 1
    }

    /// A file that has nothing to do with the expected one.
    fn another(&self, comparison: &mut RewriteComparison) {
        for spot in self.spots.iter().filter(|spot| !spot.edit.optional) {
            self.outcome(spot, Outcome::Wrong(""), comparison);
        }
        self.elsewhere(&(0..self.expected.len()), self.actual, comparison);
    }
}
