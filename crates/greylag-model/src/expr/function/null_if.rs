//! `nullif`. Null if both are equal, else the first.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "nullif",
    form: Form::Call,
    arity: (2, 2),
    signature: "nullif(any, same) → same",
    semantics: "Null if both are equal, else the first.",
    check: |args| {
        args.compare()?;
        Ok(args.list[0].data_type.clone())
    },
    nullable: Nullable::Always,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| match (&values[0], &values[1]) {
        (Value::Null, _) => Ok(Value::Null),
        (first, Value::Null) => Ok(first.clone()),
        (first, second) => Ok(if compare(first, second)?.is_eq() { Value::Null } else { first.clone() }),
    },
    duckdb: |_, _, sql| format!("nullif({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn null_if_means() {
        check("nullif(1, 1)", "null");
        check("nullif('a', 'b')", "a");
        check("nullif(1, NULL)", "1");
        check("nullif(NULL, 1)", "null");
    }
}
