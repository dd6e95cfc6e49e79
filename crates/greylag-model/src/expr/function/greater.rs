//! `>`. Whether the first is greater. Operands take their common type; lists, structs and maps are not compared.

use super::prelude::*;
use std::cmp::Ordering;

pub(super) const SPEC: Spec = Spec {
    name: ">",
    form: Form::Infix,
    arity: (2, 2),
    signature: "any > same → boolean",
    semantics: "Whether the first is greater. Operands take their common type; lists, structs and maps are not compared.",
    check: |args| args.compare(),
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| compare(&values[0], &values[1]).map(|order| Value::Boolean(Ordering::is_gt(order))),
    duckdb: |_, _, sql| format!("({} > {})", sql[0], sql[1]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn greater_means() {
        check("-1 > CAST(18446744073709551615 AS uint64)", "false");
        check("'ä' > 'z'", "true");
    }
}
