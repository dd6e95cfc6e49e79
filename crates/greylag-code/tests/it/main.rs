//! What the code plane promises, on real repositories.
#![expect(clippy::unwrap_used, reason = "tests")]

mod dbt;
mod estate;
mod forge;
mod git;
mod hostile;
mod installed;
mod maker;
mod plain;
mod rescan;
mod scopes;
mod serve;
mod split;
mod target;
mod together;
