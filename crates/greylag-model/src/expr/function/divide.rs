//! `/`. Quotient. Integers are divided as integers, cut towards zero; decimals give float64. Division by zero is a row error for integers and decimals; floats follow IEEE 754.

use super::prelude::*;
use crate::cast::decimal_to_float;

pub(super) const SPEC: Spec = Spec {
    name: "/",
    form: Form::Infix,
    arity: (2, 2),
    signature: "number / number → int64 or float64",
    semantics: "Quotient. Integers are divided as integers, cut towards zero; decimals give float64. Division by zero is a row error for integers and decimals; floats follow IEEE 754.",
    check: |args| Ok(match args.arithmetic()? {
        Arithmetic::Decimal(..) => DataType::Float64,
        other => other.data_type(),
    }),
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::UnlessFloat,
    eval: |_, values| match values {
        [_, Value::Int(0) | Value::Decimal(0, _)] => Err(BY_ZERO),
        [Value::Int(left), Value::Int(right)] => int64(left / right),
        [Value::Float64(left), Value::Float64(right)] => Ok(Value::Float64(left / right)),
        [Value::Decimal(left, scale), Value::Decimal(right, more)] => {
            Ok(Value::Float64(decimal_to_float(*left, *scale) / decimal_to_float(*right, *more)))
        }
        _ => Err(WRONG),
    },
    duckdb: |site, duck, sql| match site.args[0].data_type {
        DataType::Float64 => format!("({} / {})", sql[0], sql[1]),
        DataType::Decimal { .. } => duck.once(&site.args[1], &sql[1], |duck, divisor| {
            let given = duck.given(&site.args[..1], &sql[..1]);
            let left = duck.decimal_to_double(&sql[0], &site.args[0].data_type);
            let right = duck.decimal_to_double(divisor, &site.args[1].data_type);
            format!("(CASE WHEN {divisor} = 0{given} THEN {} ELSE {left} / {right} END)", duck.error("division by zero"))
        }),
        _ => duck.once(&site.args[1], &sql[1], |duck, divisor| {
            let error = duck.error("division by zero");
            let given = duck.given(&site.args[..1], &sql[..1]);
            format!("(CASE WHEN {divisor} = 0{given} THEN {error} ELSE {} // {divisor} END)", sql[0])
        }),
    },
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn divide_means() {
        check("7 / 2", "3");
        check("-7 / 2", "-3");
        check("1 / 0", "error: division by zero");
        check("-9223372036854775808 / -1", "error: number is out of range");
        check("1.0 / 4", "0.25");
        check("1.0 / 0", "error: division by zero");
        check("1e0 / 0", "inf");
        check("0e0 / 0", "nan");
    }
}
