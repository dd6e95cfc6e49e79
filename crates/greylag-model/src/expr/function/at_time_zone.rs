//! `AT TIME ZONE`. A wall clock read in a zone, or the wall clock of an instant in a zone. A reading that does not exist is read with the offset before the gap; one that exists twice is the later.

use super::prelude::*;
use crate::cast::zone::Zone;
use crate::types::parse::canonical_zone;

pub(super) const SPEC: Spec = Spec {
    name: "AT TIME ZONE",
    form: Form::Infix,
    arity: (2, 2),
    signature: "timestamp(unit) AT TIME ZONE zone literal → timestamp(unit, zone), and back",
    semantics: "A wall clock read in a zone, or the wall clock of an instant in a zone. A reading that does not exist is read with the offset before the gap; one that exists twice is the later.",
    check: |args| {
        let zone = args.literal_text(1)?;
        let zone = canonical_zone(&zone).map_err(|message| args.error(1, &message))?;
        args.list[1] = TypedExpr::text(&zone);
        match &args.list[0].data_type {
            DataType::Timestamp { unit, zone: None } => Ok(DataType::Timestamp { unit: *unit, zone: Some(zone) }),
            DataType::Timestamp { unit, zone: Some(_) } => Ok(DataType::Timestamp { unit: *unit, zone: None }),
            _ => Err(args.error(0, "this is not a timestamp")),
        }
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Always,
    eval: |site, values| match (&values[0], &site.args[0].data_type) {
        (Value::Timestamp(value), DataType::Timestamp { unit, zone }) => {
            let to = Zone::find(text(values, 1)?).ok_or(WRONG)?;
            let result = match zone {
                None => to.to_instant(*value, unit.per_second()),
                Some(_) => to.to_wall(*value, unit.per_second()),
            };
            result.map(Value::Timestamp).ok_or(RANGE)
        }
        _ => Err(WRONG),
    },
    duckdb: |site, duck, sql| {
        let zone = match &site.args[1].node {
            crate::expr::Node::Literal(crate::expr::Literal::String(zone)) => zone.as_str(),
            _ => "UTC",
        };
        duck.at_time_zone(&sql[0], &site.args[0].data_type, zone)
    },
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn at_time_zone_means() {
        check("TIMESTAMP '2024-07-01 12:00:00' AT TIME ZONE 'Europe/Berlin'", "2024-07-01 10:00:00Z");
        check("TIMESTAMP '2024-03-31 02:30:00' AT TIME ZONE 'Europe/Berlin'", "2024-03-31 01:30:00Z");
        check("TIMESTAMP '2024-10-27 02:30:00' AT TIME ZONE 'Europe/Berlin'", "2024-10-27 01:30:00Z");
        check("CAST('2024-07-01 12:00:00Z' AS timestamp(s, UTC)) AT TIME ZONE '+05:30'", "2024-07-01 17:30:00");
    }
}
