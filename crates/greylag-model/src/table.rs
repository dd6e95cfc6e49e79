//! The names by which code reaches datasets.
//!
//! A dataset of the catalog is called one thing there and another in SQL, by its parts: `raw.users_v1`, or
//! `"lake"."raw"."users_v1"`. The annotation `greylag.dev/table` of a dataset says which, perhaps several of them; without it
//! code is expected to call the dataset by its own name.
//!
//! A name in code often says less than the whole (the schema comes from the session) or more (the database). Two names
//! [meet](TableName::meets) if the shorter one is the end of the longer, without regard to case.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A name of one or more parts, each without its quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TableName {
    parts: Vec<String>,
}

/// How much of two names is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meeting {
    /// The one says less than the other, and nothing else.
    End,
    /// All of it.
    Whole,
}

impl TableName {
    /// A name of parts; `None` if there is no part or an empty one.
    pub fn of<T: AsRef<str>>(parts: &[T]) -> Option<Self> {
        let parts: Vec<String> = parts.iter().map(|part| part.as_ref().to_owned()).collect();
        (!parts.is_empty() && parts.iter().all(|part| !part.is_empty())).then_some(Self { parts })
    }

    /// Its parts, the most general first.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Its last part.
    pub fn last(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// The same with another last part.
    pub fn beside(&self, last: &str) -> Self {
        let mut parts = self.parts.clone();
        if let Some(end) = parts.last_mut() {
            last.clone_into(end);
        }
        Self { parts }
    }

    /// Whether a name in code may mean this one, and how much of the two is the same.
    pub fn meets<T: AsRef<str>>(&self, name: &[T]) -> Option<Meeting> {
        let same = |(one, other): (&String, &T)| one.to_lowercase() == other.as_ref().to_lowercase();
        if name.is_empty() || !self.parts.iter().rev().zip(name.iter().rev()).all(same) {
            return None;
        }
        Some(if self.parts.len() == name.len() { Meeting::Whole } else { Meeting::End })
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            let plain = part.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '$'));
            if plain {
                write!(out, "{dot}{part}")?;
            } else {
                write!(out, "{dot}\"{}\"", part.replace('"', "\"\""))?;
            }
        }
        Ok(())
    }
}

/// The name of a new dataset in code, by the names of the old one: with the new dataset's name at its end, where the old
/// dataset's name stands there, as it is or spelled as an identifier (`users-v1` as `users_v1`).
pub fn successor(tables: &[TableName], old: &str, new: &str) -> Option<TableName> {
    let spelled = |spell: &dyn Fn(&str) -> String| {
        let named = tables.iter().find(|table| table.last().eq_ignore_ascii_case(&spell(old)))?;
        Some(named.beside(&spell(new)))
    };
    spelled(&str::to_owned).or_else(|| spelled(&identifier))
}

/// Letters, digits and underscores in lower case.
fn identifier(name: &str) -> String {
    let letter = |letter: char| if letter.is_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    name.chars().map(letter).collect()
}

/// What is wrong with the text of a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name of a table: {1}")]
pub struct BadTableName(String, &'static str);

impl FromStr for TableName {
    type Err = BadTableName;

    /// Reads `schema.table`, with parts in double quotes or backticks where they need it; what stands between backticks may
    /// have dots, as in `` `project.dataset.table` ``.
    fn from_str(text: &str) -> Result<Self, BadTableName> {
        let bad = |why| BadTableName(text.to_owned(), why);
        let mut parts = Vec::new();
        let mut rest = text.trim();
        loop {
            let (part, after) = match rest.chars().next() {
                Some('"') => quoted(rest, '"').ok_or_else(|| bad("a quote is not closed"))?,
                Some('`') => quoted(rest, '`').ok_or_else(|| bad("a backtick is not closed"))?,
                _ => {
                    let (part, after) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
                    (part.to_owned(), after)
                }
            };
            if rest.starts_with('`') {
                parts.extend(part.split('.').map(str::to_owned));
            } else {
                parts.push(part);
            }
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None if after.is_empty() => break,
                None => return Err(bad("a dot is missing after a quote")),
            }
        }
        if parts.iter().any(|part| part.trim() != part || part.chars().any(char::is_control)) {
            return Err(bad("a part begins or ends with white space, or has a control character"));
        }
        Self::of(&parts).ok_or_else(|| bad("a part is empty"))
    }
}

/// What stands between two quotes, doubled ones inside meaning one, and what follows.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != quote {
            part.push(letter);
        } else if letters.next_if(|(_, next)| *next == quote).is_some() {
            part.push(quote);
        } else {
            return Some((part, &text[at + quote.len_utf8()..]));
        }
    }
    None
}

impl TryFrom<String> for TableName {
    type Error = BadTableName;

    fn try_from(text: String) -> Result<Self, BadTableName> {
        text.parse()
    }
}

impl From<TableName> for String {
    fn from(name: TableName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn parts(text: &str) -> Vec<String> {
        text.parse::<TableName>().unwrap().parts
    }

    #[test]
    fn names_are_read_by_their_parts() {
        assert_eq!(parts("raw.users_v1"), ["raw", "users_v1"]);
        assert_eq!(parts(" \"my lake\".\"a\"\"b\".t "), ["my lake", "a\"b", "t"]);
        assert_eq!(parts("`proj-1.ds.t`"), ["proj-1", "ds", "t"]);
        for bad in ["", ".", "a.", ".a", "a..b", "\"a", "\"a\"b", "a . b", "``"] {
            assert!(bad.parse::<TableName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_written_so_that_they_read_back() {
        for text in ["raw.users_v1", "\"my lake\".\"a\"\"b\".t", "\"a.b\".c"] {
            assert_eq!(text.parse::<TableName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_new_name_stands_where_the_old_one_stood() {
        let of = |table: &str, old: &str, new: &str| {
            successor(&[table.parse().unwrap()], old, new).map(|table| table.to_string())
        };
        assert_eq!(of("raw.users_v1", "users_v1", "users_v2").as_deref(), Some("raw.users_v2"));
        assert_eq!(of("raw.users_v1", "Users.v1", "Users.v2").as_deref(), Some("raw.users_v2"));
        assert_eq!(of("raw.people", "users_v1", "users_v2"), None);
    }

    #[test]
    fn names_meet_at_their_ends() {
        let name: TableName = "raw.users".parse().unwrap();
        assert_eq!(name.meets(&["RAW", "Users"]), Some(Meeting::Whole));
        assert_eq!(name.meets(&["users"]), Some(Meeting::End));
        assert_eq!(name.meets(&["lake", "raw", "users"]), Some(Meeting::End));
        assert_eq!(name.meets(&["other", "users"]), None);
        assert_eq!(name.meets(&["users", "raw"]), None);
        assert_eq!(name.meets::<&str>(&[]), None);
        assert_eq!(name.beside("users_v2").to_string(), "raw.users_v2");
    }
}
