//! The merge of both sides' runs: counts, and the keys whose rows are not equal.

use super::FAN_IN;
use super::canonical::NULL_BITS;
use super::runs::{Merged, Run, RunFile};
use crate::io_error::io_error;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::diff::Counts;
use greylag_model::spec::Tolerance;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

/// Rows of one key that are equal but for columns with a tolerance, at most.
const MOST_ALIKE: usize = 1 << 16;

/// What a merge found.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) counts: Counts,
    /// The first keys whose rows are not equal, in order.
    pub(super) keys: Vec<u64>,
}

/// Merges runs into as many as can be read at once.
pub(super) fn reduce(mut runs: Vec<Run>, extras: usize, directory: &Path, name: &str) -> Result<Vec<Run>, DriverError> {
    let mut number = 0;
    while runs.len() > FAN_IN {
        let path = directory.join(format!("{name}-merged-{number}"));
        let failed = |error: std::io::Error| io_error("write", &path, &error);
        let mut out = BufWriter::with_capacity(1 << 18, File::create(&path).map_err(failed)?);
        let mut merged = Merged::new(runs.drain(..FAN_IN).collect())?;
        let (mut records, mut numbers) = (0, Vec::with_capacity(extras));
        while let Some(record) = merged.peek() {
            merged.pass(&mut numbers)?;
            let words = [(record >> 64) as u64, record as u64].into_iter().chain(numbers.drain(..));
            for word in words {
                out.write_all(&word.to_le_bytes()).map_err(failed)?;
            }
            records += 1;
        }
        out.flush().map_err(failed)?;
        runs.push(Run { file: RunFile::open(path, extras)?, start: 0, end: records });
        number += 1;
    }
    Ok(runs)
}

/// Merges both sides in so many threads; keeps so many keys.
pub(super) fn merge(
    left: &[Run],
    right: &[Run],
    tolerances: &[Tolerance],
    most: usize,
    threads: usize,
) -> Result<Outcome, DriverError> {
    let threads = threads.clamp(1, 64) as u64;
    let bound = |part: u64| if part == threads { u64::MAX } else { (u64::MAX / threads) * part };
    let part = |part: u64| -> Result<Outcome, DriverError> {
        let of = |runs: &[Run]| {
            let ranges = runs.iter().map(|run| run.range(bound(part), bound(part + 1)));
            ranges.collect::<Result<_, _>>().and_then(Merged::new)
        };
        Range { left: of(left)?, right: of(right)?, tolerances, most }.compare()
    };
    let outcomes: Vec<Result<Outcome, DriverError>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|number| scope.spawn(move || part(number))).collect();
        let join = |handle: std::thread::ScopedJoinHandle<'_, _>| {
            handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        handles.into_iter().map(join).collect()
    });
    let mut total = Outcome::default();
    for outcome in outcomes {
        let Outcome { counts, keys } = outcome?;
        total.counts.add(&counts);
        total.keys.extend(keys);
    }
    total.keys.truncate(most);
    Ok(total)
}

/// Both sides of a range of keys.
struct Range<'a> {
    left: Merged,
    right: Merged,
    tolerances: &'a [Tolerance],
    most: usize,
}

/// Rows of one key.
#[derive(Default)]
struct Tally {
    rows: [u64; 2],
    /// Those without an equal on the other side.
    unmatched: [u64; 2],
}

