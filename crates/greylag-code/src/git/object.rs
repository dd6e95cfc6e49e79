//! Names of objects.

use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use std::fmt;

/// The full id of an object: 40 or 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(String);

impl ObjectId {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, DriverError> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits && matches!(text.len(), 40 | 64) {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().take(80).collect();
        Err(DriverError::permanent(code::GIT_OBJECT, format!("`{}` is no id of a commit", shown.escape_debug())))
    }

    /// From its bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id that stands for no object, of the same length.
    pub(crate) fn zero(&self) -> String {
        "0".repeat(self.0.len())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// That something is not in the repository.
pub(crate) fn missing(what: &str) -> DriverError {
    DriverError::permanent(code::GIT_OBJECT, format!("the repository has no {what}")).hint("fetch it again")
}

/// That something in the repository is not as it must be.
pub(crate) fn damaged(what: &str) -> DriverError {
    DriverError::permanent(code::GIT_OBJECT, format!("the repository is damaged: {what}")).hint("fetch it again")
}
