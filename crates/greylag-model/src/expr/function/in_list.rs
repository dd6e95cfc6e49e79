//! `IN`. Whether the first equals any of the others; null if it is null, or if none is equal and one is null.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "IN",
    form: Form::Infix,
    arity: (2, usize::MAX),
    signature: "any IN (same, …) → boolean",
    semantics: "Whether the first equals any of the others; null if it is null, or if none is equal and one is null.",
    check: |args| args.compare(),
    nullable: Nullable::IfAny,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| {
        let Some((first, rest)) = values.split_first() else { return Err(WRONG) };
        if first.is_null() {
            return Ok(Value::Null);
        }
        let mut unknown = false;
        for value in rest {
            if value.is_null() {
                unknown = true;
            } else if compare(first, value)?.is_eq() {
                return Ok(Value::Boolean(true));
            }
        }
        Ok(if unknown { Value::Null } else { Value::Boolean(false) })
    },
    duckdb: |_, _, sql| format!("({} IN ({}))", sql[0], sql[1..].join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn in_list_means() {
        check("1 IN (1, 2)", "true");
        check("3 IN (1, NULL)", "null");
        check("NULL IN (1)", "null");
        check("'b' IN ('a')", "false");
        check("2 BETWEEN 1 AND 3", "true");
        check("2 NOT BETWEEN 1 AND NULL", "null");
    }
}
