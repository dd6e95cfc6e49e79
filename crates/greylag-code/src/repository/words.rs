//! Files that are not read, searched for the names of datasets.

use super::{FileReport, Kind, LONGEST, Located, line_and_position};
use greylag_model::consumer::{Class, TableChange};
use greylag_model::reference::{Confidence, Reference, Role};
use std::ops::Range;

/// Looks for the names of datasets; none if there is none. A document is not affected by them, code is unknown.
pub(super) fn look(path: &str, bytes: &[u8], changes: &[TableChange]) -> Option<FileReport> {
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    let text = String::from_utf8_lossy(bytes);
    let is_document = Kind::of(path) == Kind::Document;
    let lower = text.to_lowercase();
    // Lower case may be longer or shorter; then places would be wrong, and the text is searched as it is.
    let searched = if lower.len() == text.len() { lower.as_str() } else { &text };
    let mut file = FileReport {
        path: path.to_owned(),
        class: Class::Unaffected,
        references: Vec::new(),
        findings: Vec::new(),
        edits: Vec::new(),
        old: text.to_string(),
        new: None,
        moved: None,
    };
    for change in changes {
        let mut names: Vec<String> = change.old.iter().map(|old| old.last().to_lowercase()).collect();
        names.sort();
        names.dedup();
        let named: Vec<Range<usize>> = names.iter().flat_map(|name| places(searched, name)).collect();
        if named.is_empty() {
            continue;
        }
        for at in named {
            let is_words = is_document || is_comment(path, &text, at.start);
            let reference = reference(path, &text, &at, change, None, is_words);
            if !is_words {
                file.class = Class::Unknown;
                let why = format!("it names `{}` in a language that is not read", change.dataset);
                let (line, position, dataset) = (reference.line, reference.position, change.dataset.clone());
                file.findings.push(Located { at, line, position, class: Class::Unknown, why, dataset, column: None });
            }
            file.references.push(reference);
        }
        // Who speaks of a dataset speaks of its columns.
        for column in change.columns.iter().filter(|_| is_document) {
            let word = column.name.to_lowercase();
            let spoken = places(searched, &word);
            let spoken = spoken.map(|at| reference(path, &text, &at, change, Some(&column.name), true));
            file.references.extend(spoken);
        }
    }
    file.references.sort_by_key(|reference| (reference.start, reference.end));
    (!file.references.is_empty()).then_some(file)
}

/// A word as a reference.
fn reference(
    path: &str,
    text: &str,
    at: &Range<usize>,
    change: &TableChange,
    column: Option<&str>,
    is_words: bool,
) -> Reference {
    let (line, position) = line_and_position(text, at.start);
    Reference {
        path: path.to_owned(),
        start: at.start as u32,
        end: at.end as u32,
        line,
        position,
        dataset: change.dataset.clone(),
        column: column.map(str::to_owned),
        role: if is_words { Role::Documentation } else { Role::Other },
        confidence: Confidence::Unknown,
        why: "the word stands in a file that is not read as code".to_owned(),
        via: Vec::new(),
    }
}

/// Extensions of languages in which `#` begins a comment that ends with its line.
const HASHES: [&str; 13] =
    ["py", "yml", "yaml", "sh", "bash", "zsh", "toml", "r", "rb", "pl", "tf", "properties", "conf"];

/// Whether a place lies behind a `#` that begins a comment: one at the beginning of a line, behind white space alone.
fn is_comment(path: &str, text: &str, at: usize) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let line = text[..at].rsplit('\n').next().unwrap_or_default();
    HASHES.contains(&extension.as_str()) && line.trim_start().starts_with('#')
}

/// Where a word stands alone.
pub(super) fn places<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    text.match_indices(word)
        .map(move |(at, _)| at..at + word.len())
        .filter(move |at| !part(text[..at.start].chars().next_back()) && !part(text[at.end..].chars().next()))
}
