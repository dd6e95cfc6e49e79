//! `IS NOT DISTINCT FROM`. Whether they are equal, null being a value like any other; never null.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "IS NOT DISTINCT FROM",
    form: Form::Infix,
    arity: (2, 2),
    signature: "any IS NOT DISTINCT FROM same → boolean",
    semantics: "Whether they are equal, null being a value like any other; never null.",
    check: |args| args.compare(),
    nullable: Nullable::Never,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| {
        let equal = match (values[0].is_null(), values[1].is_null()) {
            (false, false) => compare(&values[0], &values[1])?.is_eq(),
            (left, right) => left == right,
        };
        Ok(Value::Boolean(equal))
    },
    duckdb: |_, _, sql| format!("({} IS NOT DISTINCT FROM {})", sql[0], sql[1]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn is_not_distinct_means() {
        check("1 IS NOT DISTINCT FROM 1", "true");
        check("NULL IS NOT DISTINCT FROM 1", "false");
        check("CAST(NULL AS int8) IS NOT DISTINCT FROM NULL", "true");
    }
}
