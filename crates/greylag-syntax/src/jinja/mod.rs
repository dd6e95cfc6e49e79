//! Jinja, evaluated so that every byte of what is rendered knows where it is from.
//!
//! # Why an evaluator of our own
//!
//! An edit of rendered SQL must end up at the bytes of a template, so it must be known which bytes made it. `minijinja`, the
//! evaluator that one would take, was looked at for that (3.1.0, its sources and documentation):
//!
//! - Its values are plain strings (`Arc<str>` in its `Value`), so where a literal came from is lost when it is evaluated.
//!   `Template::render_with_spans` (new in 3.1) tells which `{{ expression }}` of a template wrote a range of the output, or that
//!   the range is raw data; but what a macro wrote, or a `{% filter %}` or `{% call %}`, "is attributed to the expression that
//!   emitted the captured value". In dbt projects most names of tables and columns come through macros, loops and variables:
//!   the map ends at the call, and the literal that would have to change is elsewhere.
//! - Values can be objects of the embedding, but text in quotes, `~`, `+`, filters and methods give strings, not objects.
//! - Its statements are a closed list in its parser: dbt's `materialization`, `test`, `data_test`, `snapshot` and `docs` are
//!   syntax errors. Its syntax tree is public only as `unstable_machinery`, without promises.
//! - It gives one rendering. Where a condition hangs on a database (`is_incremental()`, the rows of `run_query`), all ways that a
//!   template can go have to be seen.
//!
//! What would be left to use is the lexer. So text is [`Traced`](crate::trace::Traced) from the lexer to the output here, and
//! Jinja2 itself is the measure: a table of templates with what Jinja2 3.1 in dbt's settings made of them is part of the tests.
//!
//! # Parts
//!
//! [`parse()`] gives a [`Template`](ast::Template) whose nodes know their bytes. [`render()`] evaluates it in all ways that it can go,
//! with the names that a [`Host`] gives. [`value`] is what expressions are made of.
//!
//! **Invariants:** a stretch that is copied is, byte for byte, what stands at its place; the text without origins is what Jinja2
//! renders; what a template does is bounded in steps, bytes and depth, and every bound is an error with a place.

pub mod ast;
mod error;
mod evaluate;
mod filters;
mod lex;
mod methods;
mod parse;
mod tests;
pub mod value;

pub use error::{Error, ErrorKind};
pub use evaluate::{
    Decision, Evaluator, Host, Limits, NoHost, Place, Rendering, Renderings, Scope, Stop, call_words, forget, render,
    words,
};
pub use filters::json;
pub use parse::{parse, parse_blocks, parse_expression};
pub use value::Value;
