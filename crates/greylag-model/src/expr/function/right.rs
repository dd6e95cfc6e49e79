//! `right`. The last so many characters; a negative number leaves out so many at the start.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "right",
    form: Form::Call,
    arity: (2, 2),
    signature: "right(string, count int64) → string",
    semantics: "The last so many characters; a negative number leaves out so many at the start.",
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
        let skip = if count < 0 { -count } else { length - count };
        Ok(Value::String(value.chars().skip(index(skip)).collect()))
    },
    duckdb: |_, _, sql| format!("right({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn right_means() {
        check("right('hällo', 4)", "ällo");
        check("right('hello', -2)", "llo");
        check("right('a', -9)", "");
        check("right('a', 9)", "a");
    }
}
