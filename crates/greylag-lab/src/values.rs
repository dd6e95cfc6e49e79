//! Logical values of every type, the awkward ones included.

use crate::cell::{Cell, per_second};
use crate::draws::Draws;
use greylag_model::types::{DataType, TimeUnit};

/// Which letters texts may have: what the encoding of a file can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letters {
    /// What windows-1252 has.
    Latin,
    /// All of Unicode.
    Any,
}

const PLAIN_TEXTS: &[&str] = &[
    "alpha",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliet",
    "kilo",
    "lima",
    "premium",
    "free",
    "family",
    "student",
    "desktop",
    "mobile",
    "Stockholm",
    "Berlin",
    "New York",
    "a b c",
];
const LATIN_TEXTS: &[&str] = &[
    "",
    " ",
    "  leading",
    "trailing  ",
    "a,b",
    "a;b",
    "a|b",
    "tab\there",
    "line\nbreak",
    "crlf\r\nline",
    "say \"hi\"",
    "\"",
    "\"\"",
    "it's",
    "back\\slash",
    "NULL",
    "null",
    "\\N",
    "NA",
    "NaN",
    "-0",
    "007",
    "1e5",
    "true",
    "2024-01-01",
    "Zoë",
    "naïve café",
    "Größe",
    "smörgåsbord",
    "señor",
    "£5",
    "<b>&amp;</b>",
    "'; DROP TABLE users; --",
    "%41",
    "#",
    "=SUM(A1)",
    "{}",
    "[]",
    "a=b",
    "C:\\dir\\",
    "...",
    "-",
    "\u{a0}nbsp",
];
const UNICODE_TEXTS: &[&str] = &[
    "日本語",
    "🪿🦆",
    "שלום",
    "e\u{301}",
    "é",
    "ﬁ",
    "ß",
    "İstanbul",
    "Ω",
    "\u{200d}",
    "\u{feff}bom",
    "👩‍👩‍👧‍👦",
    "ไทย",
    "\u{2028}",
    "𝒳",
    "中文，逗号",
    "“quoted”",
    "…",
];

/// A text: mostly plain, sometimes awkward, rarely long.
pub(crate) fn text(draws: &mut Draws, letters: Letters) -> String {
    match draws.below(40) {
        0..=5 => draws.pick(LATIN_TEXTS).to_owned(),
        6..=8 if letters == Letters::Any => draws.pick(UNICODE_TEXTS).to_owned(),
        9 => draws.pick(PLAIN_TEXTS).repeat(20),
        10..=25 => draws.pick(PLAIN_TEXTS).to_owned(),
        _ => format!("{}-{}", draws.pick(PLAIN_TEXTS), draws.below(10_000)),
    }
}

/// A text of letters only: upper and lower case mean the same everywhere.
pub(crate) fn word(draws: &mut Draws) -> String {
    (0..=draws.below(8)).map(|_| char::from(b'a' + draws.below(26) as u8)).collect()
}

