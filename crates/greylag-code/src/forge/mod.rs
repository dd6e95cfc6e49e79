//! Forges.

pub mod embedded;
