//! `ltrim`. Without the characters of the second text (the default is a space) at the start; other white space stays.

use super::Spec;
use super::trimming::{spec, trimmed};

pub(super) const SPEC: Spec = spec(
    "ltrim",
    "ltrim(string[, characters string]) → string",
    "Without the characters of the second text (the default is a space) at the start; other white space stays.",
    |_, values| trimmed(values, |text, letters| text.trim_start_matches(letters)),
    |_, _, sql| format!("ltrim({})", sql.join(", ")),
);

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn trim_left_means() {
        check("ltrim(' a ')", "a ");
        check("trim(LEADING 'x' FROM 'xax')", "ax");
    }
}
