//! JSON's grammar: the members of an object and the items of an array, each as the text that stands in the line.
//!
//! Values inside are looked at only when somebody asks, and skipping one takes no stack, however deep it is.

use greylag_driver::error::DriverError;
use greylag_model::code::{Code, data as code};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What is wrong with a line, and where.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// Address of the byte, which lies in the line.
    place: usize,
    code: Code,
    words: String,
    hint: &'static str,
}

impl Wrong {
    /// Something about the text `at`, which is a part of the line.
    pub(crate) fn new(at: &str, code: Code, words: impl Into<String>, hint: &'static str) -> Self {
        Self { place: at.as_ptr() as usize, code, words: words.into(), hint }
    }

    fn grammar(text: &str, error: &serde_json::Error) -> Self {
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        let place = text.as_ptr() as usize + error.column().saturating_sub(1);
        let hint = if error.is_eof() {
            "each line must hold one whole object; `jq -c .` writes objects so"
        } else {
            "mend the line where it is written; each must hold one object"
        };
        Self { place, code: code::JSON_SYNTAX, words: format!("this is not JSON: {words}"), hint }
    }

    /// Names the file, the line and the byte of the line, counted from 1.
    pub(crate) fn of(self, name: &str, number: u64, line: &str) -> DriverError {
        let byte = self.byte(line);
        let words = format!("`{name}`, line {number}, byte {byte}: {}", self.words);
        let error = DriverError::permanent(self.code, words);
        if self.hint.is_empty() { error } else { error.hint(self.hint) }
    }

    fn byte(&self, line: &str) -> usize {
        self.place.saturating_sub(line.as_ptr() as usize) + 1
    }
}

/// What a value is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    Object,
    Array,
}

impl Kind {
    pub(crate) fn of(raw: &str) -> Self {
        match raw.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'"') => Self::Text,
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            _ => Self::Number,
        }
    }

    /// For messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Object => "an object",
            Self::Array => "an array",
        }
    }
}

/// Whether a line holds an object, as it must; the members are not looked at.
pub(crate) fn must_be_object(line: &str) -> Result<(), Wrong> {
    let found = match Kind::of(line) {
        Kind::Object => return Ok(()),
        Kind::Array => "an array",
        Kind::Text => "a string",
        _ => "something else",
    };
    let hint = "each line must hold one object; `jq -c '.[]'` writes the items of an array so";
    Err(Wrong::new(line, code::JSON_SYNTAX, format!("{found} stands where an object should"), hint))
}

/// Calls `each` with every member of an object: its key, and the text of its value.
pub(crate) fn members<'a>(
    text: &'a str,
    each: &mut dyn FnMut(Cow<'a, str>, &'a str) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let mut failed = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_map(Members { each, failed: &mut failed }).and_then(|()| reader.end());
    ended(text, read, failed)
}

/// Calls `each` with the text of every item of an array.
pub(crate) fn items<'a>(text: &'a str, each: &mut dyn FnMut(&'a str) -> Result<(), Wrong>) -> Result<(), Wrong> {
    let mut failed = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_seq(Items { each, failed: &mut failed }).and_then(|()| reader.end());
    ended(text, read, failed)
}

fn ended(text: &str, read: serde_json::Result<()>, failed: Option<Wrong>) -> Result<(), Wrong> {
    match (failed, read) {
        (Some(wrong), _) => Err(wrong),
        (None, Err(error)) => Err(Wrong::grammar(text, &error)),
        (None, Ok(())) => Ok(()),
    }
}

/// A string's value, from its text in quotes.
pub(crate) fn unescaped(raw: &str) -> Result<Cow<'_, str>, Wrong> {
    let plain = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
    match plain.filter(|plain| memchr::memchr(b'\\', plain.as_bytes()).is_none()) {
        Some(plain) => Ok(Cow::Borrowed(plain)),
        None => serde_json::from_str(raw).map(Cow::Owned).map_err(|error| Wrong::grammar(raw, &error)),
    }
}

struct Members<'f, 'a> {
    each: &'f mut dyn FnMut(Cow<'a, str>, &'a str) -> Result<(), Wrong>,
    failed: &'f mut Option<Wrong>,
}

impl<'de> Visitor<'de> for Members<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            let value: &'de RawValue = map.next_value()?;
            if let Err(wrong) = (self.each)(key, value.get()) {
                *self.failed = Some(wrong);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

struct Items<'f, 'a> {
    each: &'f mut dyn FnMut(&'a str) -> Result<(), Wrong>,
    failed: &'f mut Option<Wrong>,
}

impl<'de> Visitor<'de> for Items<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(value) = items.next_element::<&'de RawValue>()? {
            if let Err(wrong) = (self.each)(value.get()) {
                *self.failed = Some(wrong);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// A key, borrowed from the line where nothing in it is escaped.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
