//! Greylag: engine.
