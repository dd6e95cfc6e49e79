//! `make_date`. The day of a year from 1 to 9999; a day that does not exist is a row error.

use super::prelude::*;
use crate::cast::calendar::{days_from_civil, days_in_month};

pub(super) const SPEC: Spec = Spec {
    name: "make_date",
    form: Form::Call,
    arity: (3, 3),
    signature: "make_date(year int64, month int64, day int64) → date",
    semantics: "The day of a year from 1 to 9999; a day that does not exist is a row error.",
    check: |args| {
        (0..3).try_for_each(|at| args.integer(at))?;
        Ok(DataType::Date)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Always,
    eval: |_, values| {
        let part = |at| integer(values, at).map(|value| i64::try_from(value).unwrap_or(0));
        let (year, month, day) = (part(0)?, part(1)?, part(2)?);
        let exists = (1..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1;
        if !exists || day > days_in_month(year, month) {
            return Err(RowError::new(NO_DAY));
        }
        Ok(Value::Date(days_from_civil(year, month, day) as i32))
    },
    duckdb: |site, duck, sql| {
        let given = duck.given(&site.args[1..], &sql[1..]);
        let error = duck.error(NO_DAY);
        format!("(CASE WHEN {} NOT BETWEEN 1 AND 9999{given} THEN {error} ELSE make_date({}) END)", sql[0], sql.join(", "))
    },
};

const NO_DAY: &str = "there is no such day";

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn make_date_means() {
        check("make_date(2024, 2, 29)", "2024-02-29");
        check("make_date(2023, 2, 29)", "error: there is no such day");
        check("make_date(0, 1, 1)", "error: there is no such day");
    }
}
