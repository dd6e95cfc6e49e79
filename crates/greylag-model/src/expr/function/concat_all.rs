//! `concat`. All texts, one after the other; nulls count as empty, so it is never null.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "concat",
    form: Form::Call,
    arity: (1, usize::MAX),
    signature: "concat(string, …) → string",
    semantics: "All texts, one after the other; nulls count as empty, so it is never null.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::String)
    },
    nullable: Nullable::Never,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| {
        let mut joined = String::new();
        for index in (0..values.len()).filter(|index| !values[*index].is_null()) {
            joined.push_str(text(values, index)?);
        }
        Ok(Value::String(joined))
    },
    duckdb: |_, _, sql| format!("concat({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn concat_all_means() {
        check("concat('a', NULL, 'b')", "ab");
        check("concat(NULL)", "");
    }
}
