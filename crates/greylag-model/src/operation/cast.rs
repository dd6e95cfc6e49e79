//! Cast: the same values in another type.
//!
//! # When the way back is derived
//!
//! A derived reverse is a claim that the backfill proves on every row, so it is made only where it holds for every value
//! that the forward cast lets through:
//!
//! 1. **Exact** conversions of the type matrix: by definition. The way back is strict (`fail`) where it needs a policy:
//!    a value that the forward cast cannot have written is found and not smoothed over.
//! 2. **Fits means equal.** Between numbers, between timestamps of one kind, between times of day, between dates and
//!    timestamps without a zone or in UTC, and from those and bytes to text, a value that passes a cast which loses
//!    nothing (none needed, or `loss: fail`) is *equal* in the target, so casting back gives it again. From text this is
//!    not so: `007` and `7` are one number. A float's negative zero becomes zero on the way through integers and
//!    decimals; such a reverse compares as numbers (tolerance 0), not as bits.
//! 3. **Decimals through floats.** `decimal(p,s)` → `float64` with `p ≤ 15` (`float32`: `p ≤ 6`) is exact in the matrix
//!    although a float seldom equals the decimal: the way back is rounding to `s` digits. Proof: let `x` be the decimal, `|x| < 10^(p-s)`, and `f` the float it becomes, by rounding or
//!    towards zero: `|f - x| ≤ |x|·2^-52`. Scaling `f` by `10^s` (exact in a double for `s ≤ 22`) adds a relative error
//!    of at most `2^-53`. So the scaled value is off by less than `10^p·(2^-52 + 2^-53) ≤ 10^15·3.34e-16 < 0.34` units
//!    of the last digit, under a half, and rounding gives the digits of `x`. (`float32`: `10^6·1.8e-7 < 0.18`, where the
//!    matrix computes in double; `p = 7` would be 1.8.)
//! 4. **Within a tolerance** that the file gives, between numbers: cast back with rounding, compared within it.
//!
//! What 1 to 3 give back is equal, so a tolerance that the file gives says nothing there: it is for values that cannot be
//! had back as they were.
//!
//! Everything else is lost unless the file gives a reverse: rounding and truncation, text to anything, zones.

use super::{Reported, Resolution};
use crate::cast::{Conversion, conversion};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::expr::{Node, TypedExpr};
use crate::mapping::Cast;
use crate::schema::Column;
use crate::spec::{Loss, Misfit, Tolerance};
use crate::types::DataType;

/// A way back through a cast.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Back {
    /// Cast back with this policy, and compare within this tolerance (none: equal).
    Cast(Option<Loss>, Option<Tolerance>),
    /// There is none, and why.
    Lost(String),
}

/// Validates a conversion of the column `name`; nothing if there is nothing to convert.
pub(crate) fn forward(
    name: &str,
    from: &DataType,
    to: &DataType,
    loss: Option<Loss>,
    resolution: &mut Resolution<'_>,
    pointer: &str,
) -> Result<Option<Cast>, Reported> {
    if from == to {
        return Ok(None);
    }
    let diagnostic = match conversion(from, to) {
        Conversion::Exact => return Ok(Some(Cast { to: to.clone(), loss: None })),
        Conversion::Lossy { needs_loss, .. } if !needs_loss || loss.is_some() => {
            return Ok(Some(Cast { to: to.clone(), loss: if needs_loss { loss } else { None } }));
        }
        Conversion::Lossy { .. } => {
            let message = format!("column `{name}`: `{from}` → `{to}` can lose something and needs a policy");
            Diagnostic::error(code::plan::LOSS_NEEDED, message)
                .hint("`loss: truncate` cuts off towards zero (timestamps: towards the past)")
                .hint("`loss: round` takes the nearest, halves away from zero")
                .hint("`loss: fail` lets nothing be lost: such a value does not fit, and `misfit` says what then")
        }
        Conversion::Unsupported { reason } => {
            let message = format!("column `{name}`: there is no conversion `{from}` → `{to}`: {reason}");
            Diagnostic::error(code::plan::NO_CONVERSION, message)
                .hint("say with `expr` what is meant, or choose another type")
        }
    };
    resolution.error(diagnostic, pointer);
    Err(Reported)
}

/// Whether values can fail to fit.
pub(crate) fn may_misfit(from: &DataType, to: &DataType, loss: Option<Loss>) -> bool {
    match conversion(from, to) {
        Conversion::Exact => false,
        Conversion::Lossy { needs_loss, may_misfit } => may_misfit || (needs_loss && loss == Some(Loss::Fail)),
        Conversion::Unsupported { .. } => true,
    }
}

