//! `strpos`. Position (in characters, from 1) of the first occurrence of the second text in the first, 0 if there is none.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "strpos",
    form: Form::Call,
    arity: (2, 2),
    signature: "strpos(string, string) → int64",
    semantics: "Position (in characters, from 1) of the first occurrence of the second text in the first, 0 if there is none.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::Int64)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| {
        let value = text(values, 0)?;
        let found = value.find(text(values, 1)?);
        Ok(Value::Int(found.map_or(0, |at| value[..at].chars().count() as i128 + 1)))
    },
    duckdb: |_, _, sql| format!("strpos({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn position_means() {
        check("strpos('hällo', 'l')", "3");
        check("strpos('a', 'x')", "0");
        check("strpos('a', '')", "1");
        check("position('b' IN 'ab')", "2");
    }
}
