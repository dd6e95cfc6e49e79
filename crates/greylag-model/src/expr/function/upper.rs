//! `upper`. Each character's simple upper-case mapping of Unicode, one character to one: `ß` stays `ß`.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "upper",
    form: Form::Call,
    arity: (1, 1),
    signature: "upper(string) → string",
    semantics: "Each character's simple upper-case mapping of Unicode, one character to one: `ß` stays `ß`.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| Ok(Value::String(text(values, 0)?.chars().map(simple_upper).collect())),
    duckdb: |_, duck, sql| duck.upper(&sql[0]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn upper_means() {
        check("upper('äö Straße')", "ÄÖ STRAßE");
        check("upper('ŉ')", "ŉ");
        check("upper('ǆ')", "Ǆ");
    }
}
