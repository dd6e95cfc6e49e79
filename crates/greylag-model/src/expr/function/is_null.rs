//! `IS NULL`. Whether it is null; never null.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "IS NULL",
    form: Form::Postfix,
    arity: (1, 1),
    signature: "any IS NULL → boolean",
    semantics: "Whether it is null; never null.",
    check: |args| {
        args.type_null(0, &DataType::Boolean);
        Ok(DataType::Boolean)
    },
    nullable: Nullable::Never,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| Ok(Value::Boolean(values[0].is_null())),
    duckdb: |_, _, sql| format!("({} IS NULL)", sql[0]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn is_null_means() {
        check("1 IS NULL", "false");
        check("NULL IS NULL", "true");
    }
}
