//! Integration tests of the data plane: expressions over batches, and the steps end to end over real files.

#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::disallowed_methods, reason = "DuckDB is started, in the Python that the environment names")]

mod carry_back;
mod crash;
mod diff;
mod diff_check;
mod expr;
mod files;
mod formats;
mod generations;
mod increments;
mod power;
mod rehearse;
mod sampler;
mod steps;
mod support;
mod text;
mod undo;
mod view;
mod wrong;
