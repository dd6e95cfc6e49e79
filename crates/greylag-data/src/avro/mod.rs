//! Avro object container files: a header with the schema and a sync marker, then blocks of rows, each packed by itself.
//!
//! Container (`container`, `codec`), schema (`schema`) and rows (`decode`, `encode`) are our own. `arrow-avro` 58.4 was
//! tried: it takes a file that is cut off inside a block for one that ends before it, so that rows go without a word; it
//! does not look at sync markers, unpacks blocks without a limit, goes on for ever over a block with bytes behind its
//! last row, and writes a random sync marker, where the same request must write the same bytes.
//!
//! # Types
//! | Avro | Greylag | written for |
//! |---|---|---|
//! | `boolean`, `float`, `double`, `string`, `bytes` | `boolean`, `float32`, `float64`, `string`, `binary` | the same |
//! | `int` | `int32` | `int8`, `int16`, `int32`, `uint8`, `uint16` |
//! | `long` | `int64` | `int64`, `uint32` |
//! | `date` | `date` | `date` |
//! | `time-millis`, `time-micros` | `time(ms)`, `time(us)` | the same |
//! | `timestamp-millis`, `-micros`, `-nanos` | `timestamp(ms, UTC)` … | timestamps with any zone: the instant is kept |
//! | `local-timestamp-millis`, `-micros`, `-nanos` | `timestamp(ms)` … | the same |
//! | `decimal` of `bytes` or `fixed` | `decimal(p,s)`, up to 38 digits | `decimal(p,s)`, of `bytes` |
//! | `fixed`, `duration` | `binary` | |
//! | `enum`, `uuid` | `string` | |
//! | `array`, `map`, `record` | `list`, `map<string, …>`, `struct` | the same |
//! | union of `null` and one other | the other, with nulls | every column that may be null |
//! | `null` | `string` of nulls | |
//! | other unions, records that hold themselves | refused | |
//!
//! A type in the second column that is narrower or has another zone than the file tells (`int8` in an `int`) is the
//! dataset's if it is declared; what a migration publishes is. A logical type that is unknown or makes no sense is left aside,
//! as Avro's specification says. `uint64`, whole seconds, times of day in nanoseconds, maps of other keys, and names of
//! other letters than Avro's cannot be written: see [`greylag_model::carry`].
//!
//! # Trust
//! Every length is held against the bytes that are there before anything is made of it. A block may have 64 MiB packed and
//! 128 MiB unpacked, no more rows than bytes, and must end with its last row and the file's sync marker. Named types are
//! spelled out, up to 20,000 of them.

pub(crate) mod codec;
pub(crate) mod container;
mod decode;
mod encode;
mod input;
pub(crate) mod read;
pub(crate) mod schema;
pub mod write;

#[cfg(test)]
mod tests;

use greylag_driver::error::DriverError;
use greylag_model::code::data as code;

pub(crate) fn corrupt(name: &str, words: &str) -> DriverError {
    DriverError::permanent(code::CORRUPT_AVRO, format!("`{name}`: {words}")).hint("restore the file, or write it again")
}

pub(crate) fn hostile(name: &str, words: &str) -> DriverError {
    DriverError::permanent(code::HOSTILE_FILE, format!("`{name}`: {words}"))
        .hint("find out where the file came from; if it is good, write it again with smaller blocks")
}
