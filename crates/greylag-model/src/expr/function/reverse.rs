//! `reverse`. The characters (code points) in reverse order.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "reverse",
    form: Form::Call,
    arity: (1, 1),
    signature: "reverse(string) → string",
    semantics: "The characters (code points) in reverse order.",
    check: |args| {
        args.all(&DataType::String)?;
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| Ok(Value::String(text(values, 0)?.chars().rev().collect())),
    duckdb: |site, duck, sql| duck.once(&site.args[0], &sql[0], |duck, value| {
        let at = duck.name();
        let letters = format!("list_transform(range(length({value}), 0, -1), lambda {at}: substring({value}, {at}, 1))");
        format!("(CASE WHEN {value} IS NULL THEN NULL ELSE array_to_string({letters}, '') END)")
    }),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn reverse_means() {
        check("reverse('häl')", "läh");
        check("reverse('')", "");
    }
}
