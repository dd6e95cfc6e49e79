//! The data plane: reads and writes datasets of files, converts them, proves what was written, publishes it.
//!
//! **Invariant:** the contents of a source file are opened only in a reader process; the process that holds the journal
//! sees names, sizes and what readers answer.

pub mod durable;
mod error;
pub mod evidence;
pub mod staging;
