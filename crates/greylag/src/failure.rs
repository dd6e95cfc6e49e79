//! Failures: diagnostics that end a command, and how they look.

use crate::exit::Exit;
use greylag_driver::error::DriverError;
use greylag_model::code::{self, Code};
use greylag_model::diagnostic::{Diagnostic, Severity};
use greylag_model::spec::ErrorClass;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

/// What ended a command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit code.
    pub(crate) exit: Exit,
    /// At least one.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Texts of the files that the diagnostics point into, for excerpts.
    pub(crate) sources: BTreeMap<String, String>,
}

/// What commands return.
pub(crate) type Outcome = Result<Exit, Failure>;

impl Failure {
    /// One finding.
    pub(crate) fn new(exit: Exit, diagnostic: Diagnostic) -> Self {
        Self { exit, diagnostics: vec![diagnostic], sources: BTreeMap::new() }
    }

    /// An error of a code with exit 1.
    pub(crate) fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, Diagnostic::error(code, message))
    }

    /// Wrong usage.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, Diagnostic::error(code::cli::USAGE, message))
    }

    /// A person asked to stop.
    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Interrupted, Diagnostic::error(code::cli::INTERRUPTED, "interrupted"))
    }

    /// The same with a hint on its last finding.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(last) = self.diagnostics.last_mut() {
            last.hints.push(hint.into());
        }
        self
    }

    /// Whether this is its one finding.
    pub(crate) fn is(&self, code: Code) -> bool {
        matches!(self.diagnostics.as_slice(), [only] if only.code == code)
    }

    /// Writes the findings to standard error: excerpts for people, JSON lines for programs.
    pub(crate) fn report(&self, json: bool) {
        report(&self.diagnostics, &self.sources, json);
    }
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        let exit = match error.class {
            ErrorClass::Denied => Exit::Refused,
            _ => Exit::Failed,
        };
        let mut diagnostic = Diagnostic::error(error.code, error.message);
        diagnostic.hints = error.hints;
        Self::new(exit, diagnostic)
    }
}

/// Writes diagnostics to standard error.
pub(crate) fn report(diagnostics: &[Diagnostic], sources: &BTreeMap<String, String>, json: bool) {
    let mut stderr = anstream::stderr().lock();
    for diagnostic in diagnostics {
        // A closed standard error leaves nobody to tell.
        let _ = if json {
            writeln!(stderr, "{}", serde_json::to_string(diagnostic).unwrap_or_default())
        } else {
            writeln!(stderr, "{}", render(diagnostic, sources))
        };
    }
}

/// `error[GL0101]: message`, the place with its line, then hints.
fn render(diagnostic: &Diagnostic, sources: &BTreeMap<String, String>) -> String {
    let (word, colour) = match diagnostic.severity {
        Severity::Error => ("error", "\x1b[1;31m"),
        Severity::Warning => ("warning", "\x1b[1;33m"),
    };
    let mut text = format!("{colour}{word}[{}]\x1b[0m: {}", diagnostic.code, shown(&diagnostic.message));
    if let Some(place) = &diagnostic.place {
        let _ = write!(text, "\n  \x1b[34m-->\x1b[0m {}:{}:{}", shown(&place.file), place.line, place.column);
        let line = sources.get(&place.file).and_then(|source| source.lines().nth(place.line.saturating_sub(1)));
        if let Some(line) = line {
            let number = place.line.to_string();
            let gap = " ".repeat(number.len());
            let shown_line = shown(line);
            let width = line.chars().count();
            let start = place.column.saturating_sub(1).min(width);
            let length = place.span.1.clamp(1, width.saturating_sub(start).max(1));
            let _ = write!(
                text,
                "\n \x1b[34m{number} |\x1b[0m {shown_line}\n \x1b[34m{gap} |\x1b[0m {}{colour}{}\x1b[0m",
                " ".repeat(start),
                "^".repeat(length)
            );
        }
    }
    for hint in &diagnostic.hints {
        let _ = write!(text, "\n  \x1b[36mhint:\x1b[0m {}", shown(hint));
    }
    text
}

/// Text as a terminal may have it: control characters, escapes and bidirectional overrides are made visible, so that a
/// name from a file can neither move the cursor nor reorder the line.
pub(crate) fn shown(text: &str) -> String {
    let hostile = |letter: char| {
        (letter.is_control() && letter != '\n' && letter != '\t')
            || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    if !text.chars().any(hostile) {
        return text.to_owned();
    }
    text.chars()
        .map(|letter| if hostile(letter) { letter.escape_unicode().to_string() } else { letter.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn hostile_characters_are_made_visible() {
        assert_eq!(shown("plain ünïcode\n"), "plain ünïcode\n");
        assert_eq!(shown("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
    }
}
