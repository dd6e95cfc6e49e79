//! Reading of code that keeps every byte.
//!
//! **Invariants:** bytes in are bytes out: a file is changed by edits at places and is never printed anew; what could not be
//! understood is said to be unknown and never left out; nothing in here knows what a dataset is, reads a file or a clock, or
//! fails on any input other than with an error that names the place.
//!
//! [`trace`] has text that knows which bytes of which file made it. [`edit`] changes files at places. [`jinja`] evaluates
//! templates to such text. [`sql`] finds the names of relations and columns in SQL.

pub mod edit;
pub mod jinja;
pub mod sql;
pub mod trace;
