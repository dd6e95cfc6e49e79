//! `trim`. Without the characters of the second text (the default is a space) at both ends; other white space stays.

use super::Spec;
use super::trimming::{spec, trimmed};

pub(super) const SPEC: Spec = spec(
    "trim",
    "trim(string[, characters string]) → string",
    "Without the characters of the second text (the default is a space) at both ends; other white space stays.",
    |_, values| trimmed(values, |text, letters| text.trim_matches(letters)),
    |_, _, sql| format!("trim({})", sql.join(", ")),
);

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn trim_means() {
        check("trim('  a b ')", "a b");
        check("trim('xyaxy', 'yx')", "a");
        check("trim(BOTH 'x' FROM 'xax')", "a");
        check("trim('a', '')", "a");
    }
}
