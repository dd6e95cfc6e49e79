//! `sign`. -1, 0 or 1; 0 for NaN and both zeros.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "sign",
    form: Form::Call,
    arity: (1, 1),
    signature: "sign(number) → int64",
    semantics: "-1, 0 or 1; 0 for NaN and both zeros.",
    check: |args| {
        args.number(0)?;
        Ok(DataType::Int64)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| match values {
        [Value::Int(value) | Value::Decimal(value, _)] => Ok(Value::Int(value.signum())),
        [Value::Float64(value)] => Ok(Value::Int(i128::from(*value > 0.0) - i128::from(*value < 0.0))),
        _ => Err(WRONG),
    },
    duckdb: |_, _, sql| format!("CAST(sign({}) AS BIGINT)", sql[0]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn sign_means() {
        check("sign(-3)", "-1");
        check("sign(0.0)", "0");
        check("sign(CAST('nan' AS float64))", "0");
        check("sign(2.5e0)", "1");
    }
}
