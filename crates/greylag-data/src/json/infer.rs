//! Types of keys that nobody declared, from the lines of a bounded part of the dataset.
//!
//! # How much is looked at
//! Of every file the first lines, up to 64 MiB of them, and up to 256 MiB of all files. A dataset that is
//! smaller is read whole, and then its rows are counted. What lies beyond must fit: a value that does not, or a key that is
//! new, is an error of the conversion, cured by a declaration. Nothing is dropped.
//!
//! # Rules
//! A key takes the first type that all its values fit exactly. JSON's own kinds are never mixed: a key that has a number in
//! one line and a string in another is an error that names both. Strings stay strings, whatever they look like: whoever
//! knows them to be dates declares it, or casts them in the mapping.
//!
//! | values | type |
//! |---|---|
//! | `true`, `false` | `boolean` |
//! | whole numbers within 64 bits with a sign | `int64` |
//! | whole numbers from 0 within 64 bits | `uint64` |
//! | other whole numbers of up to 38 digits | `decimal(38,0)` |
//! | numbers that a double holds: at most 17 significant digits, whole ones up to 2^53 | `float64` |
//! | other numbers without exponent of up to 38 digits, `s` of them after the point | `decimal(38,s)` |
//! | other numbers | an error: declare what they are to be |
//! | strings | `string` |
//! | objects | `struct` of all keys, in the order in which they were first seen |
//! | arrays | `list` of what the items of all of them have in common |
//! | only nulls, or arrays without items | `string`, `list<string>` |
//! | only empty objects | an error: a struct has a field at least |
//!
//! The columns are the keys of all objects, in the order in which they were first seen; each may be null.

use super::DEEPEST;
use super::object::{Kind, Wrong, items, members};
use crate::csv::infer::{FLOAT, classify};
use greylag_model::code::data as code;
use greylag_model::types::DataType;
use std::collections::HashMap;

/// Bytes of one file that are looked at.
pub(crate) const FILE_BYTES: u64 = 64 << 20;
/// Bytes of all files that are looked at.
pub(crate) const ALL_BYTES: u64 = 256 << 20;

/// Keys of all objects of a dataset, the nested ones too.
const MOST_KEYS: usize = 20_000;
/// Digits of a decimal.
const DIGITS: usize = 38;

/// What is known of a dataset's objects so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    root: Object,
    /// Objects looked at, to know a key that is there twice.
    objects: u64,
    keys: usize,
}

/// Where something was seen first.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    file: usize,
    line: u64,
}

/// What is known of one key's values.
#[derive(Debug, Default)]
struct Value {
    first: Option<(Kind, Place)>,
    number: Number,
    object: Object,
    items: Option<Box<Value>>,
}

#[derive(Debug, Default)]
struct Object {
    keys: Vec<(String, Value)>,
    places: HashMap<String, usize>,
    /// For each key the object in which it was seen last.
    last: Vec<u64>,
}

/// What all numbers of a key have in common.
#[derive(Debug)]
struct Number {
    whole: bool,
    signed: bool,
    unsigned: bool,
    float: bool,
    /// No exponent: the digits tell all.
    plain: bool,
    /// Most digits before and after the point.
    digits: (usize, usize),
}

impl Default for Number {
    fn default() -> Self {
        Self { whole: true, signed: true, unsigned: true, float: true, plain: true, digits: (1, 0) }
    }
}

impl Number {
    fn see(&mut self, text: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) =
            digits.split_once(['e', 'E']).map_or((digits, false), |(mantissa, _)| (mantissa, true));
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // A negative zero is a float only.
        let whole = !exponent && mantissa == before && text != "-0";
        self.whole &= whole;
        self.signed &= text.parse::<i64>().is_ok();
        self.unsigned &= text.parse::<u64>().is_ok();
        self.float &= classify(text.as_bytes()) & FLOAT != 0;
        self.plain &= !exponent && text != "-0";
        self.digits = (self.digits.0.max(before.len()), self.digits.1.max(after.len()));
    }

    fn data_type(&self) -> Option<DataType> {
        let (before, after) = self.digits;
        let decimal = |scale: usize| Some(DataType::Decimal { precision: DIGITS as u8, scale: scale as u8 });
        match self {
            Self { whole: true, signed: true, .. } => Some(DataType::Int64),
            Self { whole: true, unsigned: true, .. } => Some(DataType::UInt64),
            Self { whole: true, .. } if before <= DIGITS => decimal(0),
            Self { whole: false, float: true, .. } => Some(DataType::Float64),
            Self { plain: true, .. } if before + after <= DIGITS => decimal(after),
            _ => None,
        }
    }
}

/// A line's place, for what is seen in it.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Names of the files so far.
    pub(crate) files: &'a [String],
    /// Its number in the last of them.
    pub(crate) number: u64,
}

