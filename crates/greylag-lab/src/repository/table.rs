//! A dataset as SQL sees it: a table of a schema, and what becomes of each of its columns.

use super::style::Dialect;
use crate::attribute::{Attribute, Place};
use crate::catalog;
use crate::design::{Design, Estate};
use crate::layout::Format;
use crate::names::ODD_COLUMNS;
use greylag_model::types::{DataType, TimeUnit};
use serde::Serialize;

/// What becomes of a column, as far as those who read it can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fate {
    /// The same name, type and values.
    Kept,
    /// Another name.
    Renamed,
    /// The name of another column, which gets this one's.
    Swapped,
    /// Another type, from which a cast gives back every value; perhaps another name too.
    Retyped,
    /// Another type that cannot carry every value; perhaps another name. Only stars read it.
    Narrowed,
    /// It ends.
    Dropped,
    /// A person must look; perhaps another name.
    Judged,
    /// Other values, from which nothing gives back the old ones, perhaps under another name.
    Computed,
    /// Letters in upper case, from which the migration file gives back the old ones.
    Restored,
    /// Anything else: no repository names it.
    Other,
}

/// A column of the old table.
#[derive(Clone, Debug)]
pub(super) struct TableColumn {
    pub(super) old: String,
    /// Name in the new table, where it has one of its own.
    pub(super) new: Option<String>,
    /// Type in the old table.
    pub(super) data_type: DataType,
    pub(super) fate: Fate,
    /// Whether a further column of the new table is made of it, which whoever writes the table must give as well.
    pub(super) feeds: bool,
}

/// A dataset as a table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) number: usize,
    /// Reference of the old dataset.
    pub(super) dataset: String,
    pub(super) schema: String,
    pub(super) old: String,
    pub(super) new: String,
    /// What both names begin with.
    pub(super) stem: String,
    /// In the order of the old table.
    pub(super) columns: Vec<TableColumn>,
    /// Whether the new table has the very same columns.
    pub(super) same: bool,
    /// Team that owns it.
    pub(super) team: String,
}

/// Letters, digits and underscores in lower case: what needs no quotes in any engine.
fn identifier(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' }).collect()
}

/// Schema and table of an entity of this name in a system of this name: `finance_hub`, `users_v1`.
pub(crate) fn table_name(system: &str, entity: &str) -> (String, String) {
    (identifier(system), identifier(entity))
}

impl Table {
    /// The dataset as a table; `None` if code of the lab does not read it: it cannot be migrated, loses rows, or is not
    /// kept as Parquet, which every engine can load.
    pub(super) fn of(estate: &Estate, design: &Design) -> Option<Self> {
        let rejects = design.attributes.iter().any(|attribute| has(attribute, "misfit/reject"));
        let parquet = matches!(design.old.format, Format::Parquet { .. });
        if design.hostile.is_some() || rejects || !parquet {
            return None;
        }
        let (schema, old) = table_name(&design.system.name, &design.from);
        let (_, new) = table_name(&design.system.name, &design.to);
        let columns = design.old_slots.iter().map(|slot| {
            let attribute = &design.attributes[slot.attribute];
            let (fate, new) = fate(attribute, slot.cell);
            let feeds = attribute.new.iter().any(|new| !matches!(new.place, Place::At(_)));
            TableColumn { old: slot.column.name.clone(), new, data_type: slot.column.data_type.clone(), fate, feeds }
        });
        Some(Self {
            number: design.index,
            dataset: catalog::old_reference(estate, design.index),
            schema,
            stem: old.trim_end_matches("_v1").to_owned(),
            old,
            new,
            columns: columns.collect(),
            same: (design.old_slots.iter().map(|slot| &slot.column))
                .eq(design.new_slots.iter().map(|slot| &slot.column)),
            team: design.system.team.clone(),
        })
    }

