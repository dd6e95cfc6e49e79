//! Tests of this crate as a whole.
#![expect(clippy::unwrap_used, reason = "tests")]

mod jinja;
mod jinja_bounds;
mod jinja_origins;
mod jinja_ways;
