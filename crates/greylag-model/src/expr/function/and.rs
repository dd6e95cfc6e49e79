//! `AND`. Three-valued: false if any operand is false, else null if any is null. All operands are evaluated, so an error in any is the row's; guard with `CASE`.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "AND",
    form: Form::Infix,
    arity: (2, usize::MAX),
    signature: "boolean AND boolean … → boolean",
    semantics: "Three-valued: false if any operand is false, else null if any is null. All operands are evaluated, so an error in any is the row's; guard with `CASE`.",
    check: |args| {
        args.all(&DataType::Boolean)?;
        Ok(DataType::Boolean)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Own,
    fails: Fails::Never,
    eval: |_, values| {
        if values.contains(&Value::Boolean(false)) {
            return Ok(Value::Boolean(false));
        }
        Ok(if values.iter().any(Value::is_null) { Value::Null } else { Value::Boolean(true) })
    },
    duckdb: |_, _, sql| format!("({})", sql.join(" AND ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn and_means() {
        check("true AND false", "false");
        check("NULL AND false", "false");
        check("NULL AND true", "null");
        check("true AND true AND true", "true");
        check("false AND 1 / 0 = 1", "error: division by zero");
    }
}
