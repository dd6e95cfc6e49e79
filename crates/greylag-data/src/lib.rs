//! The data plane: reads and writes datasets of files, converts them, proves what was written, publishes it.
//!
//! **Invariant:** the contents of a source file are opened only in a reader process (see [`pool`]); the process that
//! holds the journal sees names, sizes and what readers answer.

mod again;
#[cfg(test)]
mod any;
pub mod arrow_types;
pub mod avro;
pub mod chunk;
pub mod convert;
pub mod csv;
pub mod declared;
pub mod describe;
pub mod diff;
pub mod durable;
mod error;
pub mod evidence;
pub mod executor;
pub mod expr;
pub mod hive;
pub mod io_error;
pub mod json;
pub mod listing;
pub mod parquet;
pub mod part;
pub mod pool;
pub mod proof;
pub mod reader;
pub mod rejected;
pub mod request;
pub mod sampler;
pub mod seen;
pub mod staging;
mod units;
pub mod verify;
