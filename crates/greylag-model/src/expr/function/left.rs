//! `left`. The first so many characters; a negative number leaves out so many at the end.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "left",
    form: Form::Call,
    arity: (2, 2),
    signature: "left(string, count int64) → string",
    semantics: "The first so many characters; a negative number leaves out so many at the end.",
    check: |args| {
        args.expect(0, &DataType::String)?;
        args.integer(1)?;
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| {
        let value = text(values, 0)?;
        let count = integer(values, 1)?;
        let length = value.chars().count() as i128;
        let keep = if count < 0 { length + count } else { count };
        Ok(Value::String(value.chars().take(index(keep)).collect()))
    },
    duckdb: |_, _, sql| format!("left({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn left_means() {
        check("left('hällo', 2)", "hä");
        check("left('hello', -2)", "hel");
        check("left('a', -9)", "");
        check("left('a', 9)", "a");
    }
}
