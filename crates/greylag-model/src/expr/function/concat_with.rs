//! `concat_ws`. All texts but the first that are not null, with the first between them; null if the first is null.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "concat_ws",
    form: Form::Call,
    arity: (2, usize::MAX),
    signature: "concat_ws(separator string, string, …) → string",
    semantics: "All texts but the first that are not null, with the first between them; null if the first is null.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::String)
    },
    nullable: Nullable::IfFirst,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| {
        if values[0].is_null() {
            return Ok(Value::Null);
        }
        let mut parts = Vec::new();
        for index in (1..values.len()).filter(|index| !values[*index].is_null()) {
            parts.push(text(values, index)?);
        }
        Ok(Value::String(parts.join(text(values, 0)?)))
    },
    duckdb: |_, _, sql| format!("concat_ws({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn concat_with_means() {
        check("concat_ws(', ', 'a', NULL, 'b')", "a, b");
        check("concat_ws(',', NULL, NULL)", "");
        check("concat_ws(NULL, 'a')", "null");
        check("concat_ws(',', '', 'a')", ",a");
    }
}
