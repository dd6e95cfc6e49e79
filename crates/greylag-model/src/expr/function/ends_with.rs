//! `ends_with`. Whether the first text ends with the second.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "ends_with",
    form: Form::Call,
    arity: (2, 2),
    signature: "ends_with(string, string) → boolean",
    semantics: "Whether the first text ends with the second.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::Boolean)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| Ok(Value::Boolean(text(values, 0)?.ends_with(text(values, 1)?))),
    duckdb: |_, _, sql| format!("ends_with({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn ends_with_means() {
        check("ends_with('hello', 'lo')", "true");
        check("ends_with('a', 'ba')", "false");
    }
}
