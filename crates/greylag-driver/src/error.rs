//! One error for all drivers: a class that says what trying again means, a code, and words.

use greylag_model::code::Code;
use greylag_model::spec::ErrorClass;
use greylag_model::task::Failure;
use serde::{Deserialize, Serialize};

/// An error of a driver. It stays typed across processes: reader processes send it as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct DriverError {
    /// What trying again means.
    pub class: ErrorClass,
    /// Stable code.
    pub code: Code,
    /// What happened, lower case, values in backticks, no secrets, no values of rows.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl DriverError {
    /// An error of a class.
    pub fn new(class: ErrorClass, code: Code, message: impl Into<String>) -> Self {
        Self { class, code, message: message.into(), hints: Vec::new() }
    }
    /// One that may go away.
    pub fn transient(code: Code, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Transient, code, message)
    }
    /// One that will not.
    pub fn permanent(code: Code, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Permanent, code, message)
    }
    /// Somebody else was there first.
    pub fn conflict(code: Code, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Conflict, code, message)
    }
    /// Not allowed.
    pub fn denied(code: Code, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Denied, code, message)
    }
    /// The same, with one more hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        Self { class: error.class, code: error.code, message: error.message, hints: error.hints }
    }
}

impl From<Failure> for DriverError {
    fn from(failure: Failure) -> Self {
        Self { class: failure.class, code: failure.code, message: failure.message, hints: failure.hints }
    }
}
