//! Whole estates: the same for a seed, and with everything in them.

#![expect(clippy::unwrap_used, reason = "tests")]

mod coverage;
mod jobs;
mod repositories;
mod same;
