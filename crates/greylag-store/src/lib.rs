//! Greylag: store.
