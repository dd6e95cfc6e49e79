//! Which columns of two datasets a diff compares, and as what; and what it counts.
//!
//! One set of rules for the command, whose datasets are there, and for the checks of a migration, which are typed when the
//! plan is made and run when the new dataset is.

use crate::schema::{Column, Schema};
use crate::spec::Tolerance;
use crate::types::DataType;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod counts;

pub use counts::Counts;

/// What is asked of a diff.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Columns that tell rows apart; empty compares whole rows.
    pub key: Vec<String>,
    /// Compare only these columns (and the key); empty is all.
    pub only: Vec<String>,
    /// Leave these out.
    pub ignore: Vec<String>,
    /// Of every numeric column outside the key.
    pub tolerance: Option<Tolerance>,
    /// Of single columns, instead of that.
    pub tolerances: BTreeMap<String, Tolerance>,
}

/// What values of two types have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The hash of the value as it is: booleans, text, bytes, and nested types that are the same on both sides.
    AsItIs,
    /// Integers of any width, signed or not.
    Integer,
    /// Integers and decimals, as multiples of `10^-scale`.
    Decimal {
        /// The larger scale of both sides.
        scale: u8,
    },
    /// Numbers of which one is a float: as double precision.
    Float,
    /// Dates and timestamps, as nanoseconds. A wall-clock reading counts as UTC.
    Moment,
    /// Times of day, as nanoseconds.
    TimeOfDay,
}

/// A column that both sides have.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// Its place on the left and on the right side.
    pub places: [usize; 2],
    /// As what it is compared.
    pub class: Class,
    /// Whether it is part of the key.
    pub key: bool,
    /// Within what.
    pub tolerance: Option<Tolerance>,
}

/// A column whose type is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differing {
    /// Its name.
    pub name: String,
    /// Type on the left.
    pub left: String,
    /// Type on the right.
    pub right: String,
    /// Whether its values are compared all the same.
    pub compared: bool,
}

/// Two schemas, column by column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairing {
    /// What is compared, in the left side's order.
    pub columns: Vec<Compared>,
    /// Columns that only the left side has.
    pub only_left: Vec<String>,
    /// Columns that only the right side has.
    pub only_right: Vec<String>,
    /// Columns of two types.
    pub differing: Vec<Differing>,
}

/// One of the two, by what messages call it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// E.g. `the first dataset`.
    pub words: &'a str,
    /// Its columns.
    pub schema: &'a Schema,
}

/// What of the options a refusal is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Nothing of them: the two datasets have nothing in common.
    Datasets,
    /// A column of the key, by number.
    Key(usize),
    /// A column to compare, by number.
    Only(usize),
    /// A column to leave out, by number.
    Ignore(usize),
    /// The tolerance of all numbers.
    Tolerance,
    /// That of one column.
    ToleranceOf(String),
}

/// Why two datasets cannot be compared as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What of the options.
    pub about: About,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Pairing {
    /// Pairs the columns of two schemas by name, or says what of the options does not go with them.
    pub fn of(left: Named<'_>, right: Named<'_>, options: &Options) -> Result<Self, Refused> {
        check_names(left, right, options)?;
        let (left, right) = (left.schema, right.schema);
        let wanted = |name: &String| {
            let chosen = options.only.is_empty() || options.only.contains(name) || options.key.contains(name);
            chosen && !options.ignore.contains(name)
        };
        let place = |schema: &Schema, name: &str| schema.columns.iter().position(|column| column.name == name);
        let alone = |these: &Schema, those: &Schema| -> Vec<String> {
            let names = these.columns.iter().map(|column| &column.name);
            names.filter(|name| wanted(name) && place(those, name).is_none()).cloned().collect()
        };
        let mut pairing = Self { only_left: alone(left, right), only_right: alone(right, left), ..Self::default() };
        for (at, column) in left.columns.iter().enumerate().filter(|(_, column)| wanted(&column.name)) {
            let Some(other) = place(right, &column.name) else { continue };
            pairing.add(at, column, other, &right.columns[other], options)?;
        }
        if pairing.columns.is_empty() {
            return Err(refused(About::Datasets, "the two datasets have no column in common that could be compared")
                .hint("compare what a migration makes of the first one, by its mapping"));
        }
        Ok(pairing)
    }

    fn add(
        &mut self,
        at: usize,
        left: &Column,
        other: usize,
        right: &Column,
        options: &Options,
    ) -> Result<(), Refused> {
        let class = class(&left.data_type, &right.data_type);
        let at_key = options.key.iter().position(|name| *name == left.name);
        let key = at_key.is_some();
        if left.data_type != right.data_type {
            self.differing.push(Differing {
                name: left.name.clone(),
                left: left.data_type.to_string(),
                right: right.data_type.to_string(),
                compared: class.is_some(),
            });
        }
        let Some(class) = class else {
            let Some(number) = at_key else { return Ok(()) };
            let words = format!(
                "the key's column `{}` is `{}` on one side and `{}` on the other",
                left.name, left.data_type, right.data_type
            );
            return Err(refused(About::Key(number), words).hint("a mapping can convert it"));
        };
        let numeric = matches!(class, Class::Integer | Class::Decimal { .. } | Class::Float);
        let own = options.tolerances.get(&left.name).copied();
        if own.is_some() && (key || !numeric) {
            let why = if key { "is part of the key" } else { "is not numeric" };
            let about = About::ToleranceOf(left.name.clone());
            return Err(refused(about, format!("a tolerance for `{}`, which {why}", left.name))
                .hint("a tolerance is for numbers that are not the key"));
        }
        let tolerance = own.or(options.tolerance).filter(|_| numeric && !key);
        if tolerance.is_some() && options.key.is_empty() {
            let about = own.map_or(About::Tolerance, |_| About::ToleranceOf(left.name.clone()));
            return Err(refused(about, "a tolerance needs a key")
                .hint("without one, rows are told apart by their values; name the columns that tell them apart"));
        }
        self.columns.push(Compared { name: left.name.clone(), places: [at, other], class, key, tolerance });
        Ok(())
    }
}

