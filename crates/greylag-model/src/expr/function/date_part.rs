//! `date_part`. `year`, `quarter`, `month`, `week` (ISO), `day`, `dow` (Sunday 0), `isodow` (Monday 1), `doy`, `hour`, `minute` or `second` (whole), on the wall clock of the type's zone.

use super::prelude::*;
use crate::cast::calendar::{civil_from_days, days_from_civil, iso_week, iso_weekday};

pub(super) const SPEC: Spec = Spec {
    name: "date_part",
    form: Form::Call,
    arity: (2, 2),
    signature: "date_part(part literal, date, time or timestamp) → int64; EXTRACT(part FROM x)",
    semantics: "`year`, `quarter`, `month`, `week` (ISO), `day`, `dow` (Sunday 0), `isodow` (Monday 1), `doy`, `hour`, `minute` or `second` (whole), on the wall clock of the type's zone.",
    check: |args| {
        let part = args.literal_text(0)?.to_ascii_lowercase();
        args.list[0] = TypedExpr::text(&part);
        let of_day = ["hour", "minute", "second"].contains(&part.as_str());
        let of_date = ["year", "quarter", "month", "week", "day", "dow", "isodow", "doy"].contains(&part.as_str());
        if !of_day && !of_date {
            return Err(args.error(0, &format!("`{part}` is not a part")));
        }
        match &args.list[1].data_type {
            DataType::Timestamp { .. } => Ok(DataType::Int64),
            DataType::Date if of_date => Ok(DataType::Int64),
            DataType::Time(_) if of_day => Ok(DataType::Int64),
            _ => Err(args.error(1, "this has no such part")),
        }
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |site, values| {
        let (days, seconds) = match (&values[1], &site.args[1].data_type) {
            (Value::Date(days), _) => (i64::from(*days), 0),
            (Value::Time(value), DataType::Time(unit)) => (0, value / unit.per_second()),
            (Value::Timestamp(value), DataType::Timestamp { unit, .. }) => {
                let seconds = value.div_euclid(unit.per_second());
                (seconds.div_euclid(86_400), seconds.rem_euclid(86_400))
            }
            _ => return Err(WRONG),
        };
        let (year, month, day) = civil_from_days(days);
        Ok(Value::Int(i128::from(match text(values, 0)? {
            "year" => year,
            "quarter" => (month - 1) / 3 + 1,
            "month" => month,
            "week" => iso_week(days),
            "day" => day,
            "dow" => iso_weekday(days) % 7,
            "isodow" => iso_weekday(days),
            "doy" => days - days_from_civil(year, 1, 1) + 1,
            "hour" => seconds / 3_600,
            "minute" => seconds / 60 % 60,
            _ => seconds % 60,
        })))
    },
    duckdb: |site, duck, sql| format!("date_part({}, {})", sql[0], duck.micros(&sql[1], &site.args[1])),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn date_part_means() {
        check("date_part('year', DATE '2024-02-29')", "2024");
        check("extract(week FROM DATE '2021-01-03')", "53");
        check("extract(dow FROM DATE '2024-12-29')", "0");
        check("extract(isodow FROM DATE '2024-12-29')", "7");
        check("extract(doy FROM DATE '2024-12-31')", "366");
        check("extract(second FROM TIMESTAMP '1969-12-31 23:59:58.9')", "58");
        check("extract(hour FROM CAST('2024-07-01 00:00:00Z' AS timestamp(s, Asia/Tokyo)))", "9");
        check("extract(quarter FROM DATE '2024-12-29')", "4");
        check("extract(minute FROM TIME '12:34:56')", "34");
    }
}
