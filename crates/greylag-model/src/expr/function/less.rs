//! `<`. Whether the first is less. Operands take their common type; lists, structs and maps are not compared.

use super::prelude::*;
use std::cmp::Ordering;

pub(super) const SPEC: Spec = Spec {
    name: "<",
    form: Form::Infix,
    arity: (2, 2),
    signature: "any < same → boolean",
    semantics: "Whether the first is less. Operands take their common type; lists, structs and maps are not compared.",
    check: |args| args.compare(),
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| compare(&values[0], &values[1]).map(|order| Value::Boolean(Ordering::is_lt(order))),
    duckdb: |_, _, sql| format!("({} < {})", sql[0], sql[1]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn less_means() {
        check("'Z' < 'a'", "true");
        check("DATE '2024-01-01' < '2024-01-02'", "true");
        check("CAST('inf' AS float64) < CAST('nan' AS float64)", "true");
        check("false < true", "true");
    }
}
