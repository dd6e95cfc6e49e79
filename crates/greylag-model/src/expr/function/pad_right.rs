//! `rpad`. Filled up on the right with the third text (the default is a space) to so many characters, at most 1,000,000; a longer text is cut at the end. Filling with an empty text is a row error.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "rpad",
    form: Form::Call,
    arity: (2, 3),
    signature: "rpad(string, length int64[, fill string]) → string",
    semantics: "Filled up on the right with the third text (the default is a space) to so many characters, at most 1,000,000; a longer text is cut at the end. Filling with an empty text is a row error.",
    check: |args| {
        args.expect(0, &DataType::String)?;
        args.integer(1)?;
        if args.list.len() == 2 {
            args.push(TypedExpr::text(" "));
        }
        args.expect(2, &DataType::String)?;
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Always,
    eval: |_, values| {
        let (value, target) = (text(values, 0)?, integer(values, 1)?);
        let length = value.chars().count();
        if target <= length as i128 {
            return Ok(Value::String(value.chars().take(index(target)).collect()));
        }
        let fill = text(values, 2)?;
        if fill.is_empty() || target > 1_000_000 {
            return Err(RowError::new(FILL));
        }
        let padding: String = fill.chars().cycle().take(index(target) - length).collect();
        Ok(Value::String(value.to_owned() + &padding))
    },
    duckdb: |site, duck, sql| {
        let plain = format!("rpad({}, CAST({} AS INTEGER), {})", sql[0], sql[1], sql[2]);
        if duck.at_most(&site.args[1], 1_000_000) && duck.is_text(&site.args[2]) {
            return plain;
        }
        let error = duck.error(FILL);
        format!(
            "(CASE WHEN {1} > length({0}) AND ({2} = '' OR {1} > 1000000) AND {2} IS NOT NULL THEN {error} \
             WHEN {1} < 0 AND {2} IS NOT NULL THEN left({0}, 0) ELSE {plain} END)",
            sql[0], sql[1], sql[2]
        )
    },
};

const FILL: &str = "there is nothing to fill with, or the length is above 1000000";

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn pad_right_means() {
        check("rpad('7', 3, '0')", "700");
        check("rpad('hello', 2, 'x')", "he");
        check("rpad('ä', 3, 'xy')", "äxy");
    }
}
