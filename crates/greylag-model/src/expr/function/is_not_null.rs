//! `IS NOT NULL`. Whether it is not null; never null.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "IS NOT NULL",
    form: Form::Postfix,
    arity: (1, 1),
    signature: "any IS NOT NULL → boolean",
    semantics: "Whether it is not null; never null.",
    check: |args| {
        args.type_null(0, &DataType::Boolean);
        Ok(DataType::Boolean)
    },
    nullable: Nullable::Never,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| Ok(Value::Boolean(!values[0].is_null())),
    duckdb: |_, _, sql| format!("({} IS NOT NULL)", sql[0]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn is_not_null_means() {
        check("1 IS NOT NULL", "true");
        check("NULL IS NOT NULL", "false");
    }
}
