//! `-`. The number with its sign changed; overflow is a row error.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "-",
    form: Form::Prefix,
    arity: (1, 1),
    signature: "- number → number",
    semantics: "The number with its sign changed; overflow is a row error.",
    check: |args| {
        args.number(0)?;
        Ok(args.list[0].data_type.clone())
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::UnlessFloat,
    eval: |_, values| match values {
        [Value::Int(value)] => int64(-value),
        [Value::Float64(value)] => Ok(Value::Float64(-value)),
        [Value::Decimal(value, scale)] => Ok(Value::Decimal(-value, *scale)),
        _ => Err(WRONG),
    },
    duckdb: |site, duck, sql| format!("CAST((- {}) AS {})", sql[0], duck.data_type(site.data_type)),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn negate_means() {
        check("- (1 + 1)", "-2");
        check("- (1.5)", "-1.5");
        check("- (CAST(-9223372036854775808 AS int64))", "error: number is out of range");
        check("- (0e0)", "-0.0");
    }
}
