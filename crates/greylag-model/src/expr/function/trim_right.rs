//! `rtrim`. Without the characters of the second text (the default is a space) at the end; other white space stays.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "rtrim",
    form: Form::Call,
    arity: (1, 2),
    signature: "rtrim(string[, characters string]) → string",
    semantics: "Without the characters of the second text (the default is a space) at the end; other white space stays.",
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
        Ok(Value::String(text(values, 0)?.trim_end_matches(letters.as_slice()).to_owned()))
    },
    duckdb: |_, _, sql| format!("rtrim({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn trim_right_means() {
        check("rtrim(' a ')", " a");
        check("rtrim('aä', 'ä')", "a");
    }
}
