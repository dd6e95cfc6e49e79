//! Columns and rows of datasets of JSON lines.
//!
//! The columns are the keys of all files together, so a file may lack some. But files that were put into one directory by
//! chance must not become one dataset: a file that shares fewer than half of the keys with the files before it, or has
//! a key of another type, is not of their dataset.

use crate::chunk::Extent;
use crate::declared::Declared;
use crate::json::cannot_carry;
use crate::json::infer::{ALL_BYTES, FILE_BYTES, Line, Seen};
use crate::json::lines::JsonFile;
use crate::json::object::{Wrong, must_be_object};
use crate::listing::Listing;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::Format;
use greylag_model::schema::{Column, Schema};
use std::collections::HashSet;

/// Lines looked at together.
const STEP: usize = 4096;

/// Format, columns and, if all was read, rows.
pub(super) fn describe(listing: &Listing, declared: &Declared) -> Result<(Format, Schema, Option<u64>), DriverError> {
    let mut look = Look { seen: Seen::default(), files: Vec::new(), rows: 0, bytes: 0, whole: true };
    for file in &listing.files {
        let path = listing.anchor.absolute_of(&file.relative);
        let name = path.to_string_lossy().into_owned();
        let opened = JsonFile::open(listing.anchor.open(&file.relative)?, &name)?;
        look.files.push(name);
        look.file(&opened, declared)?;
    }
    let in_directories = |name: &String| listing.partition_by.contains(name);
    let own = declared.columns.iter().map(|(name, _)| name.clone()).filter(|name| !in_directories(name));
    let mut names: Vec<String> = look.seen.names();
    // As declared, in the order declared, where that is all; else what the files have comes first.
    let own: Vec<String> = own.collect();
    if names.iter().all(|name| own.contains(name)) {
        names = own;
    } else {
        names.extend(own.into_iter().filter(|name| look.seen.names().iter().all(|seen| seen != name)));
    }
    if names.is_empty() {
        let words = format!("`{}` has no keys", listing.anchor.absolute().display());
        return Err(DriverError::permanent(code::NO_COLUMNS, words)
            .hint("check that its writer has finished, or declare its columns with `greylag.dev/columns`"));
    }
    let column = |name: String| {
        let data_type = match declared.type_of(&name) {
            Some(data_type) => data_type.clone(),
            None => look.seen.data_type(&name).map_err(|reason| {
                let path = listing.anchor.absolute();
                let words = format!("the key `{name}` of `{}` has no type: {reason}", path.display());
                DriverError::permanent(code::UNSUPPORTED_TYPE, words)
                    .hint("declare its type with `greylag.dev/columns`")
            })?,
        };
        Ok(Column { name, data_type, nullable: true })
    };
    let schema = Schema { columns: names.into_iter().map(column).collect::<Result<_, DriverError>>()? };
    for column in &schema.columns {
        if let Some(reason) = cannot_carry(&column.data_type) {
            let words = format!("column `{}` is declared as `{}`: {reason}", column.name, column.data_type);
            return Err(DriverError::permanent(code::DECLARED_FACT, words));
        }
    }
    Ok((Format::Json, schema, look.whole.then_some(look.rows)))
}

struct Look {
    seen: Seen,
    files: Vec<String>,
    rows: u64,
    bytes: u64,
    /// Whether every line was looked at.
    whole: bool,
}

impl Look {
    fn file(&mut self, file: &JsonFile, declared: &Declared) -> Result<(), DriverError> {
        let before: HashSet<String> = self.seen.names().into_iter().collect();
        let skip = |key: &str| declared.type_of(key).is_some();
        let (mut lines, mut own, mut bytes) = (file.lines(&Extent::Whole), HashSet::new(), 0);
        while let Some(block) = lines.take(STEP)? {
            if bytes >= FILE_BYTES || self.bytes >= ALL_BYTES {
                self.whole = false;
                break;
            }
            bytes += block.bytes();
            self.bytes += block.bytes();
            for (number, text) in block.lines() {
                let line = Line { files: &self.files, number };
                let name = self.files.last().map_or("", String::as_str);
                let seen = must_be_object(text).and_then(|()| {
                    note_keys(text, &before, &mut own)?;
                    self.seen.see(text, line, &skip)
                });
                seen.map_err(|wrong| self.one_or_another(wrong.of(name, number, text)))?;
                self.rows += 1;
            }
        }
        let common = own.intersection(&before).count();
        let all = before.len() + own.len() - common;
        if !before.is_empty() && !own.is_empty() && common * 2 < all {
            let name = self.files.last().map_or("", String::as_str);
            let words = format!("`{name}` has {common} of its {} keys in common with other files", own.len());
            return Err(DriverError::permanent(code::SCHEMA_DIFFERS, words).hint("register it as a dataset of its own"));
        }
        Ok(())
    }

    /// Two types in two files: these may be two datasets.
    fn one_or_another(&self, error: DriverError) -> DriverError {
        let elsewhere =
            self.files.len() > 1 && !error.message.contains(&format!(" of `{}`", self.files[self.files.len() - 1]));
        if error.code == code::JSON_MIXED && elsewhere {
            return DriverError { code: code::SCHEMA_DIFFERS, ..error };
        }
        error
    }
}

/// Which keys a file has; only where there are other files to compare it with.
fn note_keys(text: &str, before: &HashSet<String>, own: &mut HashSet<String>) -> Result<(), Wrong> {
    if before.is_empty() {
        return Ok(());
    }
    crate::json::object::members(text, &mut |key, _| {
        if !own.contains(key.as_ref()) && own.len() < 100_000 {
            own.insert(key.into_owned());
        }
        Ok(())
    })
}
