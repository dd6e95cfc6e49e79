//! The code plane: what reads the datasets is found, rewritten, proven and offered to its owners.
//!
//! **Invariants:** a repository is read from a tree of its bytes and nothing in it is run by reading it; outside the places
//! of its edits a file is identical; an edit is made only if it is right in every rendering and for every caller of the bytes
//! that it changes, else it is listed with the reason; what could not be understood is counted and shown.
//!
//! [`tree`] is how files are reached: a directory, or a commit of a bare repository. [`git`] reads and writes bare repositories.
//! [`rewrite`] says what a text must change, [`repository`] what a whole repository must. [`dbt`] evaluates projects of dbt.
//! [`flow`] says what code reads and writes, for lineage. [`verify`] says what is to be held of a changed repository, [`prove`]
//! what must be proven of it. [`forge`] offers changes to their owners, [`proposal`] says what they read. [`scope`] looks at many
//! repositories for a plan and cuts them into scopes, and [`executor`] does the steps of a run.

pub mod dbt;
pub mod executor;
pub mod flow;
pub mod forge;
pub mod git;
mod owners;
pub mod proposal;
pub mod prove;
pub mod repository;
pub mod rewrite;
pub mod scope;
pub mod tree;
pub mod verify;
