//! `element`. The item at a position counted from 1; null if there is none.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "element",
    form: Form::Call,
    arity: (2, 2),
    signature: "list[number int64] → the item's type",
    semantics: "The item at a position counted from 1; null if there is none.",
    check: |args| {
        args.integer(1)?;
        match &args.list[0].data_type {
            DataType::List(item) => Ok((**item).clone()),
            _ => Err(args.error(0, "only a list has items")),
        }
    },
    nullable: Nullable::Always,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| match (&values[0], integer(values, 1)?) {
        (Value::List(items), number @ 1..) => {
            let at = usize::try_from(number - 1).unwrap_or(usize::MAX);
            Ok(items.get(at).cloned().unwrap_or(Value::Null))
        }
        (Value::List(_), _) => Ok(Value::Null),
        _ => Err(WRONG),
    },
    duckdb: |site, duck, sql| {
        let plain = format!("({})[{}]", sql[0], sql[1]);
        if duck.at_least(&site.args[1], 1) {
            return plain;
        }
        format!("(CASE WHEN {} < 1 THEN NULL ELSE {plain} END)", sql[1])
    },
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn element_means() {
        check("l[1]", "10");
        check("l[3]", "null");
        check("l[0]", "null");
        check("l[-1]", "null");
    }
}
