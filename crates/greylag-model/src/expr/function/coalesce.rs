//! `coalesce`. The first argument that is not null; arguments behind it are not evaluated.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "coalesce",
    form: Form::Call,
    arity: (1, usize::MAX),
    signature: "coalesce(any, same, …) → same",
    semantics: "The first argument that is not null; arguments behind it are not evaluated.",
    check: |args| args.unify(),
    nullable: Nullable::IfAll,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| Ok(values.iter().find(|value| !value.is_null()).cloned().unwrap_or(Value::Null)),
    duckdb: |_, _, sql| format!("coalesce({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn coalesce_means() {
        check("coalesce(NULL, 1, 2)", "1");
        check("coalesce(1, 1 / 0)", "1");
        check("coalesce(NULL, 1 / 0)", "error: division by zero");
        check("coalesce(CAST(NULL AS int8), NULL)", "null");
    }
}
