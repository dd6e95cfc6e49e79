//! Greylag: lab.
