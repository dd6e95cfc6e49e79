//! Numbers to numbers.

use super::cast::{Case, LOSSES};
use crate::cell::{Cell, decimal_text};
use crate::draws::Draws;
use crate::values::{decimal, integer, integer_range};
use greylag_model::types::DataType::{
    self, Boolean, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64,
};

type Drawn = (Cell, Option<Cell>);

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::exact(Int8, Int64, |draws, _| whole(draws, &Int8)),
        Case::exact(Int16, Int32, |draws, _| whole(draws, &Int16)),
        Case::exact(Int32, Int64, |draws, _| whole(draws, &Int32)),
        Case::exact(UInt8, Int16, |draws, _| whole(draws, &UInt8)),
        Case::exact(UInt16, UInt64, |draws, _| whole(draws, &UInt16)),
        Case::exact(UInt32, Int64, |draws, _| whole(draws, &UInt32)),
        Case::exact(Int64, Int32, |draws, _| narrow(draws, &Int32, i128::from(i64::MAX), i128::from(i64::MIN)))
            .misfits(),
        Case::exact(Int32, UInt16, |draws, _| narrow(draws, &UInt16, 70_000, -1)).misfits(),
        Case::exact(UInt64, Int64, |draws, _| {
            let (old, new) = narrow(draws, &Int64, 1 << 63, i128::from(u64::MAX));
            // Both types have to hold the value: nothing below zero.
            match old {
                Cell::Int(value) if value < 0 => (Cell::Int(-1 - value), Some(Cell::Int(-1 - value))),
                _ => (old, new),
            }
        })
        .misfits(),
        Case::exact(Int16, UInt8, |draws, _| narrow(draws, &UInt8, 256, -1)).misfits(),
        Case::exact(Int32, Int8, |draws, _| narrow(draws, &Int8, 128, -129)).misfits(),
        Case::exact(Int64, UInt32, |draws, _| narrow(draws, &UInt32, 1 << 32, -1)).misfits(),
        Case::exact(Int64, Float64, integer_to_float).loses(&["round", "fail"]),
        Case::exact(Int32, Float64, |draws, _| {
            let value = integer(draws, &Int32);
            (Cell::Int(value), Some(Cell::Float64(value as f64)))
        }),
        Case::exact(Float32, Float64, |draws, _| {
            let value = draws.between(-1_000_000, 1_000_000) as f32 / 8.0;
            let value = if draws.chance(4) { f32::NAN } else { value };
            (Cell::Float32(value), Some(Cell::Float64(f64::from(value))))
        }),
        Case::exact(Float64, Float32, double_to_single).loses(&["round", "fail"]).misfits(),
        Case::exact(Float64, Int64, float_to_integer).loses(LOSSES).misfits(),
        Case::exact(Float64, Int16, float_to_integer).loses(LOSSES).misfits(),
        Case::exact(Float64, decimal(12, 1), float_to_decimal).loses(LOSSES).misfits(),
        Case::exact(decimal(9, 2), decimal(18, 4), |draws, _| {
            let cents = draws.between(-999_999_999, 999_999_999).into();
            (Cell::Decimal(cents), Some(Cell::Decimal(cents * 100)))
        }),
        Case::exact(decimal(12, 4), decimal(10, 2), decimal_to_shorter).loses(LOSSES),
        Case::exact(decimal(18, 2), decimal(9, 2), |draws, _| {
            let cents: i128 = draws.between(-999_999_999, 999_999_999).into();
            if draws.chance(4) { (Cell::Decimal(cents.signum() * 1_000_000_000), None) } else { kept(cents) }
        })
        .misfits(),
        Case {
            tolerance: Some("0.005"),
            ..Case::exact(decimal(15, 2), Float64, |draws, _| decimal_to_float(draws, 2)).loses(&["round"])
        },
        Case::exact(decimal(12, 4), Int32, decimal_to_integer).loses(LOSSES).misfits(),
        Case::exact(Int32, decimal(12, 2), |draws, _| {
            let value = integer(draws, &Int32);
            (Cell::Int(value), Some(Cell::Decimal(value * 100)))
        }),
        Case::exact(Int64, decimal(10, 0), |draws, _| {
            let value: i128 = draws.between(-9_999_999_999, 9_999_999_999).into();
            if draws.chance(4) {
                (Cell::Int(10_000_000_000), None)
            } else {
                (Cell::Int(value), Some(Cell::Decimal(value)))
            }
        })
        .misfits(),
        Case::exact(UInt64, decimal(20, 0), |draws, _| {
            let value = integer(draws, &UInt64);
            (Cell::Int(value), Some(Cell::Decimal(value)))
        }),
        Case::exact(Boolean, Int8, |draws, _| {
            let value = draws.chance(50);
            (Cell::Bool(value), Some(Cell::Int(value.into())))
        }),
    ]
}

fn kept(unscaled: i128) -> Drawn {
    (Cell::Decimal(unscaled), Some(Cell::Decimal(unscaled)))
}

fn whole(draws: &mut Draws, from: &DataType) -> Drawn {
    let value = integer(draws, from);
    (Cell::Int(value), Some(Cell::Int(value)))
}

/// Values of the narrow type, its extremes among them, and one of two that it cannot hold.
fn narrow(draws: &mut Draws, to: &DataType, above: i128, below: i128) -> Drawn {
    let (least, most) = integer_range(to);
    match draws.below(50) {
        0 => (Cell::Int(above), None),
        1 => (Cell::Int(below), None),
        2 => (Cell::Int(least), Some(Cell::Int(least))),
        3 => (Cell::Int(most), Some(Cell::Int(most))),
        _ => whole(draws, to),
    }
}

