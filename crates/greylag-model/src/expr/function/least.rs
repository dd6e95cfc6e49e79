//! `least`. The smallest of the arguments that are not null; null if all are.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "least",
    form: Form::Call,
    arity: (1, usize::MAX),
    signature: "least(any, same, …) → same",
    semantics: "The smallest of the arguments that are not null; null if all are.",
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
            if best.is_null() || compare(value, best)?.is_lt() {
                best = value;
            }
        }
        Ok(best.clone())
    },
    duckdb: |_, _, sql| format!("least({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn least_means() {
        check("least(1, NULL, 3)", "1");
        check("least(1e0, CAST('nan' AS float64))", "1.0");
        check("least(1.5, 2)", "1.5");
    }
}
