//! The type matrix: which type converts to which, and what it may lose.
//!
//! [`conversion`] says it for planning, [`convert()`] does it to one value (the written semantics; the data plane has
//! its own, vectorised implementation), [`matrix_markdown`] prints it for the reference page.
//!
//! Three things can happen to a value:
//! - it has an equal in the target type: it is converted;
//! - it is in range but something of it (a fraction, a sub-unit, digits) cannot be carried: the **loss** policy says
//!   whether that is cut off, rounded, or makes the value a misfit (which it is also where no policy was given);
//! - it is out of range or malformed: it is a **misfit**, an error of its row.

use crate::types::{DataType, TimeUnit};

pub mod calendar;
mod convert;
mod markdown;
pub mod text;
pub mod zone;

pub(crate) use convert::decimal_to_float;
pub use convert::{Unfit, convert, fits_precision, power_of_ten, rescale, scaled_float};
pub use markdown::matrix_markdown;

/// What a conversion may do to values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Every value of the source type has an equal in the target type, and the way back is exact. A decimal that a
    /// float can carry so that rounding gives it back counts as exact.
    Exact,
    /// Some values lose something (fractions, sub-units, digits) or do not fit.
    Lossy {
        /// Whether `loss: truncate|round|fail` must be given (precision can be lost on values that are in range).
        needs_loss: bool,
        /// Whether values can be out of range or malformed (`misfit` applies).
        may_misfit: bool,
    },
    /// There is no meaning to it.
    Unsupported {
        /// Why, for people.
        reason: &'static str,
    },
}

impl Conversion {
    fn of(needs_loss: bool, may_misfit: bool) -> Self {
        if needs_loss || may_misfit { Self::Lossy { needs_loss, may_misfit } } else { Self::Exact }
    }

    /// Both conversions, one after the other or side by side.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (unsupported @ Self::Unsupported { .. }, _) | (_, unsupported @ Self::Unsupported { .. }) => unsupported,
            (left, right) => {
                let flags = |conversion: &Self| match conversion {
                    Self::Lossy { needs_loss, may_misfit } => (*needs_loss, *may_misfit),
                    _ => (false, false),
                };
                let ((a, b), (c, d)) = (flags(&left), flags(&right));
                Self::of(a || c, b || d)
            }
        }
    }

    /// Whether it is [`Conversion::Exact`].
    pub fn is_exact(&self) -> bool {
        *self == Self::Exact
    }
}

/// What converting `from` to `to` may do.
pub fn conversion(from: &DataType, to: &DataType) -> Conversion {
    use DataType as T;
    if from == to {
        return Conversion::Exact;
    }
    match (from, to) {
        (T::List(from), T::List(to)) => conversion(from, to),
        (T::Struct(from), T::Struct(to)) => structs(from, to),
        (T::Map(from_key, from_value), T::Map(to_key, to_value)) => {
            if !conversion(from_key, to_key).is_exact() {
                return unsupported("keys of a map must convert exactly, or two could become one");
            }
            conversion(from_value, to_value)
        }
        (from, to) if from.is_nested() || to.is_nested() => {
            unsupported("a list, struct or map converts only to one of its own kind")
        }
        (T::Binary, T::String) => Conversion::of(false, true),
        (T::String, T::Binary) => Conversion::Exact,
        (T::Binary, _) | (_, T::Binary) => unsupported("bytes convert only to and from text, as UTF-8"),
        (T::String, _) => Conversion::of(false, true),
        (T::Date | T::Timestamp { .. }, T::String) => Conversion::of(false, true),
        (_, T::String) => Conversion::Exact,
        (T::Boolean, to) if to.integer().is_some() => Conversion::Exact,
        (from, T::Boolean) if from.integer().is_some() => Conversion::of(false, true),
        (T::Boolean, _) | (_, T::Boolean) => unsupported("booleans convert only to and from integers and text"),
        (from, to) if from.is_number() && to.is_number() => numbers(from, to),
        (from, to) if from.is_number() || to.is_number() => unsupported(
            "numbers and dates have no common meaning; use functions such as `from_unix_seconds`, `to_unix_seconds` \
             or `make_date`",
        ),
        (T::Time(from), T::Time(to)) => Conversion::of(to < from, to < from),
        (T::Time(_), _) | (_, T::Time(_)) => unsupported("a time of day is no date; use `extract` for its parts"),
        (from, to) => days_and_instants(from, to),
    }
}

