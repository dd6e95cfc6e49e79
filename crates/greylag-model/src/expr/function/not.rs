//! `NOT`. Negation; null stays null.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "NOT",
    form: Form::Prefix,
    arity: (1, 1),
    signature: "NOT boolean → boolean",
    semantics: "Negation; null stays null.",
    check: |args| {
        args.expect(0, &DataType::Boolean)?;
        Ok(DataType::Boolean)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| match values {
        [Value::Boolean(value)] => Ok(Value::Boolean(!value)),
        _ => Err(WRONG),
    },
    duckdb: |_, _, sql| format!("(NOT {})", sql[0]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn not_means() {
        check("NOT true", "false");
        check("NOT NULL", "null");
        check("1 NOT IN (1, 2)", "false");
        check("'a' NOT LIKE 'b%'", "true");
    }
}
