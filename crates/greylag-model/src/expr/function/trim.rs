//! `trim`. Without the characters of the second text (the default is a space) at both ends; other white space stays.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "trim",
    form: Form::Call,
    arity: (1, 2),
    signature: "trim(string[, characters string]) → string",
    semantics: "Without the characters of the second text (the default is a space) at both ends; other white space stays.",
    check: |args| {
        args.all(&DataType::String)?;
        if args.list.len() == 1 {
            args.push(TypedExpr::text(" "));
        }
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| {
        let letters: Vec<char> = text(values, 1)?.chars().collect();
        Ok(Value::String(text(values, 0)?.trim_matches(letters.as_slice()).to_owned()))
    },
    duckdb: |_, _, sql| format!("trim({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn trim_means() {
        check("trim('  a b ')", "a b");
        check("trim('xyaxy', 'yx')", "a");
        check("trim(BOTH 'x' FROM 'xax')", "a");
        check("trim('a', '')", "a");
    }
}
