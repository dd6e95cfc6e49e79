//! `rpad`. Filled up on the right with the third text (the default is a space) to so many characters, at most 1,000,000; a longer text is cut at the end. Filling with an empty text is a row error.

use super::Spec;
use super::padding::{duckdb, padded, spec};

pub(super) const SPEC: Spec = spec(
    "rpad",
    "rpad(string, length int64[, fill string]) → string",
    "Filled up on the right with the third text (the default is a space) to so many characters, at most 1,000,000; a longer text is cut at the end. Filling with an empty text is a row error.",
    |_, values| padded(values, |padding, text| format!("{text}{padding}")),
    |site, duck, sql| duckdb("rpad", site, duck, sql),
);

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn pad_right_means() {
        check("rpad('7', 3, '0')", "700");
        check("rpad('hello', 2, 'x')", "he");
        check("rpad('ä', 3, 'xy')", "äxy");
    }
}
