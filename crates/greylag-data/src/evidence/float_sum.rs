//! Exact sums of floats.
//!
//! A compensated sum depends on the order of its terms, and where large terms cancel, what is left of it is noise: two
//! passes over the same rows in different chunks could disagree by any factor. So sums are kept exactly, as one wide
//! fixed-point number (a "small superaccumulator" as in R. M. Neal, *Fast exact summation using small and large
//! superaccumulators*, 2015) and rounded once, at the end. A term costs a shift and three additions.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A chunk holds 32 bits; the lowest bit of chunk 0 has the weight 2^-1075, so that subnormals fit with their lowest
/// bit at position 1. A finite double reaches chunk 65; the rest is room for 2^64 terms.
const CHUNKS: usize = 68;
/// Terms between two propagations of carries: each adds less than 2^32 to a chunk of 63 bits.
const ROOM: u32 = 1 << 30;

/// The exact sum of finite doubles.
#[derive(Clone, Debug)]
pub(crate) struct FloatSum {
    chunks: [i64; CHUNKS],
    terms: u32,
}

impl Default for FloatSum {
    fn default() -> Self {
        Self { chunks: [0; CHUNKS], terms: 0 }
    }
}

impl FloatSum {
    /// Adds a term; infinities and NaN are left out.
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = (bits >> 52) as u32 & 0x7ff;
        if exponent == 0x7ff {
            return;
        }
        let implicit = u64::from(exponent != 0) << 52;
        let exponent = exponent.max(1);
        let shifted = u128::from(bits & 0x000f_ffff_ffff_ffff | implicit) << (exponent & 31);
        let sign = (bits as i64) >> 63;
        let at = (exponent >> 5) as usize;
        let signed = |part: u128| (i64::from(part as u32) ^ sign) - sign;
        if let Some([low, middle, high]) = self.chunks.get_mut(at..at + 3) {
            *low += signed(shifted);
            *middle += signed(shifted >> 32);
            *high += signed(shifted >> 64);
        }
        self.terms += 1;
        if self.terms == ROOM {
            self.carry();
        }
    }

    /// Adds another sum.
    pub(crate) fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        other.carry();
        self.carry();
        for (chunk, more) in self.chunks.iter_mut().zip(other.chunks) {
            *chunk += more;
        }
        self.carry();
    }

    /// Makes the form unique: every chunk but the highest is 0 to 2^32 - 1.
    fn carry(&mut self) {
        let mut carry = 0;
        for chunk in &mut self.chunks[..CHUNKS - 1] {
            let total = *chunk + carry;
            *chunk = total & 0xffff_ffff;
            carry = total >> 32;
        }
        self.chunks[CHUNKS - 1] += carry;
        self.terms = 0;
    }

    /// The double that is nearest to the sum.
    pub(crate) fn round(&self) -> f64 {
        let mut sum = self.clone();
        sum.carry();
        let negative = sum.chunks[CHUNKS - 1] < 0;
        if negative {
            sum.chunks.iter_mut().for_each(|chunk| *chunk = -*chunk);
            sum.carry();
        }
        let Some(top) = sum.chunks.iter().rposition(|chunk| *chunk != 0) else { return 0.0 };
        let low = top.saturating_sub(2);
        // Three chunks hold at least 65 significant bits; whatever lies below only breaks ties.
        let mut head = sum.chunks[low..=top].iter().rev().fold(0_u128, |head, chunk| head << 32 | *chunk as u128);
        if sum.chunks[..low].iter().any(|chunk| *chunk != 0) {
            head |= 1;
        }
        // In two factors: a power of two below the smallest normal would lose the scale.
        let exponent = 32 * low as i32 - 1075;
        let half = exponent / 2;
        let magnitude = head as f64 * 2_f64.powi(half) * 2_f64.powi(exponent - half);
        if negative { -magnitude } else { magnitude }
    }

    fn sparse(&self) -> Vec<(usize, i64)> {
        let mut sum = self.clone();
        sum.carry();
        sum.chunks.iter().copied().enumerate().filter(|(_, chunk)| *chunk != 0).collect()
    }
}

impl PartialEq for FloatSum {
    fn eq(&self, other: &Self) -> bool {
        self.sparse() == other.sparse()
    }
}

impl Serialize for FloatSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sparse().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FloatSum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut sum = Self::default();
        for (at, value) in Vec::<(usize, i64)>::deserialize(deserializer)? {
            let fits = at == CHUNKS - 1 || (0..=0xffff_ffff).contains(&value);
            match sum.chunks.get_mut(at).filter(|_| fits) {
                Some(chunk) => *chunk = value,
                None => return Err(serde::de::Error::custom("not an exact sum")),
            }
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::FloatSum;

    fn sum(terms: &[f64]) -> FloatSum {
        let mut sum = FloatSum::default();
        for term in terms {
            sum.add(*term);
        }
        sum
    }

    #[test]
    fn large_terms_cancel_without_noise() {
        assert_eq!(sum(&[1e300, 1.0, -1e300, 1e-300]).round(), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]).round(), f64::MAX);
        assert_eq!(sum(&[0.1; 10]).round(), 1.0);
    }

    #[test]
    fn subnormals_and_signs_are_kept() {
        let tiny = f64::from_bits(1);
        assert_eq!(sum(&[tiny, tiny, tiny]).round(), f64::from_bits(3));
        assert_eq!(sum(&[-1.5, -2.25]).round(), -3.75);
        assert_eq!(sum(&[f64::MAX, f64::MAX]).round(), f64::INFINITY);
        assert_eq!(sum(&[f64::NAN, f64::INFINITY, 2.0]).round(), 2.0);
    }

    #[test]
    fn a_half_is_rounded_to_even_and_a_little_more_up() {
        let large = 9_007_199_254_740_992.0; // 2^53
        assert_eq!(sum(&[large, 1.0]).round(), large);
        assert_eq!(sum(&[large, 1.0, 1e-200]).round(), large + 2.0);
        assert_eq!(sum(&[-large, -1.0, -1e-200]).round(), -large - 2.0);
    }

    proptest::proptest! {
        #[test]
        fn integers_sum_as_integers_do(terms in proptest::collection::vec(-(1_i64 << 52)..(1_i64 << 52), 0..200)) {
            let floats: Vec<f64> = terms.iter().map(|term| *term as f64).collect();
            let exact: i128 = terms.iter().map(|term| i128::from(*term)).sum();
            proptest::prop_assert_eq!(sum(&floats).round(), exact as f64);
        }

        #[test]
        fn merging_in_any_order_gives_the_very_sum(
            terms in proptest::collection::vec(proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL, 0..60),
            cut in 0..60_usize,
        ) {
            let cut = cut.min(terms.len());
            let (mut left, right) = (sum(&terms[..cut]), sum(&terms[cut..]));
            let mut other = right.clone();
            other.merge(&left);
            left.merge(&right);
            proptest::prop_assert!(left == sum(&terms) && other == left);
            let json = serde_json::to_string(&left).map_err(|error| error.to_string()).unwrap_or_default();
            proptest::prop_assert!(serde_json::from_str::<FloatSum>(&json).is_ok_and(|back| back == left));
        }
    }
}