impl Range<'_> {
    fn compare(mut self) -> Result<Outcome, DriverError> {
        let mut outcome = Outcome::default();
        let mut numbers = [Vec::new(), Vec::new()];
        while let Some(first) = self.head() {
            let key = (first >> 64) as u64;
            let mut tally = Tally::default();
            let mut next = first;
            loop {
                self.alike(next, &mut tally, &mut numbers)?;
                match self.head() {
                    Some(head) if (head >> 64) as u64 == key => next = head,
                    _ => break,
                }
            }
            let Tally { rows, unmatched } = tally;
            let counts = &mut outcome.counts;
            let changed = unmatched[0].min(unmatched[1]);
            counts.left += rows[0];
            counts.right += rows[1];
            counts.same += rows[0] - unmatched[0];
            counts.changed += changed;
            counts.removed += unmatched[0] - changed;
            counts.added += unmatched[1] - changed;
            counts.repeated_left += rows[0].saturating_sub(1);
            counts.repeated_right += rows[1].saturating_sub(1);
            if unmatched != [0, 0] {
                counts.keys_differing += 1;
                if outcome.keys.len() < self.most {
                    outcome.keys.push(key);
                }
            }
        }
        Ok(outcome)
    }

    fn head(&self) -> Option<u128> {
        match (self.left.peek(), self.right.peek()) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        }
    }

    /// Takes the rows with these hashes from both sides.
    fn alike(&mut self, record: u128, tally: &mut Tally, numbers: &mut [Vec<u64>; 2]) -> Result<(), DriverError> {
        let mut rows = [0u64; 2];
        for (side, (merged, numbers)) in [&mut self.left, &mut self.right].into_iter().zip(&mut *numbers).enumerate() {
            numbers.clear();
            while merged.peek() == Some(record) {
                merged.pass(numbers)?;
                rows[side] += 1;
                if !self.tolerances.is_empty() && numbers.len() > MOST_ALIKE * self.tolerances.len() {
                    return Err(DriverError::permanent(
                        code::DIFF_REFUSED,
                        format!(
                            "more than {MOST_ALIKE} rows share a key and differ in nothing but columns with a tolerance"
                        ),
                    )
                    .hint("name a key that tells rows apart, or leave the tolerance out"));
                }
            }
        }
        let matched = if self.tolerances.is_empty() { rows[0].min(rows[1]) } else { matched(numbers, self.tolerances) };
        for (rows, (all, unmatched)) in rows.into_iter().zip(tally.rows.iter_mut().zip(&mut tally.unmatched)) {
            *all += rows;
            *unmatched += rows - matched;
        }
        Ok(())
    }
}

/// How many rows of one side have a partner on the other within the tolerances, each partner for one only. Rows are paired in
/// the order of their numbers.
fn matched([left, right]: &[Vec<u64>; 2], tolerances: &[Tolerance]) -> u64 {
    let rows = |side: &[u64]| -> Vec<Vec<u64>> {
        let mut rows: Vec<Vec<u64>> = side.chunks(tolerances.len()).map(<[u64]>::to_vec).collect();
        if rows.len() > 1 {
            rows.sort_by(|left, right| {
                let pairs = left.iter().zip(right);
                pairs
                    .map(|(left, right)| f64::from_bits(*left).total_cmp(&f64::from_bits(*right)))
                    .find(|order| order.is_ne())
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
        }
        rows
    };
    let (left, mut right) = (rows(left), rows(right));
    let mut matched = 0;
    for row in left {
        if let Some(at) = right.iter().position(|other| within(&row, other, tolerances)) {
            right.remove(at);
            matched += 1;
        }
    }
    matched
}

/// Whether all numbers of two rows are within their tolerances.
pub(super) fn within(left: &[u64], right: &[u64], tolerances: &[Tolerance]) -> bool {
    left.iter().zip(right).zip(tolerances).all(|((left, right), tolerance)| near(*left, *right, *tolerance))
}

/// Whether two numbers, as [`super::canonical::numbers`] gives them, are within a tolerance.
pub(super) fn near(left: u64, right: u64, tolerance: Tolerance) -> bool {
    let null = left == NULL_BITS || right == NULL_BITS;
    left == right || !null && tolerance.allows(f64::from_bits(left), f64::from_bits(right), 1.0)
}

/// The runs of a file, from how many records each has.
pub(super) fn runs_of(file: &Arc<RunFile>, lengths: &[u64]) -> Vec<Run> {
    let mut start = 0;
    let run = |length: &u64| {
        let run = Run { file: Arc::clone(file), start, end: start + length };
        start += length;
        run
    };
    lengths.iter().map(run).collect()
}
