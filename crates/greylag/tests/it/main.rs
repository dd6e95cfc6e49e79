//! The real binary, as users run it.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests start the binary")]

mod builds;
mod changes;
mod cohorts;
mod commands;
mod cut;
mod derived;
mod diff_check;
mod duckdb;
mod formats;
mod gc;
mod guides;
mod increments;
mod kill;
mod proofs;
mod references;
mod repositories;
mod rewrite;
mod rig;
mod rubbish;
mod sample;
mod scan_code;
mod scopes;
mod stale;
mod steps;
mod target;
mod templates;
mod together;
mod undo;
mod verify;
mod witness;
