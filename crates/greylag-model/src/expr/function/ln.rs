//! `ln`. The natural logarithm; -inf of zero, NaN below.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "ln",
    form: Form::Call,
    arity: (1, 1),
    signature: "ln(float64) → float64",
    semantics: "The natural logarithm; -inf of zero, NaN below.",
    check: |args| {
        (0..args.list.len()).try_for_each(|at| args.float(at))?;
        Ok(DataType::Float64)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| match values {
        [Value::Float64(value)] => Ok(Value::Float64(value.ln())),
        _ => Err(WRONG),
    },
    duckdb: |_, _, sql| format!("ln({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn ln_means() {
        check("ln(1)", "0.0");
        check("ln(0)", "-inf");
        check("ln(-1)", "nan");
    }
}
