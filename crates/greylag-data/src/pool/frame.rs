//! Frames: a little-endian `u32` length and that many bytes of JSON.

use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes before the body.
pub(super) const HEADER: usize = 4;
/// A longer frame is no frame.
pub(super) const LONGEST: usize = 256 << 20;

/// A whole frame.
pub(super) fn encode(value: &impl Serialize) -> Result<Vec<u8>, DriverError> {
    let mut bytes = vec![0; HEADER];
    serde_json::to_writer(&mut bytes, value).map_err(|error| broken(&error.to_string()))?;
    let length = bytes.len() - HEADER;
    if length > LONGEST {
        return Err(broken(&format!("a message of {length} bytes is too long")));
    }
    bytes[..HEADER].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(bytes)
}

/// The value of a body.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DriverError> {
    serde_json::from_slice(body).map_err(|error| broken(&error.to_string()))
}

/// The length that a header gives.
pub(super) fn length(header: [u8; HEADER]) -> Option<usize> {
    let length = u32::from_le_bytes(header) as usize;
    (length <= LONGEST).then_some(length)
}

/// What was said is no message.
pub(super) fn broken(words: &str) -> DriverError {
    DriverError::permanent(code::READER_PROTOCOL, format!("a reader process could not be understood: {words}"))
        .hint("restart Greylag if its binary was replaced")
}
