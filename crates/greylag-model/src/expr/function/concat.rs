//! `||`. Both texts, one after the other; null if either is null.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "||",
    form: Form::Infix,
    arity: (2, usize::MAX),
    signature: "string || string … → string",
    semantics: "Both texts, one after the other; null if either is null.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| {
        let mut joined = String::new();
        for index in 0..values.len() {
            joined.push_str(text(values, index)?);
        }
        Ok(Value::String(joined))
    },
    duckdb: |_, _, sql| format!("({})", sql.join(" || ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn concat_means() {
        check("'a' || 'b' || 'c'", "abc");
        check("'a' || NULL", "null");
    }
}
