//! `rtrim`. Without the characters of the second text (the default is a space) at the end; other white space stays.

use super::Spec;
use super::trimming::{spec, trimmed};

pub(super) const SPEC: Spec = spec(
    "rtrim",
    "rtrim(string[, characters string]) → string",
    "Without the characters of the second text (the default is a space) at the end; other white space stays.",
    |_, values| trimmed(values, |text, letters| text.trim_end_matches(letters)),
    |_, _, sql| format!("rtrim({})", sql.join(", ")),
);

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn trim_right_means() {
        check("rtrim(' a ')", " a");
        check("rtrim('aä', 'ä')", "a");
    }
}
