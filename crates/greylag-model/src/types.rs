//! Column types: the logical types that Greylag can carry, whatever the store calls them.

use serde::{Deserialize, Serialize};

pub(crate) mod parse;

/// Unit of a timestamp or time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

/// A column's type. Its text form (see [`std::fmt::Display`] and [`std::str::FromStr`]) is what migration files,
/// plans and messages use, e.g. `int64`, `decimal(15,2)`, `timestamp(us, UTC)`, `list<string>`,
/// `struct<a: int32, b: string>`, `map<string, int64>`. It serialises as that text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataType {
    /// True or false.
    Boolean,
    /// Signed 8-bit integer.
    Int8,
    /// Signed 16-bit integer.
    Int16,
    /// Signed 32-bit integer.
    Int32,
    /// Signed 64-bit integer.
    Int64,
    /// Unsigned 8-bit integer.
    UInt8,
    /// Unsigned 16-bit integer.
    UInt16,
    /// Unsigned 32-bit integer.
    UInt32,
    /// Unsigned 64-bit integer.
    UInt64,
    /// IEEE 754 single precision, NaN and infinities included.
    Float32,
    /// IEEE 754 double precision, NaN and infinities included.
    Float64,
    /// Fixed point, `precision` 1 to 38 digits of which `scale` (0 to `precision`) after the point.
    Decimal {
        /// All digits.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// A day of the proleptic Gregorian calendar.
    Date,
    /// A time of day without a zone.
    Time(TimeUnit),
    /// An instant (`zone` given: stored as UTC, shown in the zone) or a wall-clock reading (no zone).
    Timestamp {
        /// Resolution.
        unit: TimeUnit,
        /// IANA name or `+hh:mm`; `None` is a wall-clock reading.
        zone: Option<String>,
    },
    /// UTF-8 text.
    String,
    /// Bytes.
    Binary,
    /// A list of one type.
    List(Box<DataType>),
    /// Named fields, in order.
    Struct(Vec<(String, DataType)>),
    /// Keys to values; keys are not null.
    Map(Box<DataType>, Box<DataType>),
}

impl std::fmt::Display for DataType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Int8 => f.write_str("int8"),
            Self::Int16 => f.write_str("int16"),
            Self::Int32 => f.write_str("int32"),
            Self::Int64 => f.write_str("int64"),
            Self::UInt8 => f.write_str("uint8"),
            Self::UInt16 => f.write_str("uint16"),
            Self::UInt32 => f.write_str("uint32"),
            Self::UInt64 => f.write_str("uint64"),
            Self::Float32 => f.write_str("float32"),
            Self::Float64 => f.write_str("float64"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Date => f.write_str("date"),
            Self::Time(unit) => write!(f, "time({unit})"),
            Self::Timestamp { unit, zone: None } => write!(f, "timestamp({unit})"),
            Self::Timestamp { unit, zone: Some(zone) } => write!(f, "timestamp({unit}, {zone})"),
            Self::String => f.write_str("string"),
            Self::Binary => f.write_str("binary"),
            Self::List(item) => write!(f, "list<{item}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (index, (name, data_type)) in fields.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{}: {data_type}", FieldName(name))?;
                }
                f.write_str(">")
            }
            Self::Map(key, value) => write!(f, "map<{key}, {value}>"),
        }
    }
}

/// A struct field's name: bare if it is a plain identifier, else in double quotes with quotes doubled.
struct FieldName<'a>(&'a str);

impl std::fmt::Display for FieldName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plain = self.0.chars().enumerate().all(|(index, letter)| {
            letter == '_' || letter.is_ascii_alphabetic() || (index > 0 && letter.is_ascii_digit())
        });
        if plain && !self.0.is_empty() { f.write_str(self.0) } else { write!(f, "\"{}\"", self.0.replace('"', "\"\"")) }
    }
}

impl std::fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::S => "s",
            Self::Ms => "ms",
            Self::Us => "us",
            Self::Ns => "ns",
        })
    }
}

impl Serialize for DataType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DataType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl TimeUnit {
    /// How many of this unit make a second.
    pub fn per_second(self) -> i64 {
        match self {
            Self::S => 1,
            Self::Ms => 1_000,
            Self::Us => 1_000_000,
            Self::Ns => 1_000_000_000,
        }
    }

    /// Digits after the second's point.
    pub fn digits(self) -> usize {
        match self {
            Self::S => 0,
            Self::Ms => 3,
            Self::Us => 6,
            Self::Ns => 9,
        }
    }
}

impl DataType {
    /// Width of an integer type in bits and whether it has a sign.
    pub fn integer(&self) -> Option<(u32, bool)> {
        Some(match self {
            Self::Int8 => (8, true),
            Self::Int16 => (16, true),
            Self::Int32 => (32, true),
            Self::Int64 => (64, true),
            Self::UInt8 => (8, false),
            Self::UInt16 => (16, false),
            Self::UInt32 => (32, false),
            Self::UInt64 => (64, false),
            _ => return None,
        })
    }

    /// Smallest and largest value of an integer type.
    pub fn integer_range(&self) -> Option<(i128, i128)> {
        let (bits, signed) = self.integer()?;
        Some(if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) })
    }

    /// The smallest `decimal(p,0)` that carries every value of an integer type.
    pub fn integer_digits(&self) -> Option<u8> {
        Some(match self.integer()?.0 {
            8 => 3,
            16 => 5,
            32 => 10,
            _ if *self == Self::UInt64 => 20,
            _ => 19,
        })
    }

    /// Whether it is `float32` or `float64`.
    pub fn is_float(&self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }

    /// Whether arithmetic is defined on it.
    pub fn is_number(&self) -> bool {
        self.integer().is_some() || self.is_float() || matches!(self, Self::Decimal { .. })
    }

    /// Whether it is a list, struct or map.
    pub fn is_nested(&self) -> bool {
        matches!(self, Self::List(_) | Self::Struct(_) | Self::Map(..))
    }
}
