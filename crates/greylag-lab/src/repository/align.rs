//! Two texts side by side: which words of the one are which of the other.
//!
//! The shortest script of insertions and deletions between the words, after E. Myers, "An O(ND) Difference Algorithm and
//! Its Variations" (Algorithmica 1, 1986): for each number of differences the furthest place on each diagonal.

use std::ops::Range;

/// More differences than this are not followed: the texts have nothing to do with each other.
const MOST_DIFFERENCES: usize = 1_500;

/// Places of the words of a text: runs of letters and digits, runs of spaces, and everything else a character each.
pub(super) fn words(text: &str) -> Vec<Range<usize>> {
    let kind = |letter: char| match letter {
        _ if letter.is_alphanumeric() || letter == '_' => 1,
        ' ' | '\t' => 2,
        _ => 0,
    };
    let mut words: Vec<(Range<usize>, u8)> = Vec::new();
    for (at, letter) in text.char_indices() {
        let end = at + letter.len_utf8();
        let kind = kind(letter);
        match words.last_mut() {
            Some((last, of)) if kind != 0 && *of == kind => last.end = end,
            _ => words.push((at..end, kind)),
        }
    }
    words.into_iter().map(|(word, _)| word).collect()
}

/// Pairs of places that are the same word, in order; `None` if the texts differ too much to tell.
pub(super) fn same_words(left: &str, right: &str) -> Option<Vec<(Range<usize>, Range<usize>)>> {
    let (left_words, right_words) = (words(left), words(right));
    let texts = |text, words: &[Range<usize>]| -> Vec<_> { words.iter().map(|word| part(text, word)).collect() };
    let (left_texts, right_texts) = (texts(left, &left_words), texts(right, &right_words));
    let pairs = pairs(&left_texts, &right_texts)?;
    Some(pairs.into_iter().map(|(at, other)| (left_words[at].clone(), right_words[other].clone())).collect())
}

fn part<'a>(text: &'a str, place: &Range<usize>) -> &'a str {
    text.get(place.clone()).unwrap_or_default()
}

/// Pairs of equal items on a shortest script.
fn pairs(left: &[&str], right: &[&str]) -> Option<Vec<(usize, usize)>> {
    let head = left.iter().zip(right).take_while(|(one, other)| one == other).count();
    let (left_rest, right_rest) = (&left[head..], &right[head..]);
    let tail = left_rest.iter().rev().zip(right_rest.iter().rev()).take_while(|(one, other)| one == other).count();
    let (left_rest, right_rest) = (&left_rest[..left_rest.len() - tail], &right_rest[..right_rest.len() - tail]);
    let mut pairs: Vec<(usize, usize)> = (0..head).map(|at| (at, at)).collect();
    pairs.extend(middle(left_rest, right_rest)?.into_iter().map(|(at, other)| (at + head, other + head)));
    pairs.extend((0..tail).rev().map(|back| (left.len() - 1 - back, right.len() - 1 - back)));
    Some(pairs)
}

/// The furthest place on the diagonals `-reach..=reach`, by `diagonal + reach`.
struct Front {
    reach: isize,
    furthest: Vec<usize>,
}

impl Front {
    fn at(&self, diagonal: isize) -> Option<usize> {
        self.furthest
            .get((diagonal + self.reach).try_into().ok().filter(|at: &usize| *at < self.furthest.len())?)
            .copied()
    }

    /// Where the next front begins on a diagonal: below or right of the better neighbour.
    fn step(&self, diagonal: isize) -> usize {
        let down = self.at(diagonal + 1);
        let right = self.at(diagonal - 1).map(|at| at + 1);
        down.max(right).unwrap_or_default()
    }
}

fn middle(left: &[&str], right: &[&str]) -> Option<Vec<(usize, usize)>> {
    let goal = left.len().cast_signed() - right.len().cast_signed();
    let mut fronts: Vec<Front> = Vec::new();
    for differences in 0..=MOST_DIFFERENCES.cast_signed() {
        let before = fronts.last();
        let mut furthest = vec![0; (2 * differences + 1).cast_unsigned()];
        for diagonal in (-differences..=differences).step_by(2) {
            let mut at = before.map_or(0, |front| front.step(diagonal)).min(left.len());
            let Ok(mut other) = usize::try_from(at.cast_signed() - diagonal) else { continue };
            if other > right.len() {
                continue;
            }
            while at < left.len() && other < right.len() && left[at] == right[other] {
                at += 1;
                other += 1;
            }
            furthest[(diagonal + differences).cast_unsigned()] = at;
        }
        let front = Front { reach: differences, furthest };
        let done = front.at(goal) == Some(left.len());
        fronts.push(front);
        if done {
            return Some(back(&fronts, goal));
        }
    }
    None
}

/// Follows the fronts back from the end.
fn back(fronts: &[Front], goal: isize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut diagonal = goal;
    for number in (0..fronts.len()).rev() {
        let at = fronts[number].at(diagonal).unwrap_or_default();
        let before = number.checked_sub(1).and_then(|before| fronts.get(before));
        let start = before.map_or(0, |front| front.step(diagonal));
        pairs.extend((start..at).rev().map(|at| (at, (at.cast_signed() - diagonal).cast_unsigned())));
        let Some(front) = before else { break };
        let right = front.at(diagonal - 1).map(|at| at + 1);
        diagonal += if front.at(diagonal + 1) >= right { 1 } else { -1 };
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::{pairs, same_words, words};

    /// Length of the longest common subsequence, by the table.
    fn longest(left: &[&str], right: &[&str]) -> usize {
        let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
        for (at, one) in left.iter().enumerate() {
            for (to, other) in right.iter().enumerate() {
                table[at + 1][to + 1] =
                    if one == other { table[at][to] + 1 } else { table[at][to + 1].max(table[at + 1][to]) };
            }
        }
        table[left.len()][right.len()]
    }

    #[test]
    fn words_are_told_apart() {
        let text = "a_1  ,\tb\n\nü";
        let words: Vec<&str> = words(text).into_iter().map(|word| &text[word]).collect();
        assert_eq!(words, ["a_1", "  ", ",", "\t", "b", "\n", "\n", "ü"]);
    }

    #[test]
    fn the_script_is_a_shortest_one() {
        let mut draws = crate::draws::Draws::new(1, "align", 0);
        for _ in 0..500 {
            let mut text = |length: usize| -> Vec<&str> {
                (0..draws.below(length)).map(|_| draws.pick(&["a", "b", "c"])).collect()
            };
            let (left, right) = (text(14), text(14));
            let found = pairs(&left, &right).unwrap_or_default();
            assert_eq!(found.len(), longest(&left, &right), "{left:?} {right:?}");
            assert!(found.iter().all(|(at, to)| left[*at] == right[*to]), "{left:?} {right:?} {found:?}");
            assert!(found.is_sorted_by(|one, next| one.0 < next.0 && one.1 < next.1), "{left:?} {right:?} {found:?}");
        }
    }

    #[test]
    fn texts_with_nothing_in_common_are_given_up() {
        let (left, right) = ("a ".repeat(4_000), "b,".repeat(4_000));
        assert!(same_words(&left, &right).is_none());
    }
}
