//! Greylag: catalog.
