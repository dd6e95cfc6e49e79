//! Parquet files: guarded footers ([`footer`]), streaming reads ([`read`]), tuned deterministic writes ([`mod@write`]) and
//! joining files without decoding them ([`assemble`]).

pub mod assemble;
pub mod failure;
pub mod footer;
mod pack;
mod pages;
pub mod read;
pub mod source;
mod thrift_guard;
pub mod write;

#[cfg(test)]
mod tests;
