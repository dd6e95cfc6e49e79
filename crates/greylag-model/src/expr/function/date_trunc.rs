//! `date_trunc`. The start of the `year`, `quarter`, `month`, `week` (Monday), `day`, `hour`, `minute` or `second`, on the wall clock of the type's zone.

use super::prelude::*;
use crate::cast::calendar::{civil_from_days, days_from_civil, iso_weekday};

pub(super) const SPEC: Spec = Spec {
    name: "date_trunc",
    form: Form::Call,
    arity: (2, 2),
    signature: "date_trunc(unit literal, date or timestamp) → same",
    semantics: "The start of the `year`, `quarter`, `month`, `week` (Monday), `day`, `hour`, `minute` or `second`, on the wall clock of the type's zone.",
    check: |args| {
        let unit = args.literal_text(0)?.to_ascii_lowercase();
        args.list[0] = TypedExpr::text(&unit);
        let of_day = ["hour", "minute", "second"].contains(&unit.as_str());
        if !of_day && !["year", "quarter", "month", "week", "day"].contains(&unit.as_str()) {
            return Err(args.error(0, &format!("`{unit}` is not a unit")));
        }
        match &args.list[1].data_type {
            DataType::Date if !of_day => Ok(DataType::Date),
            DataType::Timestamp { unit, zone: None } => Ok(DataType::Timestamp { unit: *unit, zone: None }),
            _ => Err(args.error(1, "this has no such unit")),
        }
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Always,
    eval: |site, values| {
        let unit = text(values, 0)?;
        match (&values[1], &site.args[1].data_type) {
            (Value::Date(days), _) => {
                let days = start_of(unit, i64::from(*days));
                i32::try_from(days).map(Value::Date).map_err(|_| RANGE)
            }
            (Value::Timestamp(value), DataType::Timestamp { unit: resolution, .. }) => {
                let second = resolution.per_second();
                let floor = |size: i64| Some(value.div_euclid(size) * size);
                let start = match unit {
                    "second" => floor(second),
                    "minute" => floor(second * 60),
                    "hour" => floor(second * 3_600),
                    _ => start_of(unit, value.div_euclid(second * 86_400)).checked_mul(second * 86_400),
                };
                start.map(Value::Timestamp).ok_or(RANGE)
            }
            _ => Err(WRONG),
        }
    },
    duckdb: |site, duck, sql| {
        let value = duck.micros(&sql[1], &site.args[1]);
        format!("CAST(date_trunc({}, {value}) AS {})", sql[0], duck.data_type(site.data_type))
    },
};

/// The first day of the unit that a day is in.
fn start_of(unit: &str, days: i64) -> i64 {
    let (year, month, _) = civil_from_days(days);
    match unit {
        "year" => days_from_civil(year, 1, 1),
        "quarter" => days_from_civil(year, (month - 1) / 3 * 3 + 1, 1),
        "month" => days_from_civil(year, month, 1),
        "week" => days - iso_weekday(days) + 1,
        _ => days,
    }
}

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn date_trunc_means() {
        check("date_trunc('week', DATE '2024-02-28')", "2024-02-26");
        check("date_trunc('quarter', DATE '2024-05-28')", "2024-04-01");
        check("date_trunc('hour', TIMESTAMP '1969-12-31 23:59:59')", "1969-12-31 23:00:00");
        check("date_trunc('day', CAST('2024-03-31 12:00:00Z' AS timestamp(s, Europe/Berlin)))", "2024-03-30 23:00:00Z");
        check("date_trunc('YEAR', TIMESTAMP '2024-03-31 01:00:00.5')", "2024-01-01 00:00:00");
    }
}
