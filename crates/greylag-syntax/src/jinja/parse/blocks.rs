//! The blocks of a file of macros, each by itself.
//!
//! dbt does not read a file of macros as one template: it cuts the blocks out of it (macros, tests, materializations, snapshots, docs), reads
//! each by itself and looks at nothing between them. So a file may hold between its blocks what no template may.

use super::super::ast::Template;
use super::super::error::Error;
use super::super::lex::is_space;
use crate::trace::{FileId, Span};
use std::ops::Range;

/// The tags that begin a block.
const KINDS: [&str; 6] = ["macro", "materialization", "test", "data_test", "snapshot", "docs"];

/// Reads the blocks that stand in the bytes `range` of a file's text, and says why some could not be read; the others are there all the same.
pub fn parse_blocks(file: FileId, text: &str, range: Range<usize>) -> (Template, Vec<Error>) {
    let whole = match super::parse(file, text, range.clone()) {
        Ok(template) => return (template, Vec::new()),
        Err(error) => error,
    };
    let at = Span::new(file, range.start as u32..range.end as u32);
    let (mut body, mut errors) = (Vec::new(), Vec::new());
    let mut scan = Scan { text: text.get(..range.end).unwrap_or_default(), at: range.start };
    let mut is_open = false;
    while let Some((block, has_end)) = scan.block() {
        is_open |= !has_end;
        match super::parse(file, text, block) {
            Ok(template) => body.extend(template.body),
            Err(error) => errors.push(error),
        }
    }
    if is_open && errors.is_empty() {
        errors.push(whole);
    }
    (Template { at, body }, errors)
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    /// The next block, and whether it has an end.
    fn block(&mut self) -> Option<(Range<usize>, bool)> {
        while let Some((tag, word)) = self.tag() {
            let Some(kind) = KINDS.iter().find(|kind| **kind == word) else { continue };
            let end = format!("end{kind}");
            while let Some((_, word)) = self.tag() {
                if word == end {
                    return Some((tag.start..self.at, true));
                }
            }
            return Some((tag.start..self.text.len(), false));
        }
        None
    }

    /// The next tag and its first word; what is written, commented or raw is passed by.
    fn tag(&mut self) -> Option<(Range<usize>, String)> {
        loop {
            let open = self.at + self.text.get(self.at..)?.find('{')?;
            match self.text.as_bytes().get(open + 1) {
                Some(b'#') => self.at = self.text[open..].find("#}").map_or(self.text.len(), |end| open + end + 2),
                Some(b'{') => self.at = self.end_of(open + 2, "}}"),
                Some(b'%') => {
                    let inner = self.text[open + 2..].trim_start_matches(['-', '+']).trim_start_matches(is_space);
                    let len = inner.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(inner.len());
                    let word = inner[..len].to_owned();
                    self.at = self.end_of(self.text.len() - inner.len() + len, "%}");
                    if word == "raw" {
                        self.raw();
                    } else {
                        return Some((open..self.at, word));
                    }
                }
                _ => self.at = open + 1,
            }
        }
    }

    /// Behind the delimiter that ends a tag: quotes hide it, unless they do not close.
    fn end_of(&self, from: usize, close: &str) -> usize {
        let mut quote = None;
        let mut escaped = false;
        for (at, c) in self.text[from..].char_indices() {
            match quote {
                Some(_) if escaped => escaped = false,
                Some(_) if c == '\\' => escaped = true,
                Some(open) if c == open => quote = None,
                Some(_) => {}
                None if self.text[from + at..].starts_with(close) => return from + at + close.len(),
                None if matches!(c, '\'' | '"') => quote = Some(c),
                None => {}
            }
        }
        self.text[from..].find(close).map_or(self.text.len(), |end| from + end + close.len())
    }

    /// Goes behind the end of what is raw.
    fn raw(&mut self) {
        let mut from = self.at;
        while let Some(open) = self.text[from..].find("{%").map(|found| from + found) {
            from = open + 2;
            let inner = self.text[from..].trim_start_matches(['-', '+']).trim_start_matches(is_space);
            if inner.starts_with("endraw") {
                break;
            }
        }
        self.at = self.end_of(from, "%}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, usize) {
        let (template, errors) = parse_blocks(FileId(0), text, 0..text.len());
        (template.macros().map(|found| found.name.to_string()).collect(), errors.len())
    }

    #[test]
    fn what_stands_between_blocks_is_nothing_to_it() {
        let text = "{% macro a() %}1{% endmacro %}\n{% ###### %}\n{%- macro b(x='%}') -%}{{ '}}' }}{%- endmacro -%}";
        assert_eq!(read(text), (vec!["a".to_owned(), "b".to_owned()], 0));
        assert_eq!(read("{% nonsense ' %}{% macro a() %}{# {% endmacro %} #}2{% endmacro %}{{ }}").0, ["a"]);
        let text = "{% raw %}{% macro no() %}{% endraw %}{% ?? %}{% macro a() %}{% raw %}{% endmacro %}{% endraw %}{% endmacro %}";
        assert_eq!(read(text), (vec!["a".to_owned()], 0));
    }

    #[test]
    fn a_block_that_cannot_be_read_takes_no_other_with_it() {
        let text = "{% macro a() %}{% if %}{% endmacro %}{% macro b() %}{% endmacro %}";
        assert_eq!(read(text), (vec!["b".to_owned()], 1));
        // One without an end reaches to the end of the file.
        assert_eq!(read("{% macro a() %}1{% endmacro %}{% macro b() %}{% macro c() %}{% endmacro %}").0, ["a"]);
        assert_eq!(read("{% macro a() %}1{% endmacro %}{% macro b() %}").1, 1);
        assert_eq!(read("{% macro").1, 1);
        assert_eq!(read("{"), (vec![], 0));
    }
}
