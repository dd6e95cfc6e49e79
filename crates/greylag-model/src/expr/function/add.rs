//! `+`. Sum; overflow is a row error. Decimals give `decimal(p,s)` with the larger scale and one more whole digit than the larger operand, at most 38 digits. A date and an integer give the date so many days later.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "+",
    form: Form::Infix,
    arity: (2, 2),
    signature: "number + number → number; date + integer → date",
    semantics: "Sum; overflow is a row error. Decimals give `decimal(p,s)` with the larger scale and one more whole digit than the larger operand, at most 38 digits. A date and an integer give the date so many days later.",
    check: |args| {
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
        [Value::Date(days), Value::Int(more)] => shift_days(*days, *more),
        [Value::Int(left), Value::Int(right)] => int64(left + right),
        [Value::Float64(left), Value::Float64(right)] => Ok(Value::Float64(left + right)),
        [left, right] => {
            let (left, right, scale) = aligned(left, right)?;
            decimal(left.checked_add(right), scale, site.data_type)
        }
        _ => Err(WRONG),
    },
    duckdb: |site, duck, sql| {
        if *site.data_type == DataType::Date {
            return format!("({} + CAST({} AS INTEGER))", sql[0], sql[1]);
        }
        duck.sum(site, sql, '+')
    },
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn add_means() {
        check("1 + 2", "3");
        check("9223372036854775807 + 1", "error: number is out of range");
        check("1.05 + 1", "2.05");
        check("99.9 + 0.1", "100.0");
        check("1e0 + NULL", "null");
        check("CAST('inf' AS float64) + CAST('-inf' AS float64)", "nan");
        check("DATE '2024-02-28' + 2", "2024-03-01");
        check("99999999999999999999999999999999999999 + 1", "error: number is out of range");
    }
}
