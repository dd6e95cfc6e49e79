//! `length`. The number of characters (code points).

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "length",
    form: Form::Call,
    arity: (1, 1),
    signature: "length(string) → int64",
    semantics: "The number of characters (code points).",
    check: |args| {
        args.expect(0, &DataType::String)?;
        Ok(DataType::Int64)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| Ok(Value::Int(text(values, 0)?.chars().count() as i128)),
    duckdb: |_, _, sql| format!("length({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn length_means() {
        check("length('hällo')", "5");
        check("length('')", "0");
    }
}
