//! `exp`. e to the power of it.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "exp",
    form: Form::Call,
    arity: (1, 1),
    signature: "exp(float64) → float64",
    semantics: "e to the power of it.",
    check: |args| {
        (0..args.list.len()).try_for_each(|at| args.float(at))?;
        Ok(DataType::Float64)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| match values {
        [Value::Float64(value)] => Ok(Value::Float64(value.exp())),
        _ => Err(WRONG),
    },
    duckdb: |_, _, sql| format!("exp({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn exp_means() {
        check("exp(0)", "1.0");
        check("exp(1000)", "inf");
    }
}