    /// Whether a query in this dialect can give all columns of the old table from the new one.
    pub(super) fn is_whole(&self, dialect: Dialect) -> bool {
        let named = |name: &str| is_plain(name) || is_quotable(name);
        self.columns.len() < 40
            && self.columns.iter().all(|column| {
                let told = match column.fate {
                    Fate::Kept | Fate::Renamed | Fate::Swapped => true,
                    Fate::Retyped | Fate::Narrowed => dialect.type_name(&column.data_type).is_some(),
                    _ => false,
                };
                told && named(&column.old) && column.new.as_deref().is_none_or(named)
            })
    }
}

fn has(attribute: &Attribute, mark: &str) -> bool {
    attribute.marks.iter().any(|other| other == mark)
}

/// What becomes of the attribute's old column of this number. Read off the attribute's marks: which operation it is was
/// decided before any row or rule was written.
fn fate(attribute: &Attribute, cell: usize) -> (Fate, Option<String>) {
    let old = &attribute.old[cell];
    let new = attribute.new.iter().find(|new| new.place == Place::At(cell));
    let name = new.map(|new| new.column.name.clone());
    let lossy = attribute.marks.iter().any(|mark| mark.starts_with("loss/") || mark == "misfit/null");
    let changed = ["expression/lower", "expression/trim", "expression/arithmetic", "operation/default", "reverse/lost"];
    let fate = match new {
        _ if has(attribute, "operation/judgement") => Fate::Judged,
        None if has(attribute, "operation/drop") => Fate::Dropped,
        _ if changed.iter().any(|mark| has(attribute, mark)) => Fate::Computed,
        Some(_) if has(attribute, "reverse/given") => Fate::Restored,
        _ if has(attribute, "rename/swap") => Fate::Swapped,
        _ if has(attribute, "operation/split") || has(attribute, "operation/merge") => Fate::Other,
        Some(new) if new.column == *old => Fate::Kept,
        Some(new) if new.column.data_type == old.data_type => Fate::Renamed,
        Some(new) if !lossy && can_be_told_back(&old.data_type, &new.column.data_type) => Fate::Retyped,
        Some(_) if has(attribute, "operation/cast") => Fate::Narrowed,
        _ => Fate::Other,
    };
    (fate, name)
}

/// Whether a cast of the new type to the old one gives the old value, in every engine alike. Text that became anything
/// else cannot be had back: `007` and `7` are one number.
fn can_be_told_back(old: &DataType, new: &DataType) -> bool {
    use DataType::{Boolean, Date, Float64, Int32, String, Timestamp};
    match (old, new) {
        (old, new) if is_integer(old) && (is_integer(new) || is_unsigned(new)) => true,
        (Int32, Float64) | (Date | Boolean, String) | (Date, Timestamp { unit: TimeUnit::Us, zone: None }) => true,
        (DataType::Decimal { .. }, DataType::Decimal { .. } | String) => true,
        (Int32, DataType::Decimal { .. }) => true,
        (old, String) => is_integer(old),
        _ => false,
    }
}

/// Signed integers.
pub(super) fn is_integer(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)
}

/// Integers without a sign.
fn is_unsigned(data_type: &DataType) -> bool {
    matches!(data_type, DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64)
}

/// What can be summed up and compared with a number.
pub(super) fn is_number(data_type: &DataType) -> bool {
    is_integer(data_type) || matches!(data_type, DataType::Float64 | DataType::Decimal { .. })
}

/// What every engine has and can group by.
pub(super) fn is_simple(data_type: &DataType) -> bool {
    is_number(data_type) || matches!(data_type, DataType::String | DataType::Boolean | DataType::Date)
}

/// Whether a name needs no quotes anywhere.
pub(super) fn is_plain(name: &str) -> bool {
    let reserved = ODD_COLUMNS.contains(&name);
    let letters = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    !reserved && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(letters)
}

/// Whether a name is fit for code once it is in quotes: no quotes, braces, comments or line breaks in it.
pub(super) fn is_quotable(name: &str) -> bool {
    let letters = |letter: char| letter.is_alphanumeric() || " _./#=%".contains(letter);
    !matches!(name, "_" | "..") && name.trim() == name && name.chars().all(letters)
}
