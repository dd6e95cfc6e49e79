//! Greylag: data.
