//! `-`. Difference, typed as a sum. A date less an integer is the date so many days earlier; a date less a date is the number of days between.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "-",
    form: Form::Infix,
    arity: (2, 2),
    signature: "number - number → number; date - integer → date; date - date → int64",
    semantics: "Difference, typed as a sum. A date less an integer is the date so many days earlier; a date less a date is the number of days between.",
    check: |args| {
        if args.list[0].data_type == DataType::Date && args.list[1].data_type == DataType::Date {
            return Ok(DataType::Int64);
        }
        if args.days_and_integer()? {
            return Ok(DataType::Date);
        }
        Ok(match args.arithmetic()? {
            Arithmetic::Decimal(left, right) => sum_type(left, right),
            other => other.data_type(),
        })
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::UnlessFloat,
    eval: |site, values| match values {
        [Value::Date(later), Value::Date(earlier)] => Ok(Value::Int(i128::from(*later) - i128::from(*earlier))),
        [Value::Date(days), Value::Int(less)] => shift_days(*days, -less),
        [Value::Int(left), Value::Int(right)] => int64(left - right),
        [Value::Float64(left), Value::Float64(right)] => Ok(Value::Float64(left - right)),
        [left, right] => {
            let (left, right, scale) = aligned(left, right)?;
            decimal(left.checked_sub(right), scale, site.data_type)
        }
        _ => Err(WRONG),
    },
    duckdb: |site, duck, sql| {
        if *site.data_type == DataType::Date {
            return format!("({} - CAST({} AS INTEGER))", sql[0], sql[1]);
        }
        duck.sum(site, sql, '-')
    },
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn subtract_means() {
        check("1 - 2", "-1");
        check("-9223372036854775808 - 1", "error: number is out of range");
        check("1.05 - 1", "0.05");
        check("DATE '2024-03-01' - 1", "2024-02-29");
        check("DATE '2024-03-01' - DATE '2023-03-01'", "366");
    }
}
