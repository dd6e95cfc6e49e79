//! `from_unix_seconds`. The instant so many seconds after 1970-01-01 00:00 UTC; out of range is a row error.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "from_unix_seconds",
    form: Form::Call,
    arity: (1, 1),
    signature: "from_unix_seconds(int64) → timestamp(us, UTC)",
    semantics: "The instant so many seconds after 1970-01-01 00:00 UTC; out of range is a row error.",
    check: |args| {
        args.integer(0)?;
        Ok(DataType::Timestamp { unit: TimeUnit::Us, zone: Some("UTC".to_owned()) })
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Always,
    eval: |_, values| {
        let micros = integer(values, 0)?.checked_mul(1_000_000).and_then(|micros| i64::try_from(micros).ok());
        micros.map(Value::Timestamp).ok_or(RANGE)
    },
    duckdb: |_, _, sql| format!("(make_timestamp({} * 1000000) AT TIME ZONE 'UTC')", sql[0]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn from_unix_seconds_means() {
        check("from_unix_seconds(1)", "1970-01-01 00:00:01Z");
        check("from_unix_seconds(-1)", "1969-12-31 23:59:59Z");
    }
}
