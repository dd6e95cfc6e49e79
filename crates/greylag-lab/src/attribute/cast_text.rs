//! Text to other types and back, and what lies inside lists, structs and maps.

use super::cast::Case;
use crate::cell::{Cell, date_text, per_second};
use crate::draws::Draws;
use crate::values::{Letters, day, decimal, instant, integer, stamp, value};
use greylag_model::types::DataType::{self, Binary, Boolean, Date, Float64, Int32, Int64, List, Map, String, Struct};
use greylag_model::types::TimeUnit;

type Drawn = (Cell, Option<Cell>);

pub(super) fn cases(flat: bool) -> Vec<Case> {
    let mut cases = vec![
        Case::exact(String, Int32, |draws, _| read(draws, &Int32, &["n/a", "12abc", "--3", "2147483648", "1.5"]))
            .misfits(),
        Case::exact(String, Int64, |draws, _| read(draws, &Int64, &["unknown", "9223372036854775808", "0x10"]))
            .misfits(),
        Case::exact(String, Date, |draws, _| read(draws, &Date, &["2023-02-30", "soon", "31/12/2024"])).misfits(),
        Case::exact(String, Boolean, |draws, _| read(draws, &Boolean, &["maybe", "2", "tru"])).misfits(),
        Case::exact(String, decimal(10, 2), |draws, _| {
            read(draws, &decimal(10, 2), &["12,50", "free", "123456789.00"])
        })
        .misfits(),
        Case::exact(String, stamp(TimeUnit::Us, None), |draws, _| {
            read(draws, &stamp(TimeUnit::Us, None), &["yesterday", "2024-13-01T00:00:00"])
        })
        .misfits(),
        Case::exact(Int64, String, |draws, _| write(draws, &Int64)),
        Case::exact(Boolean, String, |draws, _| write(draws, &Boolean)),
        Case::exact(Date, String, |draws, _| write(draws, &Date)),
        Case::exact(decimal(9, 2), String, |draws, _| write(draws, &decimal(9, 2))),
        Case::exact(Float64, String, |draws, _| {
            let (float, text) = *[(1.5, "1.5"), (-0.25, "-0.25"), (3.0, "3.0"), (1e16, "1e+16"), (0.00001, "1e-05")]
                .get(draws.below(8))
                .unwrap_or(&(f64::NAN, "nan"));
            (Cell::Float64(float), Some(Cell::text(text)))
        }),
        Case::exact(stamp(TimeUnit::Ms, None), String, |draws, _| instant_text(draws, TimeUnit::Ms, "")),
        Case::exact(stamp(TimeUnit::Us, Some("UTC")), String, |draws, _| instant_text(draws, TimeUnit::Us, "Z")),
    ];
    if !flat {
        cases.extend(nested());
    }
    cases
}

fn nested() -> Vec<Case> {
    let fields = |number: DataType| Struct(vec![("n".to_owned(), number), ("t".to_owned(), String)]);
    vec![
        Case::exact(String, Binary, |draws, _| {
            let text = crate::values::text(draws, Letters::Any);
            let bytes = text.clone().into_bytes();
            (Cell::Text(text), Some(Cell::Bytes(bytes)))
        }),
        Case::exact(Binary, String, |draws, _| {
            let text = crate::values::text(draws, Letters::Any);
            if draws.chance(4) {
                (Cell::Bytes(vec![0xff, 0xfe, b'a']), None)
            } else {
                (Cell::Bytes(text.clone().into_bytes()), Some(Cell::Text(text)))
            }
        })
        .misfits(),
        Case::exact(List(Box::new(Int32)), List(Box::new(Int64)), |draws, _| both(draws, &List(Box::new(Int32)))),
        Case::exact(fields(Int32), fields(Int64), |draws, _| {
            let item = integer(draws, &Int32);
            let cell = Cell::Items(vec![Cell::Int(item), Cell::Text(crate::values::word(draws))]);
            (cell.clone(), Some(cell))
        }),
        Case::exact(Map(Box::new(String), Box::new(Int32)), Map(Box::new(String), Box::new(Int64)), |draws, _| {
            both(draws, &Map(Box::new(String), Box::new(Int32)))
        }),
    ]
}

/// The same cell in both: the types differ only in how wide their integers are.
fn both(draws: &mut Draws, from: &DataType) -> Drawn {
    let cell = value(draws, from, Letters::Any);
    (cell.clone(), Some(cell))
}

/// A value's text, or something that is no such text.
fn read(draws: &mut Draws, to: &DataType, malformed: &[&str]) -> Drawn {
    if draws.chance(4) {
        return (Cell::text(draws.pick(malformed)), None);
    }
    let cell = match to {
        DataType::Decimal { .. } => Cell::Decimal(draws.between(-9_999_999_999, 9_999_999_999).into()),
        DataType::Timestamp { unit, .. } => Cell::Ticks(instant(draws, *unit)),
        Date => Cell::Date(day(draws)),
        Boolean => Cell::Bool(draws.chance(50)),
        _ => Cell::Int(integer(draws, to)),
    };
    (cell.to_text(to).map_or(Cell::Null, Cell::Text), Some(cell))
}

/// An instant and its text: a space between day and time, no trailing zeros.
fn instant_text(draws: &mut Draws, unit: TimeUnit, zone: &str) -> Drawn {
    let day = draws.between(-20_000, 40_000);
    let second = draws.between(0, 86_399);
    let hundredths = if draws.chance(40) { 0 } else { draws.between(1, 9) };
    let fraction = if hundredths == 0 { std::string::String::new() } else { format!(".0{hundredths}") };
    let clock = format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
    let text = format!("{} {clock}{fraction}{zone}", date_text(day));
    let per_second = per_second(unit);
    let ticks = (day * 86_400 + second) * per_second + hundredths * per_second / 100;
    (Cell::Ticks(ticks), Some(Cell::Text(text)))
}

fn write(draws: &mut Draws, from: &DataType) -> Drawn {
    let cell = value(draws, from, Letters::Any);
    let text = cell.to_text(from).map_or(Cell::Null, Cell::Text);
    (cell, Some(text))
}
