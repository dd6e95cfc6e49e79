//! Tests of the crate through its public face, in one binary.
#![expect(clippy::unwrap_used, reason = "tests")]

mod jinja;
mod jinja_bounds;
mod jinja_memo;
mod jinja_origins;
mod jinja_ways;
mod sql;
