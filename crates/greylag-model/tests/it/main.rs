//! Tests of the model through its public face: text in, text out.
#![expect(clippy::unwrap_used, reason = "tests")]

mod consumer;
mod mapping;
mod plan;
mod spec;
mod template;
mod view;
mod yaml;
