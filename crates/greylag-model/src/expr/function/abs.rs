//! `abs`. The magnitude; overflow is a row error.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "abs",
    form: Form::Call,
    arity: (1, 1),
    signature: "abs(number) → number",
    semantics: "The magnitude; overflow is a row error.",
    check: |args| {
        args.number(0)?;
        Ok(args.list[0].data_type.clone())
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::UnlessFloat,
    eval: |_, values| match values {
        [Value::Int(value)] => int64(value.abs()),
        [Value::Float64(value)] => Ok(Value::Float64(value.abs())),
        [Value::Decimal(value, scale)] => Ok(Value::Decimal(value.abs(), *scale)),
        _ => Err(WRONG),
    },
    duckdb: |_, _, sql| format!("abs({})", sql[0]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn abs_means() {
        check("abs(-3)", "3");
        check("abs(-1.50)", "1.50");
        check("abs(-0e0)", "0.0");
        check("abs(-9223372036854775808)", "error: number is out of range");
    }
}
