//! Greylag: store.

pub mod catalog;
