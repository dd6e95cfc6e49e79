//! `power`. The first to the power of the second, as C's `pow`.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "power",
    form: Form::Call,
    arity: (2, 2),
    signature: "power(float64, float64) → float64",
    semantics: "The first to the power of the second, as C's `pow`.",
    check: |args| {
        (0..args.list.len()).try_for_each(|at| args.float(at))?;
        Ok(DataType::Float64)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| match values {
        [Value::Float64(base), Value::Float64(exponent)] => Ok(Value::Float64(base.powf(*exponent))),
        _ => Err(WRONG),
    },
    duckdb: |_, _, sql| format!("power({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn power_means() {
        check("power(2, 10)", "1024.0");
        check("power(0, -1)", "inf");
        check("power(-8, 0.5)", "nan");
    }
}
