//! `split_part`. The part with a number (from 1; negative ones count from the end) of a text cut at a separator; empty if there is no such part. An empty separator cuts nothing; part 0 is a row error.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "split_part",
    form: Form::Call,
    arity: (3, 3),
    signature: "split_part(string, separator string, number int64) → string",
    semantics: "The part with a number (from 1; negative ones count from the end) of a text cut at a separator; empty if there is no such part. An empty separator cuts nothing; part 0 is a row error.",
    check: |args| {
        args.expect(0, &DataType::String)?;
        args.expect(1, &DataType::String)?;
        args.integer(2)?;
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Always,
    eval: |_, values| {
        let (value, separator, number) = (text(values, 0)?, text(values, 1)?, integer(values, 2)?);
        let parts: Vec<&str> = if separator.is_empty() { vec![value] } else { value.split(separator).collect() };
        let at = match number {
            0 => return Err(RowError::new(PART)),
            number if number < 0 => parts.len() as i128 + number,
            number => number - 1,
        };
        let part = usize::try_from(at).ok().and_then(|at| parts.get(at)).copied().unwrap_or_default();
        Ok(Value::String(part.to_owned()))
    },
    duckdb: |site, duck, sql| {
        let mut cases = Vec::new();
        let (value, separator, number) = (&sql[0], &sql[1], &sql[2]);
        if !duck.at_least(&site.args[2], 1) {
            cases.push(format!("WHEN {number} = 0{} THEN {}", duck.given(site.args, sql), duck.error(PART)));
        }
        if !duck.is_text(&site.args[1]) {
            cases.push(format!("WHEN {separator} = '' AND {number} IN (1, -1) THEN {value}"));
            let given = format!("{value} IS NOT NULL AND {number} IS NOT NULL");
            cases.push(format!("WHEN {separator} = '' AND {given} THEN ''"));
        }
        let plain = format!("split_part({})", sql.join(", "));
        if cases.is_empty() { plain } else { format!("(CASE {} ELSE {plain} END)", cases.join(" ")) }
    },
};

const PART: &str = "parts are counted from 1 or from -1";

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn split_part_means() {
        check("split_part('a,b,c', ',', 2)", "b");
        check("split_part('a,b,c', ',', -1)", "c");
        check("split_part('a,b', ',', 3)", "");
        check("split_part('abc', '', 1)", "abc");
        check("split_part('abc', '', 2)", "");
        check("split_part('a', ',', 0)", "error: parts are counted from 1 or from -1");
    }
}
