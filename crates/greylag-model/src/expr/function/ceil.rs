//! `ceil`. The next whole number that is not less; a decimal gets scale 0.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "ceil",
    form: Form::Call,
    arity: (1, 1),
    signature: "ceil(number) → number without fraction",
    semantics: "The next whole number that is not less; a decimal gets scale 0.",
    check: |args| {
        args.number(0)?;
        Ok(whole(&args.list[0].data_type))
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| match values {
        [Value::Int(value)] => Ok(Value::Int(*value)),
        [Value::Float64(value)] => Ok(Value::Float64(value.ceil())),
        [Value::Decimal(value, scale)] => {
            let unit = power_of_ten(*scale);
            Ok(Value::Decimal(-(-value).div_euclid(unit), 0))
        }
        _ => Err(WRONG),
    },
    duckdb: |site, duck, sql| match site.args[0].data_type {
        DataType::Int64 => sql[0].clone(),
        _ => format!("CAST(ceil({}) AS {})", sql[0], duck.data_type(site.data_type)),
    },
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn ceil_means() {
        check("ceil(1.1)", "2");
        check("ceil(-0.5e0)", "-0.0");
        check("ceil(-1.1)", "-1");
    }
}
