//! The seams: every trait that touches the world. Each is five things: a small trait, plain data, one classed error,
//! an in-memory double that is a real implementation, and a conformance suite that every implementation runs.
//!
//! **Invariant:** traits are synchronous and object-safe; a driver that speaks to an asynchronous client blocks inside.
//! Long work is not awaited: an executor answers `Pending` with a handle and is polled. Nothing here opens a file, a
//! socket or a database.

pub mod catalog;
pub mod clock;
pub mod describe;
pub mod error;
pub mod executor;
pub mod fault;
pub mod forge;
pub mod journal;
pub mod proof;
pub mod sampler;
pub mod sandbox;
pub mod values;