fn unsupported(reason: &'static str) -> Conversion {
    Conversion::Unsupported { reason }
}

fn structs(from: &[(String, DataType)], to: &[(String, DataType)]) -> Conversion {
    if from.len() != to.len() || from.iter().zip(to).any(|(from, to)| from.0 != to.0) {
        return unsupported("structs convert field by field: both need the same field names in the same order");
    }
    from.iter().zip(to).map(|(from, to)| conversion(&from.1, &to.1)).fold(Conversion::Exact, Conversion::and)
}

fn numbers(from: &DataType, to: &DataType) -> Conversion {
    use DataType as T;
    match (from, to) {
        (T::Float32, T::Float64) => Conversion::Exact,
        (T::Float64, T::Float32) => Conversion::of(true, true),
        (T::Decimal { precision, .. }, to) if to.is_float() => {
            Conversion::of(*precision > if *to == T::Float64 { 15 } else { 6 }, false)
        }
        (from, to) if to.is_float() => {
            let (bits, _) = from.integer().unwrap_or((64, true));
            Conversion::of(bits > if *to == T::Float64 { 32 } else { 16 }, false)
        }
        (from, _) if from.is_float() => Conversion::of(true, true),
        (from, to) if to.integer().is_some() => match (from.integer_range(), to.integer_range()) {
            (Some(from), Some(to)) => Conversion::of(false, from.0 < to.0 || from.1 > to.1),
            _ => decimal_to_integer(from, to),
        },
        (from, T::Decimal { precision, scale }) => {
            let (from_precision, from_scale) = match from {
                T::Decimal { precision, scale } => (*precision, *scale),
                _ => (from.integer_digits().unwrap_or(20), 0),
            };
            let carry = u8::from(*scale < from_scale);
            Conversion::of(*scale < from_scale, precision - scale < from_precision - from_scale + carry)
        }
        _ => unsupported("not a number"),
    }
}

fn decimal_to_integer(from: &DataType, to: &DataType) -> Conversion {
    let (DataType::Decimal { precision, scale }, Some((low, high))) = (from, to.integer_range()) else {
        return unsupported("not a number");
    };
    let largest = power_of_ten(precision - scale) - i128::from(*scale == 0);
    Conversion::of(*scale > 0, largest > high || -largest < low)
}

fn days_and_instants(from: &DataType, to: &DataType) -> Conversion {
    use DataType as T;
    let day = |unit: TimeUnit| unit.per_second() * 86_400;
    match (from, to) {
        (T::Date, T::Timestamp { unit, zone }) => {
            let overflows = i64::from(i32::MAX).checked_mul(day(*unit)).is_none();
            wall_to_instant(zone.as_deref()).and(Conversion::of(false, overflows))
        }
        (T::Timestamp { unit, zone }, T::Date) => {
            // The zone's offset only moves where days begin: nothing is lost beyond the time of day.
            let _ = zone;
            Conversion::of(true, i64::MAX / day(*unit) > i64::from(i32::MAX))
        }
        (T::Timestamp { unit, zone }, T::Timestamp { unit: to_unit, zone: to_zone }) => {
            let zones = match (zone.as_deref(), to_zone.as_deref()) {
                (None, Some(zone)) => wall_to_instant(Some(zone)),
                // Where clocks are set back, two instants have one wall-clock reading.
                (Some(from), None) if !zone::is_fixed(from) => Conversion::of(true, false),
                (Some(from), None) if from != "UTC" => Conversion::of(false, true),
                _ => Conversion::Exact,
            };
            zones.and(Conversion::of(to_unit < unit, to_unit > unit))
        }
        _ => unsupported("not in the matrix"),
    }
}

