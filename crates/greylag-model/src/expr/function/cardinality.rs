//! `cardinality`. The number of items of a list or entries of a map, nulls included.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "cardinality",
    form: Form::Call,
    arity: (1, 1),
    signature: "cardinality(list or map) → int64",
    semantics: "The number of items of a list or entries of a map, nulls included.",
    check: |args| {
        match args.list[0].data_type {
            DataType::List(_) | DataType::Map(..) => Ok(DataType::Int64),
            _ => Err(args.error(0, "only lists and maps have a cardinality")),
        }
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| match &values[0] {
        Value::List(items) => Ok(Value::Int(items.len() as i128)),
        Value::Map(entries) => Ok(Value::Int(entries.len() as i128)),
        _ => Err(WRONG),
    },
    duckdb: |site, _, sql| match site.args[0].data_type {
        DataType::List(_) => format!("len({})", sql[0]),
        _ => format!("CAST(cardinality({}) AS BIGINT)", sql[0]),
    },
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn cardinality_means() {
        check("cardinality(l)", "2");
        check("cardinality(m)", "1");
    }
}
