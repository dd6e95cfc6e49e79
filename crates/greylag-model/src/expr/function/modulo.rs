//! `%`. Rest of a division cut towards zero; it has the sign of the first operand. A zero divisor is a row error for integers and decimals, NaN for floats.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "%",
    form: Form::Infix,
    arity: (2, 2),
    signature: "number % number → number",
    semantics: "Rest of a division cut towards zero; it has the sign of the first operand. A zero divisor is a row error for integers and decimals, NaN for floats.",
    check: |args| Ok(match args.arithmetic()? {
        Arithmetic::Decimal(left, right) => common_decimal(left, right),
        other => other.data_type(),
    }),
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::UnlessFloat,
    eval: |site, values| match values {
        [_, Value::Int(0) | Value::Decimal(0, _)] => Err(BY_ZERO),
        [Value::Int(left), Value::Int(right)] => int64(left % right),
        [Value::Float64(left), Value::Float64(right)] => Ok(Value::Float64(left % right)),
        [left, right] => {
            let (left, right, scale) = aligned(left, right)?;
            decimal(left.checked_rem(right), scale, site.data_type)
        }
        _ => Err(WRONG),
    },
    duckdb: |site, duck, sql| match site.args[0].data_type {
        // DuckDB's rest of a negative zero has lost its sign.
        DataType::Float64 => duck.once(&site.args[0], &sql[0], |_, left| {
            let rest = format!("{left} % {}", sql[1]);
            format!("(CASE WHEN {rest} = 0 AND signbit({left}) THEN CAST('-0.0' AS DOUBLE) ELSE {rest} END)")
        }),
        DataType::Decimal { .. } => {
            let to = duck.data_type(site.data_type);
            duck.once(&site.args[1], &sql[1], |duck, divisor| {
                let error = duck.error("division by zero");
                let given = duck.given(&site.args[..1], &sql[..1]);
                let null = format!("WHEN {} IS NULL OR {divisor} IS NULL THEN NULL", sql[0]);
                format!("(CASE {null} WHEN {divisor} = 0{given} THEN {error} ELSE CAST({} AS {to}) % CAST({divisor} AS {to}) END)", sql[0])
            })
        }
        _ => duck.once(&site.args[1], &sql[1], |duck, divisor| {
            let error = duck.error("division by zero");
            let given = duck.given(&site.args[..1], &sql[..1]);
            format!("(CASE WHEN {divisor} = 0{given} THEN {error} WHEN {divisor} = -1 THEN {} * 0 ELSE {} % {divisor} END)", sql[0], sql[0])
        }),
    },
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn modulo_means() {
        check("7 % 3", "1");
        check("-7 % 3", "-1");
        check("7 % 0", "error: division by zero");
        check("-9223372036854775808 % -1", "0");
        check("7.5 % 2", "1.5");
        check("7.5 % 0.0", "error: division by zero");
        check("-7.5e0 % 2", "-1.5");
        check("1e0 % 0", "nan");
    }
}
