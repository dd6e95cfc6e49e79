//! `greatest`. The largest of the arguments that are not null; null if all are.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "greatest",
    form: Form::Call,
    arity: (1, usize::MAX),
    signature: "greatest(any, same, …) → same",
    semantics: "The largest of the arguments that are not null; null if all are.",
    check: |args| {
        args.compare()?;
        Ok(args.list[0].data_type.clone())
    },
    nullable: Nullable::IfAll,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| {
        let mut best = &Value::Null;
        for value in values.iter().filter(|value| !value.is_null()) {
            if best.is_null() || compare(value, best)?.is_gt() {
                best = value;
            }
        }
        Ok(best.clone())
    },
    duckdb: |_, _, sql| format!("greatest({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn greatest_means() {
        check("greatest(1, NULL, 3)", "3");
        check("greatest(1e0, CAST('nan' AS float64))", "nan");
        check("greatest(CAST(NULL AS int8), NULL)", "null");
        check("greatest('a', 'b')", "b");
    }
}
