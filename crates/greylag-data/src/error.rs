//! Errors of converting, verifying and publishing, each said in one place.

use greylag_driver::error::DriverError;
use greylag_model::code::data as code;

/// An Arrow type that no reader gives and no expression makes.
pub(crate) fn unsupported_array(found: &arrow::datatypes::DataType) -> DriverError {
    DriverError::permanent(code::INCONSISTENT, format!("a column of Arrow type `{found}` has no canonical form"))
}

/// A batch that is not what its schema says.
pub(crate) fn wrong_shape(expected: usize, found: usize) -> DriverError {
    DriverError::permanent(code::INCONSISTENT, format!("a batch has {found} columns where its schema has {expected}"))
}