/// Every name in the options must be there, where it is needed.
fn check_names(left: Named<'_>, right: Named<'_>, options: &Options) -> Result<(), Refused> {
    let names = |side: Named<'_>| side.schema.columns.iter().map(|column| column.name.clone()).collect::<BTreeSet<_>>();
    let (left_names, right_names) = (names(left), names(right));
    let key = options.key.iter().enumerate().map(|(at, name)| (About::Key(at), name));
    let tolerances = options.tolerances.keys().map(|name| (About::ToleranceOf(name.clone()), name));
    for (about, name) in key.chain(tolerances) {
        for (side, there) in [(left, &left_names), (right, &right_names)] {
            if !there.contains(name) {
                let message = format!("{} has no column `{name}`", side.words);
                return Err(refused(about, message).hint(near(name, there)));
            }
        }
    }
    let only = options.only.iter().enumerate().map(|(at, name)| (About::Only(at), name));
    let ignore = options.ignore.iter().enumerate().map(|(at, name)| (About::Ignore(at), name));
    for (about, name) in only.chain(ignore) {
        if !left_names.contains(name) && !right_names.contains(name) {
            let message = if left.words == right.words {
                format!("{} has no column `{name}`", left.words)
            } else {
                format!("neither {} nor {} has a column `{name}`", left.words, right.words)
            };
            return Err(refused(about, message).hint(near(name, &left_names)));
        }
    }
    if let Some((at, name)) = options.key.iter().enumerate().find(|(_, name)| options.ignore.contains(name)) {
        return Err(refused(About::Key(at), format!("`{name}` is both part of the key and to be ignored")));
    }
    Ok(())
}

fn near(name: &str, names: &BTreeSet<String>) -> String {
    match crate::operation::nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let some: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
            format!("its columns are {}{}", some.join(", "), if names.len() > 8 { ", …" } else { "" })
        }
    }
}

fn refused(about: About, message: impl Into<String>) -> Refused {
    Refused { about, message: message.into(), hint: None }
}

impl Refused {
    fn hint(self, words: impl Into<String>) -> Self {
        Self { hint: Some(words.into()), ..self }
    }
}

/// As what two types are compared; `None` if they have nothing in common.
fn class(left: &DataType, right: &DataType) -> Option<Class> {
    let numeric = |data_type: &DataType| scale(data_type).is_some() || is_float(data_type);
    if is_float(left) && numeric(right) || is_float(right) && numeric(left) {
        return Some(Class::Float);
    }
    if let (Some(left_scale), Some(right_scale)) = (scale(left), scale(right)) {
        let decimal = |data_type: &DataType| matches!(data_type, DataType::Decimal { .. });
        return Some(if decimal(left) || decimal(right) {
            Class::Decimal { scale: left_scale.max(right_scale) }
        } else {
            Class::Integer
        });
    }
    let moment = |data_type: &DataType| matches!(data_type, DataType::Date | DataType::Timestamp { .. });
    if moment(left) && moment(right) {
        return Some(Class::Moment);
    }
    if let (DataType::Time(_), DataType::Time(_)) = (left, right) {
        return Some(Class::TimeOfDay);
    }
    (left == right).then_some(Class::AsItIs)
}

fn is_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}

/// Digits after the point of exact numbers.
fn scale(data_type: &DataType) -> Option<u8> {
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Some(0),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => Some(0),
        DataType::Decimal { scale, .. } => Some(*scale),
        _ => None,
    }
}