/// Small numbers, and large ones one off a double (never half-way between two).
fn integer_to_float(draws: &mut Draws, loss: &str) -> Drawn {
    if draws.chance(80) {
        let value = draws.between(-(1 << 53), 1 << 53);
        return (Cell::Int(value.into()), Some(Cell::Float64(value as f64)));
    }
    // From 2^54 on, doubles are four apart and more.
    let double = draws.between(1 << 42, 1 << 50) << 12;
    let new = (loss != "fail").then_some(Cell::Float64(double as f64));
    (Cell::Int(i128::from(double) + 1), new)
}

fn double_to_single(draws: &mut Draws, loss: &str) -> Drawn {
    if draws.chance(70) {
        let value = draws.between(-1_000_000, 1_000_000) as f32 / 16.0;
        return (Cell::Float64(f64::from(value)), Some(Cell::Float32(value)));
    }
    match draws.below(8) {
        0 => (Cell::Float64(f64::NAN), Some(Cell::Float32(f32::NAN))),
        1 => (Cell::Float64(f64::INFINITY), Some(Cell::Float32(f32::INFINITY))),
        2 => (Cell::Float64(1e39), None),
        _ => {
            // A little beside a single: nearer to it than to any other.
            let value = draws.between(1, 1_000_000) as f32;
            let new = (loss != "fail").then_some(Cell::Float32(value));
            (Cell::Float64(f64::from(value) * (1.0 + 1.0 / f64::from(1_u32 << 30))), new)
        }
    }
}

/// A whole number and quarters: what becomes of them under a policy for losses.
fn quarters(draws: &mut Draws, loss: &str, most: i64) -> (i64, i64, Option<i64>) {
    let whole = draws.between(0, most);
    let quarters = if draws.chance(50) { 0 } else { draws.between(1, 3) };
    let sign = if draws.chance(30) { -1 } else { 1 };
    let kept = match (loss, quarters) {
        (_, 0) | ("truncate", _) | ("round", 1) => Some(whole * sign),
        ("round", _) => Some((whole + 1) * sign),
        _ => None,
    };
    (whole * sign, quarters * sign, kept)
}

fn float_to_integer(draws: &mut Draws, loss: &str) -> Drawn {
    match draws.below(60) {
        0 => (Cell::Float64(f64::NAN), None),
        1 => (Cell::Float64(f64::NEG_INFINITY), None),
        2 => (Cell::Float64(1e300), None),
        _ => {
            let (whole, quarters, kept) = quarters(draws, loss, 30_000);
            (Cell::Float64(whole as f64 + quarters as f64 / 4.0), kept.map(|kept| Cell::Int(kept.into())))
        }
    }
}

/// Tenths: 0.25 is 0.2 truncated and 0.3 rounded, 0.75 is 0.7 and 0.8, 0.5 stays.
fn float_to_decimal(draws: &mut Draws, loss: &str) -> Drawn {
    match draws.below(60) {
        0 => (Cell::Float64(f64::NAN), None),
        1 => (Cell::Float64(f64::INFINITY), None),
        2 => (Cell::Float64(1e15), None),
        _ => {
            let whole = i128::from(draws.between(0, 1_000_000));
            let quarters = draws.below(4);
            let tenths = match (quarters, loss) {
                (0, _) => Some(0),
                (2, _) => Some(5),
                (1, "truncate") => Some(2),
                (1, "round") => Some(3),
                (3, "truncate") => Some(7),
                (3, "round") => Some(8),
                _ => None,
            };
            let sign = if draws.chance(30) { -1 } else { 1 };
            let old = (whole as f64 + quarters as f64 / 4.0) * f64::from(sign);
            (Cell::Float64(old), tenths.map(|tenths| Cell::Decimal((whole * 10 + tenths) * i128::from(sign))))
        }
    }
}

/// Cents, and ten-thousandths below them.
fn decimal_to_shorter(draws: &mut Draws, loss: &str) -> Drawn {
    let cents: i128 = draws.between(0, 99_999_999).into();
    let below = if draws.chance(50) { 0 } else { i128::from(draws.between(1, 99)) };
    let sign = if draws.chance(30) { -1 } else { 1 };
    let kept = match loss {
        _ if below == 0 => Some(cents),
        "truncate" => Some(cents),
        "round" => Some(cents + i128::from(below >= 50)),
        _ => None,
    };
    // Rounding must not leave the range: the largest drawn is one short of it.
    let cents_old = cents.min(99_999_998);
    let kept = kept.map(|kept| kept - (cents - cents_old));
    (Cell::Decimal(sign * (cents_old * 100 + below)), kept.map(|kept| Cell::Decimal(sign * kept)))
}

fn decimal_to_float(draws: &mut Draws, scale: u8) -> Drawn {
    let unscaled = draws.between(-9_999_999_999, 9_999_999_999).into();
    // The double nearest to the text is the double nearest to the number.
    let new = decimal_text(unscaled, scale).parse().map(Cell::Float64).ok();
    (Cell::Decimal(unscaled), new)
}

fn decimal_to_integer(draws: &mut Draws, loss: &str) -> Drawn {
    let (whole, quarters, kept) = quarters(draws, loss, 10_000_000);
    (Cell::Decimal(i128::from(whole) * 10_000 + i128::from(quarters) * 2_500), kept.map(|kept| Cell::Int(kept.into())))
}
