//! `lpad`. Filled up on the left with the third text (the default is a space) to so many characters, at most 1,000,000; a longer text is cut at the end. Filling with an empty text is a row error.

use super::Spec;
use super::padding::{duckdb, padded, spec};

pub(super) const SPEC: Spec = spec(
    "lpad",
    "lpad(string, length int64[, fill string]) → string",
    "Filled up on the left with the third text (the default is a space) to so many characters, at most 1,000,000; a longer text is cut at the end. Filling with an empty text is a row error.",
    |_, values| padded(values, |padding, text| format!("{padding}{text}")),
    |site, duck, sql| duckdb("lpad", site, duck, sql),
);

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn pad_left_means() {
        check("lpad('7', 3, '0')", "007");
        check("lpad('hello', 2, 'x')", "he");
        check("lpad('a', 4, 'xy')", "xyxa");
        check("lpad('a', 3)", "  a");
        check("lpad('a', -1, 'x')", "");
        check("lpad('a', 3, '')", "error: there is nothing to fill with, or the length is above 1000000");
        check("lpad('a', 2000000, 'x')", "error: there is nothing to fill with, or the length is above 1000000");
    }
}
