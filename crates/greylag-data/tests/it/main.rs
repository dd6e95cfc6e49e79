//! Integration tests of the data plane: expressions over batches, and the steps end to end over real files.

#![expect(clippy::unwrap_used, reason = "tests")]

mod crash;
mod expr;
mod power;
mod steps;
mod support;
mod text;
mod undo;
mod view;
mod wrong;
