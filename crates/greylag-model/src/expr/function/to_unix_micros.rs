//! `to_unix_micros`. Whole microseconds since 1970-01-01 00:00 (UTC; on the wall clock for a timestamp without a zone), cut towards the past.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "to_unix_micros",
    form: Form::Call,
    arity: (1, 1),
    signature: "to_unix_micros(timestamp) → int64",
    semantics: "Whole microseconds since 1970-01-01 00:00 (UTC; on the wall clock for a timestamp without a zone), cut towards the past.",
    check: |args| {
        match args.list[0].data_type {
            DataType::Timestamp { .. } => Ok(DataType::Int64),
            _ => Err(args.error(0, "this is not a timestamp")),
        }
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Always,
    eval: |site, values| match (&values[0], &site.args[0].data_type) {
        (Value::Timestamp(value), DataType::Timestamp { unit, .. }) => {
            int64((i128::from(*value) * 1_000_000).div_euclid(i128::from(unit.per_second())))
        }
        _ => Err(WRONG),
    },
    duckdb: |site, duck, sql| duck.epoch(&sql[0], &site.args[0], 1_000_000),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn to_unix_micros_means() {
        check("to_unix_micros(TIMESTAMP '1969-12-31 23:59:59.5')", "-500000");
        check("to_unix_micros(CAST('1970-01-01 01:00:00+01:00' AS timestamp(ns, UTC)))", "0");
    }
}
