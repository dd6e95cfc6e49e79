//! The parser's findings, in the words of someone who wrote the file.

use super::Source;
use crate::code::{Code, spec as code};
use crate::diagnostic::Diagnostic;

/// What is wrong at a byte, where the parser says `info`.
pub(super) fn diagnostic(source: &Source, at: usize, info: &str, most_levels: usize) -> Diagnostic {
    if let Some(tab) = tab_near(source, at) {
        return Diagnostic::error(code::YAML_TAB, "a tab where YAML wants spaces")
            .at(Some(source.place(tab..tab + 1)))
            .hint("replace it with spaces");
    }
    let (code, message, hint) = words(info, most_levels);
    Diagnostic::error(code, message).at(Some(source.place(at..at))).hint(hint)
}

/// A tab in the indentation of the line, or beside the place.
fn tab_near(source: &Source, at: usize) -> Option<usize> {
    let start = source.line_start(at);
    let line = source.text()[start..].lines().next().unwrap_or_default();
    let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
    let before = (at - start).saturating_sub(1).min(line.len());
    let beside =
        || line.as_bytes()[before..].iter().take(2).position(|byte| *byte == b'\t').map(|after| before + after);
    line[..indent].find('\t').or_else(beside).map(|tab| start + tab)
}

fn words(info: &str, most_levels: usize) -> (Code, String, &'static str) {
    const QUOTES: &str = "put it in quotes: so does every value that begins with one of `[]{}&*!|>%@`";
    let has = |part: &str| info.contains(part);
    if has("recursion limit") {
        let message = format!("more than {most_levels} levels inside each other");
        return (code::YAML_LIMIT, message, "look for brackets that are not closed");
    }
    let (message, hint) = if has("quoted scalar") && !has("escape") {
        ("a quote is not closed".to_owned(), "close it, or double it if it belongs to the text: `'it''s'`")
    } else if has("illegal placement of ':'") || has("mapping values are not allowed") {
        ("a `:` where no key can stand".to_owned(), "check the indentation; a value that holds `: ` needs quotes")
    } else if let Some(letter) = info.strip_prefix("unexpected character: ") {
        (format!("a value cannot begin with `{}`", letter.trim_matches(['`', '\''])), QUOTES)
    } else if has("block sequence entries are not allowed") {
        ("a `-` where no list can begin".to_owned(), "check the indentation; a value that is only `-` needs quotes")
    } else if has("expected node content") {
        ("a value is missing, or a bracket is not closed".to_owned(), "close the bracket, or write the value")
    } else if has("unprintable character") {
        ("a character that cannot be printed".to_owned(), "write it as an escape in double quotes: `\"\\x00\"`")
    } else {
        (
            format!("this is not well-formed YAML: {}", info.replace('\'', "`")),
            "check the indentation and the quotes here and in the line above",
        )
    };
    (code::YAML_SYNTAX, message, hint)
}
