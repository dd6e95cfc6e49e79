//! `contains`. Whether the second text occurs in the first.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "contains",
    form: Form::Call,
    arity: (2, 2),
    signature: "contains(string, string) → boolean",
    semantics: "Whether the second text occurs in the first.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::Boolean)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| Ok(Value::Boolean(text(values, 0)?.contains(text(values, 1)?))),
    duckdb: |_, _, sql| format!("contains({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn contains_means() {
        check("contains('hello', 'ell')", "true");
        check("contains('hello', 'x')", "false");
        check("contains('', '')", "true");
    }
}