impl Line<'_> {
    fn place(self) -> Place {
        Place { file: self.files.len().saturating_sub(1), line: self.number }
    }

    fn name(self, place: Place) -> String {
        let file = self.files.get(place.file).map_or("", String::as_str);
        format!("line {} of `{file}`", place.line)
    }
}

impl Seen {
    /// Takes the object of a line. `skip` has the keys that need no look.
    pub(crate) fn see(&mut self, text: &str, line: Line<'_>, skip: &dyn Fn(&str) -> bool) -> Result<(), Wrong> {
        let mut counts = Counts { objects: self.objects, keys: self.keys };
        let seen = self.root.see(text, line, &mut counts, 0, skip);
        (self.objects, self.keys) = (counts.objects, counts.keys);
        seen
    }

    /// Names of the columns so far.
    pub(crate) fn names(&self) -> Vec<String> {
        self.root.keys.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The type of a column, or why there is none.
    pub(crate) fn data_type(&self, name: &str) -> Result<DataType, String> {
        let place = self.root.places.get(name);
        place.map_or(Ok(DataType::String), |place| self.root.keys[*place].1.data_type())
    }
}

struct Counts {
    objects: u64,
    keys: usize,
}

impl Object {
    fn see(
        &mut self,
        text: &str,
        line: Line<'_>,
        counts: &mut Counts,
        depth: usize,
        skip: &dyn Fn(&str) -> bool,
    ) -> Result<(), Wrong> {
        counts.objects += 1;
        let object = counts.objects;
        let mut next = 0;
        members(text, &mut |key, value| {
            let place = match self.keys.get(next) {
                Some((name, _)) if *name == key => next,
                _ => match self.places.get(key.as_ref()) {
                    Some(place) => *place,
                    None => self.add(&key, value, counts)?,
                },
            };
            next = place + 1;
            if std::mem::replace(&mut self.last[place], object) == object {
                let words = format!("the key `{}` is there twice", key.escape_debug());
                let hint = "leave one of them, where the file is written";
                return Err(Wrong::new(value, code::JSON_KEY, words, hint));
            }
            if skip(&key) { Ok(()) } else { self.keys[place].1.see(value, line, counts, depth, &key) }
        })
    }

    fn add(&mut self, key: &str, at: &str, counts: &mut Counts) -> Result<usize, Wrong> {
        counts.keys += 1;
        if counts.keys > MOST_KEYS {
            let words = format!("the objects have more than {MOST_KEYS} different keys");
            let hint = "where keys are data, declare the column as a map with `greylag.dev/columns`";
            return Err(Wrong::new(at, code::HOSTILE_FILE, words, hint));
        }
        let place = self.keys.len();
        self.keys.push((key.to_owned(), Value::default()));
        self.places.insert(key.to_owned(), place);
        self.last.push(0);
        Ok(place)
    }
}

impl Value {
    fn see(&mut self, raw: &str, line: Line<'_>, counts: &mut Counts, depth: usize, key: &str) -> Result<(), Wrong> {
        let kind = Kind::of(raw);
        if kind == Kind::Null {
            return Ok(());
        }
        let (first, place) = *self.first.get_or_insert((kind, line.place()));
        if first != kind {
            let (key, now, then) = (key.escape_debug(), kind.word(), first.word());
            let words = format!("`{key}` is {now} here and {then} in {}", line.name(place));
            let hint = "write all values of a key as one type, where the files are written";
            return Err(Wrong::new(raw, code::JSON_MIXED, words, hint));
        }
        if depth >= DEEPEST && matches!(kind, Kind::Object | Kind::Array) {
            let words = format!("values are nested deeper than {DEEPEST}");
            return Err(Wrong::new(raw, code::HOSTILE_FILE, words, "write the value as text"));
        }
        match kind {
            Kind::Number => self.number.see(raw),
            Kind::Object => self.object.see(raw, line, counts, depth + 1, &|_| false)?,
            Kind::Array => {
                let own = self.items.get_or_insert_default();
                items(raw, &mut |item| own.see(item, line, counts, depth + 1, key))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn data_type(&self) -> Result<DataType, String> {
        Ok(match self.first.map(|(kind, _)| kind) {
            None | Some(Kind::Null | Kind::Text) => DataType::String,
            Some(Kind::Boolean) => DataType::Boolean,
            Some(Kind::Number) => self
                .number
                .data_type()
                .ok_or("its numbers have more digits than a type carries exactly, or too unequal ones")?,
            Some(Kind::Array) => {
                let item = self.items.as_ref().map_or(Ok(DataType::String), |items| items.data_type())?;
                DataType::List(Box::new(item))
            }
            Some(Kind::Object) if self.object.keys.is_empty() => {
                return Err("all its objects are empty, and a struct has a field at least".to_owned());
            }
            Some(Kind::Object) => {
                let field = |(name, value): &(String, Self)| Ok((name.clone(), value.data_type()?));
                DataType::Struct(self.object.keys.iter().map(field).collect::<Result<_, String>>()?)
            }
        })
    }
}
