//! `starts_with`. Whether the first text begins with the second.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "starts_with",
    form: Form::Call,
    arity: (2, 2),
    signature: "starts_with(string, string) → boolean",
    semantics: "Whether the first text begins with the second.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::Boolean)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| Ok(Value::Boolean(text(values, 0)?.starts_with(text(values, 1)?))),
    duckdb: |_, _, sql| format!("starts_with({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn starts_with_means() {
        check("starts_with('hello', 'he')", "true");
        check("starts_with('hello', '')", "true");
    }
}
