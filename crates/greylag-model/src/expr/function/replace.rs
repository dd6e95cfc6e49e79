//! `replace`. Every occurrence of the second text replaced by the third; an empty second text is not looked for.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "replace",
    form: Form::Call,
    arity: (3, 3),
    signature: "replace(string, from string, to string) → string",
    semantics: "Every occurrence of the second text replaced by the third; an empty second text is not looked for.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| {
        let (value, part) = (text(values, 0)?, text(values, 1)?);
        Ok(Value::String(if part.is_empty() { value.to_owned() } else { value.replace(part, text(values, 2)?) }))
    },
    duckdb: |_, _, sql| format!("replace({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn replace_means() {
        check("replace('aXbX', 'X', '--')", "a--b--");
        check("replace('abc', '', 'x')", "abc");
        check("replace('aaa', 'aa', 'b')", "ba");
    }
}
