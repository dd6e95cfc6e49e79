//! The store as a whole.

mod conformance;
