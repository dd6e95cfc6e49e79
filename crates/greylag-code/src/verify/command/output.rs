//! The end of what a command said, as text that can be shown.

use std::collections::VecDeque;

/// Lines that are kept.
const LINES: usize = 30;
/// Characters of a line.
const LETTERS: usize = 300;

/// A line without what a terminal or a reader would take for something else than letters: escape sequences, control
/// characters, and those that turn the direction of writing.
pub fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => escape(&mut letters),
            '\t' => text.push(' '),
            _ if is_hidden(letter) => {}
            _ => text.push(letter),
        }
    }
    text
}

fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Passes over the rest of an escape sequence: `[` up to a letter, `]` up to its end, or one more character.
fn escape(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match letters.next() {
        Some('[') => while letters.next().is_some_and(|letter| !('@'..='~').contains(&letter)) {},
        Some(']') => while letters.next().is_some_and(|letter| !matches!(letter, '\u{7}' | '\u{1b}' | '\u{9c}')) {},
        _ => {}
    }
}

/// Keeps the last lines.
#[derive(Debug, Default)]
pub(super) struct Tail(VecDeque<String>);

impl Tail {
    pub(super) fn push(&mut self, line: &str) {
        let line: String = plain(line).trim_end().chars().take(LETTERS).collect();
        if line.is_empty() {
            return;
        }
        self.0.push_back(line);
        if self.0.len() > LINES {
            self.0.pop_front();
        }
    }

    pub(super) fn lines(self) -> Vec<String> {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::{LETTERS, LINES, Tail, plain};

    #[test]
    fn what_is_shown_is_letters() {
        for (line, expected) in [
            ("1 passed", "1 passed"),
            ("\u{1b}[31;1mred\u{1b}[0m\tand\r", "red and"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("a\u{202e}b\u{200b}c\u{0}d", "abcd"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("ä€😀", "ä€😀"),
        ] {
            assert_eq!(plain(line), expected);
        }
    }

    #[test]
    fn the_end_is_kept() {
        let mut tail = Tail::default();
        for number in 0..1_000 {
            tail.push(&format!("line {number}"));
            tail.push("  ");
        }
        tail.push(&"x".repeat(5 * LETTERS));
        let lines = tail.lines();
        assert_eq!((lines.len(), lines[LINES - 1].len(), lines[LINES - 2].as_str()), (LINES, LETTERS, "line 999"));
    }
}