/// Reading a wall clock in a zone: in a named one, some readings do not exist or exist twice (both are pinned, see
/// [`zone`]), so that the way back is not exact; in any but UTC the ends of the range move.
fn wall_to_instant(zone: Option<&str>) -> Conversion {
    Conversion::of(zone.is_some_and(|zone| !zone::is_fixed(zone)), zone.is_some_and(|zone| zone != "UTC"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Conversion, conversion};

    fn check(from: &str, to: &str, expected: &str) {
        let said = match conversion(&from.parse().unwrap(), &to.parse().unwrap()) {
            Conversion::Exact => "exact",
            Conversion::Lossy { needs_loss: true, may_misfit: true } => "loss+misfit",
            Conversion::Lossy { needs_loss: true, .. } => "loss",
            Conversion::Lossy { .. } => "misfit",
            Conversion::Unsupported { .. } => "unsupported",
        };
        assert_eq!(said, expected, "{from} to {to}");
    }

    #[test]
    fn numbers() {
        check("int32", "int64", "exact");
        check("int64", "int32", "misfit");
        check("uint8", "int8", "misfit");
        check("uint8", "int16", "exact");
        check("int32", "float64", "exact");
        check("int64", "float64", "loss");
        check("int16", "float32", "exact");
        check("int32", "decimal(10,0)", "exact");
        check("int32", "decimal(10,2)", "misfit");
        check("decimal(15,2)", "float64", "exact");
        check("decimal(16,2)", "float64", "loss");
        check("decimal(15,2)", "decimal(15,3)", "misfit");
        check("decimal(15,2)", "decimal(16,3)", "exact");
        check("decimal(15,2)", "decimal(15,1)", "loss");
        check("decimal(15,2)", "decimal(14,1)", "loss+misfit");
        check("decimal(9,0)", "int32", "exact");
        check("decimal(10,0)", "int32", "misfit");
        check("decimal(9,2)", "int32", "loss");
        check("float64", "float32", "loss+misfit");
        check("float64", "int64", "loss+misfit");
        check("float32", "decimal(38,10)", "loss+misfit");
    }

    #[test]
    fn days_and_instants() {
        check("date", "timestamp(ms)", "exact");
        check("date", "timestamp(us)", "misfit");
        check("date", "timestamp(ms, UTC)", "exact");
        check("date", "timestamp(ms, Europe/Berlin)", "loss+misfit");
        check("timestamp(us)", "date", "loss");
        check("timestamp(ms)", "date", "loss+misfit");
        check("timestamp(us, UTC)", "timestamp(us, Asia/Tokyo)", "exact");
        check("timestamp(us)", "timestamp(us, UTC)", "exact");
        check("timestamp(us, UTC)", "timestamp(us)", "exact");
        check("timestamp(us, Europe/Berlin)", "timestamp(us)", "loss");
        check("timestamp(us)", "timestamp(ms)", "loss");
        check("timestamp(us)", "timestamp(ns)", "misfit");
        check("time(us)", "time(ns)", "exact");
        check("time(us)", "time(s)", "loss+misfit");
        check("time(us)", "timestamp(us)", "unsupported");
        check("int64", "timestamp(us)", "unsupported");
    }

    #[test]
    fn the_rest() {
        check("boolean", "int8", "exact");
        check("int8", "boolean", "misfit");
        check("boolean", "float64", "unsupported");
        check("string", "int8", "misfit");
        check("date", "string", "misfit");
        check("time(ns)", "string", "exact");
        check("float64", "string", "exact");
        check("binary", "string", "misfit");
        check("string", "binary", "exact");
        check("binary", "int64", "unsupported");
        check("list<int32>", "list<int64>", "exact");
        check("list<int64>", "list<int32>", "misfit");
        check("list<int32>", "string", "unsupported");
        check("struct<a: int32, b: float64>", "struct<a: int64, b: int8>", "loss+misfit");
        check("struct<a: int32>", "struct<b: int32>", "unsupported");
        check("map<int32, int32>", "map<int64, int8>", "misfit");
        check("map<int64, int32>", "map<int32, int32>", "unsupported");
    }
}