/// The way back, by the rules of the module.
pub(crate) fn back(from: &DataType, to: &DataType, loss: Option<Loss>, tolerance: Option<Tolerance>) -> Back {
    let strict = match conversion(to, from) {
        Conversion::Exact => None,
        Conversion::Lossy { needs_loss, .. } => needs_loss.then_some(Loss::Fail),
        Conversion::Unsupported { reason } => {
            return Back::Lost(format!("`{to}` does not convert to `{from}`: {reason}"));
        }
    };
    let lossless = match conversion(from, to) {
        Conversion::Exact => {
            let rounds = strict.is_some() && decimal_to_float(from, to);
            return Back::Cast(if rounds { Some(Loss::Round) } else { strict }, None);
        }
        Conversion::Lossy { needs_loss, .. } => !needs_loss || loss == Some(Loss::Fail),
        Conversion::Unsupported { reason } => return Back::Lost(reason.to_owned()),
    };
    if lossless && fits_means_equal(from, to) {
        let signless = is_float(from) && !is_float(to);
        let as_numbers = Tolerance { absolute: Some(0.0), relative: None };
        return Back::Cast(strict, signless.then_some(as_numbers));
    }
    if tolerance.is_some() && is_number(from) && is_number(to) {
        return Back::Cast(strict.map(|_| Loss::Round), tolerance);
    }
    Back::Lost(why_lost(from, to, loss))
}

/// Rule 3 of the module: whether decimals become floats anywhere inside an exact conversion.
fn decimal_to_float(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Decimal { .. }, to) => is_float(to),
        (DataType::List(from), DataType::List(to)) => decimal_to_float(from, to),
        (DataType::Struct(from), DataType::Struct(to)) => {
            from.iter().zip(to).any(|((_, from), (_, to))| decimal_to_float(from, to))
        }
        (DataType::Map(_, from), DataType::Map(_, to)) => decimal_to_float(from, to),
        _ => false,
    }
}

/// Rule 2 of the module.
fn fits_means_equal(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Timestamp { zone: left, .. }, DataType::Timestamp { zone: right, .. }) => {
            left.is_some() == right.is_some()
        }
        (DataType::Time(_), DataType::Time(_)) | (DataType::Date | DataType::Binary, DataType::String) => true,
        (DataType::Timestamp { zone, .. }, DataType::Date | DataType::String)
        | (DataType::Date, DataType::Timestamp { zone, .. }) => zone.as_deref().is_none_or(|zone| zone == "UTC"),
        _ => is_number(from) && is_number(to),
    }
}

fn why_lost(from: &DataType, to: &DataType, loss: Option<Loss>) -> String {
    match (from, loss) {
        (_, Some(Loss::Round)) => format!("rounded from `{from}` to `{to}`"),
        (_, Some(Loss::Truncate)) => format!("truncated from `{from}` to `{to}`"),
        (DataType::String, _) => format!("text can spell one `{to}` in several ways"),
        _ => format!("`{from}` → `{to}` cannot be taken back exactly"),
    }
}

fn is_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}

pub(crate) fn is_number(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 | T::Decimal { .. }
    ) || is_float(data_type)
}

/// A column cast to a type.
pub(crate) fn cast_column(column: &Column, to: &DataType, loss: Option<Loss>) -> TypedExpr {
    let input = Box::new(TypedExpr::column(column));
    TypedExpr { data_type: to.clone(), nullable: column.nullable, node: Node::Cast { input, loss, safe: false } }
}

/// What readers meet.
pub(crate) fn breaks(name: &str, from: &DataType, to: &DataType) -> String {
    format!("column `{name}` goes from `{from}` to `{to}`")
}

/// Words of the plan's line: `int32 → int64, exact`, `decimal(15,2) → float64, round`.
pub(crate) fn words(from: &DataType, to: &DataType, loss: Option<Loss>, misfit: Misfit) -> String {
    let how = match (conversion(from, to), loss) {
        (Conversion::Exact, _) => "exact",
        (_, Some(Loss::Round)) => "round",
        (_, Some(Loss::Truncate)) => "truncate",
        (_, Some(Loss::Fail)) => "nothing may be lost",
        (_, None) => "values may not fit",
    };
    let what_then = match misfit {
        _ if !may_misfit(from, to, loss) => "",
        Misfit::Fail => "",
        Misfit::Null => ", misfits become null",
        Misfit::Reject => ", misfits are rejected",
    };
    format!("{from} → {to}, {how}{what_then}")
}
