//! The sandbox against commands that mean no good, and custom steps in it.

mod conformance;
mod hostile;
mod support;
