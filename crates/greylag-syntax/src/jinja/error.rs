//! What went wrong, and at which bytes.

use crate::trace::{Files, Span};

/// What sort of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The text is no template.
    Syntax,
    /// A value is not of the sort that is needed.
    Type,
    /// There is nothing of a name.
    Name,
    /// A bound was reached: steps, sizes, depth.
    Limit,
    /// The template raised it.
    Raised,
}

/// An error at a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Its sort.
    pub kind: ErrorKind,
    /// What is wrong.
    pub message: String,
    /// Where, if it is known.
    pub at: Option<Span>,
}

impl Error {
    /// An error of a sort.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), at: None }
    }

    /// An error at a place.
    pub fn at(kind: ErrorKind, message: impl Into<String>, at: Span) -> Self {
        Self { kind, message: message.into(), at: Some(at) }
    }

    /// The same error at a place, unless it has one.
    pub fn or_at(mut self, at: Span) -> Self {
        self.at.get_or_insert(at);
        self
    }

    /// Path, line and column (in characters, from one) before the message.
    pub fn with_place(&self, files: &Files) -> String {
        let Some(at) = self.at else { return self.message.clone() };
        let text = files.text(at.file);
        let before = text.get(..(at.start as usize).min(text.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}: {}", files.path(at.file), self.message)
    }
}