/// Smallest and largest value of an integer type.
pub(crate) fn integer_range(data_type: &DataType) -> (i128, i128) {
    match data_type {
        DataType::Int8 => (i128::from(i8::MIN), i128::from(i8::MAX)),
        DataType::Int16 => (i128::from(i16::MIN), i128::from(i16::MAX)),
        DataType::Int32 => (i128::from(i32::MIN), i128::from(i32::MAX)),
        DataType::UInt8 => (0, i128::from(u8::MAX)),
        DataType::UInt16 => (0, i128::from(u16::MAX)),
        DataType::UInt32 => (0, i128::from(u32::MAX)),
        DataType::UInt64 => (0, i128::from(u64::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    }
}

/// An integer of the type: mostly small, sometimes an extreme.
pub(crate) fn integer(draws: &mut Draws, data_type: &DataType) -> i128 {
    let (least, most) = integer_range(data_type);
    match draws.below(40) {
        0 => least,
        1 => most,
        2 => 0,
        3 => (i128::from(draws.bits()) % (most - least + 1)) + least,
        _ => (i128::from(draws.between(-500, 5_000))).clamp(least, most),
    }
}

/// An unscaled decimal of at most `digits` digits: mostly small, sometimes an extreme.
pub(crate) fn unscaled(draws: &mut Draws, digits: u8) -> i128 {
    let most = 10_i128.pow(u32::from(digits)) - 1;
    match draws.below(30) {
        0 => most,
        1 => -most,
        2 => 0,
        3 => ((i128::from(draws.bits()) << 64) | i128::from(draws.bits())).rem_euclid(most),
        _ => i128::from(draws.between(-99_999, 999_999)).clamp(-most, most),
    }
}

/// Days since the epoch: the years 1900 to 2100, sometimes 0001 or 9999.
pub(crate) fn day(draws: &mut Draws) -> i32 {
    match draws.below(60) {
        0 => -719_162,
        1 => 2_932_896,
        2 => 19_782,
        _ => draws.between(-25_567, 47_482) as i32,
    }
}

/// Ticks since the epoch: 1970 to 2030, sometimes before; nanoseconds stay in their range.
pub(crate) fn instant(draws: &mut Draws, unit: TimeUnit) -> i64 {
    let per_second = per_second(unit);
    let seconds = match draws.below(30) {
        0 => draws.between(-2_208_988_800, -1),
        1 => 0,
        _ => draws.between(0, 1_893_456_000),
    };
    seconds * per_second + draws.between(0, per_second - 1)
}

fn float(draws: &mut Draws) -> f64 {
    match draws.below(40) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        3 => -0.0,
        4 => f64::MIN_POSITIVE / 4.0,
        5 => f64::MAX,
        6 => 0.1,
        7 => f64::from_bits(draws.bits() & !(0x7ff << 52) | (0x3ff << 52)),
        _ => draws.between(-1_000_000, 9_000_000) as f64 / 128.0,
    }
}

fn single(draws: &mut Draws) -> f32 {
    match draws.below(40) {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => f32::NEG_INFINITY,
        3 => -0.0,
        4 => f32::MAX,
        5 => 0.1,
        _ => draws.between(-100_000, 900_000) as f32 / 64.0,
    }
}

/// A value of the type, not null.
pub(crate) fn value(draws: &mut Draws, data_type: &DataType, letters: Letters) -> Cell {
    match data_type {
        DataType::Boolean => Cell::Bool(draws.chance(50)),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => Cell::Int(integer(draws, data_type)),
        DataType::Float32 => Cell::Float32(single(draws)),
        DataType::Float64 => Cell::Float64(float(draws)),
        DataType::Decimal { precision, .. } => Cell::Decimal(unscaled(draws, *precision)),
        DataType::Date => Cell::Date(day(draws)),
        DataType::Time(unit) => Cell::Ticks(draws.between(0, 86_400 * per_second(*unit) - 1)),
        DataType::Timestamp { unit, .. } => Cell::Ticks(instant(draws, *unit)),
        DataType::String => Cell::Text(text(draws, letters)),
        DataType::Binary => Cell::Bytes((0..draws.below(12)).map(|_| draws.bits() as u8).collect()),
        DataType::List(item) => {
            let length = if draws.chance(20) { 0 } else { draws.below(4) };
            Cell::Items((0..length).map(|_| nullable(draws, item, letters, 10)).collect())
        }
        DataType::Struct(fields) => {
            Cell::Items(fields.iter().map(|(_, field)| nullable(draws, field, letters, 10)).collect())
        }
        DataType::Map(key, item) => {
            let mut entries: Vec<(Cell, Cell)> = Vec::new();
            for _ in 0..draws.below(4) {
                let key = value(draws, key, letters);
                if entries.iter().all(|(other, _)| *other != key) {
                    entries.push((key, nullable(draws, item, letters, 10)));
                }
            }
            Cell::Entries(entries)
        }
    }
}

/// A value of the type, null in `percent` of a hundred cases.
pub(crate) fn nullable(draws: &mut Draws, data_type: &DataType, letters: Letters, percent: usize) -> Cell {
    if draws.chance(percent) { Cell::Null } else { value(draws, data_type, letters) }
}

/// A timestamp type.
pub(crate) fn stamp(unit: TimeUnit, zone: Option<&str>) -> DataType {
    DataType::Timestamp { unit, zone: zone.map(str::to_owned) }
}

/// A decimal type.
pub(crate) fn decimal(precision: u8, scale: u8) -> DataType {
    DataType::Decimal { precision, scale }
}

/// Every type that a dataset may have; flat ones have a text form in delimited files.
pub(crate) fn palette(flat: bool) -> Vec<DataType> {
    use DataType::{
        Binary, Boolean, Date, Float32, Float64, Int8, Int16, Int32, Int64, List, Map, String, Struct, Time, UInt8,
        UInt16, UInt32, UInt64,
    };
    let mut types = vec![
        String,
        Int64,
        Boolean,
        Date,
        Float64,
        decimal(9, 2),
        stamp(TimeUnit::Us, Some("UTC")),
        stamp(TimeUnit::Us, None),
        Int32,
        Int8,
        Int16,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float32,
        decimal(18, 4),
        decimal(38, 10),
        decimal(5, 0),
        stamp(TimeUnit::S, None),
        stamp(TimeUnit::Ms, None),
        stamp(TimeUnit::Ns, None),
        stamp(TimeUnit::S, Some("UTC")),
        stamp(TimeUnit::Ms, Some("UTC")),
        stamp(TimeUnit::Ns, Some("UTC")),
        Time(TimeUnit::S),
        Time(TimeUnit::Ms),
        Time(TimeUnit::Us),
        Time(TimeUnit::Ns),
    ];
    if !flat {
        types.extend([
            Binary,
            stamp(TimeUnit::Ms, Some("Europe/Stockholm")),
            stamp(TimeUnit::Us, Some("America/New_York")),
            stamp(TimeUnit::Us, Some("+05:30")),
            List(Box::new(Int32)),
            List(Box::new(String)),
            Struct(vec![("a".to_owned(), Int64), ("b c".to_owned(), String)]),
            Map(Box::new(String), Box::new(Int64)),
            List(Box::new(Struct(vec![("at".to_owned(), Date), ("cost".to_owned(), decimal(12, 2))]))),
            Struct(vec![("tags".to_owned(), List(Box::new(String))), ("score".to_owned(), Float64)]),
            Map(Box::new(String), Box::new(List(Box::new(decimal(9, 3))))),
        ]);
    }
    types
}
