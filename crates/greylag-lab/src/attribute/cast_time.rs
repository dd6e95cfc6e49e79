//! Days, times of day and timestamps of each unit, with and without zone.

use super::cast::{Case, LOSSES};
use crate::cell::{Cell, per_second};
use crate::draws::Draws;
use crate::values::{instant, stamp};
use greylag_model::types::DataType::{Date, Time};
use greylag_model::types::TimeUnit::{self, Ms, Ns, S, Us};

type Drawn = (Cell, Option<Cell>);

pub(super) fn cases(flat: bool) -> Vec<Case> {
    let mut cases = vec![
        Case::exact(stamp(Ns, None), stamp(Us, None), |draws, loss| coarser(draws, loss, Us, 1_000)).loses(LOSSES),
        Case::exact(stamp(Us, Some("UTC")), stamp(Ms, Some("UTC")), |draws, loss| coarser(draws, loss, Ms, 1_000))
            .loses(LOSSES),
        Case::exact(stamp(Ms, None), stamp(S, None), |draws, loss| coarser(draws, loss, S, 1_000)).loses(LOSSES),
        Case::exact(stamp(Ns, Some("UTC")), stamp(S, Some("UTC")), |draws, loss| {
            coarser(draws, loss, S, 1_000_000_000)
        })
        .loses(LOSSES),
        Case::exact(stamp(S, None), stamp(Us, None), |draws, _| {
            let seconds = instant(draws, S);
            (Cell::Ticks(seconds), Some(Cell::Ticks(seconds * 1_000_000)))
        }),
        Case::exact(stamp(Ms, Some("UTC")), stamp(Us, Some("UTC")), |draws, _| {
            let millis = instant(draws, Ms);
            (Cell::Ticks(millis), Some(Cell::Ticks(millis * 1_000)))
        }),
        Case::exact(stamp(Ms, None), stamp(Ns, None), |draws, _| {
            // Nanoseconds end in the year 2262.
            if draws.chance(3) {
                return (Cell::Ticks(16_725_225_600_000), None);
            }
            let millis = instant(draws, Ms);
            (Cell::Ticks(millis), Some(Cell::Ticks(millis * 1_000_000)))
        })
        .misfits(),
        Case::exact(stamp(Us, None), Date, |draws, loss| {
            let day = draws.between(-20_000, 40_000);
            let of_day = if draws.chance(40) { 0 } else { draws.between(1, 86_399_999_999) };
            let new = (of_day == 0 || loss != "fail").then_some(Cell::Date(day as i32));
            (Cell::Ticks(day * 86_400_000_000 + of_day), new)
        })
        .loses(&["truncate", "fail"]),
        Case::exact(Date, stamp(Us, None), |draws, _| {
            let day = crate::values::day(draws);
            (Cell::Date(day), Some(Cell::Ticks(i64::from(day) * 86_400_000_000)))
        }),
        Case::exact(Time(S), Time(Us), |draws, _| {
            let seconds = draws.between(0, 86_399);
            (Cell::Ticks(seconds), Some(Cell::Ticks(seconds * 1_000_000)))
        }),
        Case::exact(Time(Ns), Time(Ms), |draws, loss| {
            let (nanos, millis) = rounded(draws, 80_000_000, 1_000_000, loss);
            (Cell::Ticks(nanos), millis.map(Cell::Ticks))
        })
        .loses(LOSSES),
    ];
    if !flat {
        // Another zone is another way to show the same instant.
        cases.push(Case::exact(stamp(Ms, Some("Europe/Berlin")), stamp(Us, Some("UTC")), |draws, _| {
            let millis = instant(draws, Ms);
            (Cell::Ticks(millis), Some(Cell::Ticks(millis * 1_000)))
        }));
        cases.push(Case::exact(stamp(Us, Some("UTC")), stamp(Us, Some("Asia/Tokyo")), |draws, _| {
            let cell = Cell::Ticks(instant(draws, Us));
            (cell.clone(), Some(cell))
        }));
    }
    cases
}

/// Ticks of a fine unit and what becomes of them in a unit `times` as coarse: truncated towards the past, rounded to the
/// nearest.
fn coarser(draws: &mut Draws, loss: &str, to: TimeUnit, times: i64) -> Drawn {
    let seconds = draws.between(-1_000_000_000, 1_893_456_000);
    let coarse = seconds * per_second(to) + draws.between(0, per_second(to) - 1);
    let rest = if draws.chance(40) { 0 } else { draws.between(1, times - 1) };
    let new = match loss {
        _ if rest == 0 => Some(coarse),
        "truncate" => Some(coarse),
        // Half-way is away from the epoch.
        "round" if rest * 2 == times => Some(coarse + i64::from(coarse >= 0)),
        "round" => Some(coarse + i64::from(rest * 2 > times)),
        _ => None,
    };
    (Cell::Ticks(coarse * times + rest), new.map(Cell::Ticks))
}

fn rounded(draws: &mut Draws, most: i64, times: i64, loss: &str) -> (i64, Option<i64>) {
    let coarse = draws.between(0, most);
    let rest = if draws.chance(40) { 0 } else { draws.between(1, times - 1) };
    let new = match loss {
        _ if rest == 0 => Some(coarse),
        "truncate" => Some(coarse),
        "round" => Some(coarse + i64::from(rest * 2 >= times)),
        _ => None,
    };
    (coarse * times + rest, new)
}
