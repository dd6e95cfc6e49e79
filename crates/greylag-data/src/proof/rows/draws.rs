//! Draws: the same seed gives the same ones.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A source of numbers.
#[derive(Clone, Debug)]
pub(in crate::proof) struct Draws {
    seed: u64,
    at: u64,
}

impl Draws {
    /// For one thing of one round.
    pub(in crate::proof) fn new(seed: u64, what: &str) -> Self {
        Self { seed: xxh3_64_with_seed(what.as_bytes(), seed), at: 0 }
    }

    /// Below a number; 0 if that is 0.
    pub(in crate::proof) fn below(&mut self, most: usize) -> usize {
        self.at += 1;
        let drawn = xxh3_64_with_seed(&self.at.to_le_bytes(), self.seed);
        if most == 0 { 0 } else { (drawn % most as u64) as usize }
    }

    /// So many times of a hundred.
    pub(in crate::proof) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of some.
    pub(in crate::proof) fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
}
