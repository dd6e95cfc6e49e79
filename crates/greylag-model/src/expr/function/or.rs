//! `OR`. Three-valued: true if any operand is true, else null if any is null. All operands are evaluated, so an error in any is the row's; guard with `CASE`.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "OR",
    form: Form::Infix,
    arity: (2, usize::MAX),
    signature: "boolean OR boolean … → boolean",
    semantics: "Three-valued: true if any operand is true, else null if any is null. All operands are evaluated, so an error in any is the row's; guard with `CASE`.",
    check: |args| {
        args.all(&DataType::Boolean)?;
        Ok(DataType::Boolean)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| {
        if values.contains(&Value::Boolean(true)) {
            return Ok(Value::Boolean(true));
        }
        Ok(if values.iter().any(Value::is_null) { Value::Null } else { Value::Boolean(false) })
    },
    duckdb: |_, _, sql| format!("({})", sql.join(" OR ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn or_means() {
        check("true OR false", "true");
        check("NULL OR true", "true");
        check("NULL OR false", "null");
        check("false OR false OR false", "false");
    }
}
