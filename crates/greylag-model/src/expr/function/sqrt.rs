//! `sqrt`. The square root; NaN below zero.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "sqrt",
    form: Form::Call,
    arity: (1, 1),
    signature: "sqrt(float64) → float64",
    semantics: "The square root; NaN below zero.",
    check: |args| {
        (0..args.list.len()).try_for_each(|at| args.float(at))?;
        Ok(DataType::Float64)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| match values {
        [Value::Float64(value)] => Ok(Value::Float64(value.sqrt())),
        _ => Err(WRONG),
    },
    duckdb: |_, _, sql| format!("sqrt({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn sqrt_means() {
        check("sqrt(9)", "3.0");
        check("sqrt(-1)", "nan");
    }
}
