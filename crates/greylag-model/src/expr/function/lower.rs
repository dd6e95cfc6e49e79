//! `lower`. Each character's simple lower-case mapping of Unicode, one character to one: no rules of languages, no final sigma.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "lower",
    form: Form::Call,
    arity: (1, 1),
    signature: "lower(string) → string",
    semantics: "Each character's simple lower-case mapping of Unicode, one character to one: no rules of languages, no final sigma.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| Ok(Value::String(text(values, 0)?.chars().map(simple_lower).collect())),
    duckdb: |_, _, sql| format!("lower({})", sql[0]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn lower_means() {
        check("lower('ÄÖ Straße')", "äö straße");
        check("lower('ΑΣ')", "ασ");
        check("lower('İ')", "i");
    }
}
