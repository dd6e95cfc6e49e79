//! The real binary, as users run it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod commands;
mod kill;
mod rig;
mod rubbish;
