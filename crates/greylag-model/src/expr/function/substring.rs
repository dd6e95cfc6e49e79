//! `substring`. The characters from a position (counted from 1), at most so many, else to the end. A position below 1 or a negative length is a row error.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "substring",
    form: Form::Call,
    arity: (2, 3),
    signature: "substring(string, start int64[, length int64]) → string",
    semantics: "The characters from a position (counted from 1), at most so many, else to the end. A position below 1 or a negative length is a row error.",
    check: |args| {
        args.expect(0, &DataType::String)?;
        (1..args.list.len()).try_for_each(|at| args.integer(at))?;
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Always,
    eval: |_, values| {
        let start = integer(values, 1)?;
        let length = if values.len() == 3 { integer(values, 2)? } else { i128::MAX };
        if start < 1 || length < 0 {
            return Err(RowError::new(POSITION));
        }
        let letters = text(values, 0)?.chars().skip(index(start - 1));
        Ok(Value::String(letters.take(index(length)).collect()))
    },
    duckdb: |site, duck, sql| {
        let mut guards = Vec::new();
        for (at, least) in [(1, 1), (2, 0)] {
            if at < sql.len() && !duck.at_least(&site.args[at], least) {
                guards.push(format!("{} < {least}", sql[at]));
            }
        }
        let plain = format!("substring({})", sql.join(", "));
        if guards.is_empty() {
            return plain;
        }
        format!("(CASE WHEN ({}){} THEN {} ELSE {plain} END)", guards.join(" OR "), duck.given(site.args, sql), duck.error(POSITION))
    },
};

const POSITION: &str = "a position is below 1 or a length below 0";

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn substring_means() {
        check("substring('hällo', 2)", "ällo");
        check("substring('hällo', 2, 2)", "äl");
        check("substr('hello', 9)", "");
        check("substring('hello', 0)", "error: a position is below 1 or a length below 0");
        check("substring('hello', 1, -1)", "error: a position is below 1 or a length below 0");
        check("substring('hello' FROM 2 FOR 1)", "e");
    }
}
