//! `=`. Whether both are equal. Operands take their common type; lists, structs and maps are not compared.

use super::prelude::*;
use std::cmp::Ordering;

pub(super) const SPEC: Spec = Spec {
    name: "=",
    form: Form::Infix,
    arity: (2, 2),
    signature: "any = same → boolean",
    semantics: "Whether both are equal. Operands take their common type; lists, structs and maps are not compared.",
    check: |args| args.compare(),
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| compare(&values[0], &values[1]).map(|order| Value::Boolean(Ordering::is_eq(order))),
    duckdb: |_, _, sql| format!("({} = {})", sql[0], sql[1]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn equal_means() {
        check("1 = 1.0", "true");
        check("'a' = 'A'", "false");
        check("NULL = 1", "null");
        check("CAST('nan' AS float64) = CAST('nan' AS float64)", "true");
        check("0e0 = -0e0", "true");
    }
}
