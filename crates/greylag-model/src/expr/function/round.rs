//! `round`. To the nearest with so many digits after the point (the default is 0), halves away from zero. A decimal gets that scale; a float is multiplied by a power of ten, rounded and divided again; an integer stays.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "round",
    form: Form::Call,
    arity: (1, 2),
    signature: "round(number[, digits literal 0 to 15]) → number",
    semantics: "To the nearest with so many digits after the point (the default is 0), halves away from zero. A decimal gets that scale; a float is multiplied by a power of ten, rounded and divided again; an integer stays.",
    check: |args| {
        args.number(0)?;
        let digits = if args.list.len() == 2 { args.literal_integer(1)? } else { 0 };
        if !(0..=15).contains(&digits) {
            return Err(args.error(1, "digits are 0 to 15"));
        }
        if args.list.len() == 2 {
            args.integer(1)?;
        }
        Ok(match args.list[0].data_type {
            DataType::Decimal { precision, scale } if i64::from(scale) > digits => {
                DataType::Decimal { precision, scale: digits as u8 }
            }
            ref other => other.clone(),
        })
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |site, values| {
        let digits = if values.len() == 2 { integer(values, 1)? as u8 } else { 0 };
        match &values[0] {
            Value::Int(value) => Ok(Value::Int(*value)),
            Value::Float64(value) if digits == 0 => Ok(Value::Float64(value.round())),
            Value::Float64(value) => {
                let unit = power_of_ten(digits) as f64;
                let rounded = (value * unit).round() / unit;
                Ok(Value::Float64(if rounded.is_finite() { rounded } else { *value }))
            }
            Value::Decimal(value, scale) if *scale > digits => {
                let value = rescale(*value, *scale, digits, Some(Loss::Round))?;
                decimal(Some(value), digits, site.data_type)
            }
            other => Ok(other.clone()),
        }
    },
    duckdb: |site, duck, sql| match (&site.args[0].data_type, site.data_type) {
        (DataType::Int64, _) => sql[0].clone(),
        (DataType::Decimal { .. }, to) => format!("CAST({} AS {})", sql[0], duck.data_type(to)),
        _ => match sql.get(1) {
            Some(digits) => format!("round({}, CAST({digits} AS INTEGER))", sql[0]),
            None => format!("round({})", sql[0]),
        },
    },
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn round_means() {
        check("round(2.5e0)", "3.0");
        check("round(-2.5e0)", "-3.0");
        check("round(1.005, 2)", "1.01");
        check("round(1.255e0, 2)", "1.25");
        check("round(1e300, 2)", "1e+300");
        check("round(5, 2)", "5");
        check("round(-9.95, 1)", "-10.0");
        check("round(1.5, 3)", "1.5");
    }
}
