//! Integration tests of the data plane.
#![expect(clippy::unwrap_used, reason = "tests")]

mod expr;
