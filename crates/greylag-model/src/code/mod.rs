//! Error codes: every message that a user can meet has one, stable for ever, with a page in `docs/errors/`
//! (generated from these tables) and shown by `greylag explain GL0101`.
//!
//! One file per area; the first two digits are the area's.

use serde::{Serialize, Serializer};
use std::fmt;

/// A stable error code, e.g. `GL0101`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GL{:04}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What the error pages and `greylag explain` say of a code.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The code.
    pub code: Code,
    /// One line, lower case: what is wrong.
    pub title: &'static str,
    /// Why it happens and what Greylag did about it (a paragraph).
    pub cause: &'static str,
    /// What the reader does now (a paragraph).
    pub cure: &'static str,
}

/// Declares the codes of one area as constants and a table of their pages.
macro_rules! codes {
    ($($name:ident = $number:literal, $title:literal, cause: $cause:literal, cure: $cure:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: $crate::code::Code = $crate::code::Code($number);
        )*
        /// The pages of this area's codes.
        pub const PAGES: &[$crate::code::Page] = &[$(
            $crate::code::Page { code: $name, title: $title, cause: $cause, cure: $cure },
        )*];
    };
}

pub mod catalog;
pub mod cli;
pub mod data;
pub mod engine;
pub mod expr;
pub mod fleet;
pub mod lab;
pub mod plan;
pub mod repository;
pub mod spec;

/// All pages, by code.
pub fn pages() -> impl Iterator<Item = &'static Page> {
    let early = [cli::PAGES, spec::PAGES, expr::PAGES, catalog::PAGES, plan::PAGES, engine::PAGES, data::PAGES];
    early.into_iter().chain([lab::PAGES, fleet::PAGES, repository::PAGES]).flatten()
}

/// What the codes of an area are about.
pub fn area(code: Code) -> &'static str {
    match code.0 / 100 {
        0 => "Command line, configuration and state folder",
        1 => "Migration files",
        2 => "Expressions, types and mappings",
        3 => "Catalog and lineage",
        4 => "Plans",
        5 => "Runs",
        6 => "Files and data",
        7 => "Lab",
        8 => "Sandbox and custom steps",
        10 => "Repositories and change requests",
        _ => "Other",
    }
}

/// The page of a code.
pub fn page(code: Code) -> Option<&'static Page> {
    pages().find(|page| page.code == code)
}

/// Reads `GL0101`, also as `gl0101`, `0101` or `101`.
impl std::str::FromStr for Code {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.get(..2).filter(|prefix| prefix.eq_ignore_ascii_case("GL")).map_or(text, |_| &text[2..]);
        let fits = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = if fits { digits.parse().ok() } else { None };
        number.map(Code).ok_or_else(|| format!("`{text}` is not an error code"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, page, pages};

    #[test]
    fn codes_are_found_by_what_people_type() {
        for text in ["GL0101", "gl0101", "0101", "101"] {
            assert_eq!(text.parse(), Ok(Code(101)));
        }
        for text in ["", "GL", "GLx", "GL00101", "+101", "é1", "GL 1"] {
            assert!(text.parse::<Code>().is_err(), "{text}");
        }
        assert_eq!(page(Code(101)).map(|page| page.title), Some("the file is not well-formed YAML"));
        assert!(page(Code(9999)).is_none());
    }

    #[test]
    fn codes_are_unique_ordered_and_explained() {
        let mut last = None;
        for page in pages() {
            assert!(Some(page.code) > last, "`{}` is out of order or given twice", page.code);
            assert!(!page.title.is_empty() && !page.cause.is_empty() && !page.cure.is_empty());
            last = Some(page.code);
        }
    }
}
