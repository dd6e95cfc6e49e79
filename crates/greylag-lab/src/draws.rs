//! Random draws that are the same on every machine and with every version of the `rand` crates.
//!
//! Everything the lab makes is drawn from streams named by a label and an index, so that one dataset does not depend on
//! how many were made before it, nor on which thread made it. Only raw ChaCha output is taken from the crate; ranges,
//! chances and picks are computed here with integers, because distributions of libraries change and floating-point
//! functions differ between machines.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// A stream of draws.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream called `label`, number `index`, of the estate with this seed.
    pub(crate) fn new(seed: u64, label: &str, index: u64) -> Self {
        let mut name = label.as_bytes().to_vec();
        name.extend_from_slice(&index.to_le_bytes());
        let mut key = [0; 32];
        key[..16].copy_from_slice(&xxh3_128_with_seed(&name, seed).to_le_bytes());
        name.push(1);
        key[16..].copy_from_slice(&xxh3_128_with_seed(&name, seed).to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Any 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 up to and without `end` (0 if `end` is 0).
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// A number from `first` to `last`, both included.
    pub(crate) fn between(&mut self, first: i64, last: i64) -> i64 {
        let width = (i128::from(last) - i128::from(first) + 1).cast_unsigned();
        (i128::from(first) + ((u128::from(self.bits()) * width) >> 64).cast_signed()) as i64
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the items.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// The items in another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Draws;

    #[test]
    fn streams_are_the_same_for_ever() {
        let mut draws = Draws::new(1, "test", 7);
        let drawn = (draws.bits(), draws.below(10), draws.between(-5, 5), draws.chance(50));
        let mut again = Draws::new(1, "test", 7);
        assert_eq!(drawn, (again.bits(), again.below(10), again.between(-5, 5), again.chance(50)));
        assert_ne!(Draws::new(2, "test", 7).bits(), drawn.0);
        assert_ne!(Draws::new(1, "test", 8).bits(), drawn.0);
        assert_ne!(Draws::new(1, "tests", 7).bits(), drawn.0);
    }

    #[test]
    fn ranges_hold() {
        let mut draws = Draws::new(1, "test", 0);
        assert_eq!(draws.below(0), 0);
        for _ in 0..1000 {
            assert!((-3..=3).contains(&draws.between(-3, 3)));
            assert!(draws.below(3) < 3);
        }
        draws.between(i64::MIN, i64::MAX);
    }
}
