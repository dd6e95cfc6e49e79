//! Frames: a little-endian `u32` length and that many bytes of MessagePack, structures as maps by name.
//!
//! Both ends are the same binary, so that no form has to last; what counts is that a small dataset is three requests,
//! whose mapping and evidence are read and written as text several times slower.

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
    append(&mut bytes, value)?;
    seal(&mut bytes)?;
    Ok(bytes)
}

/// Adds a value to a body.
pub(super) fn append(bytes: &mut Vec<u8>, value: &impl Serialize) -> Result<(), DriverError> {
    rmp_serde::encode::write_named(bytes, value).map_err(|error| broken(&error.to_string()))
}

/// Writes the length of a body, which is now whole, into the header before it.
pub(super) fn seal(bytes: &mut [u8]) -> Result<(), DriverError> {
    let length = bytes.len() - HEADER;
    if length > LONGEST {
        return Err(broken(&format!("a message of {length} bytes is too long")));
    }
    bytes[..HEADER].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(())
}

/// The value of a body.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DriverError> {
    rmp_serde::from_slice(body).map_err(|error| broken(&error.to_string()))
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
