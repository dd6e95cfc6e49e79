//! `*`. Product; overflow is a row error. Decimals add their digits and their scales: `decimal(a,b) * decimal(c,d)` is `decimal(a+c, b+d)`, at most 38 digits.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "*",
    form: Form::Infix,
    arity: (2, 2),
    signature: "number * number → number",
    semantics: "Product; overflow is a row error. Decimals add their digits and their scales: `decimal(a,b) * decimal(c,d)` is `decimal(a+c, b+d)`, at most 38 digits.",
    check: |args| {
        match args.arithmetic()? {
            Arithmetic::Decimal((precision, scale), (other, more)) => {
                if scale + more > 38 {
                    return Err(args.error(0, "the product would have more than 38 digits after the point"));
                }
                Ok(DataType::Decimal { precision: (precision + other).min(38), scale: scale + more })
            }
            other => Ok(other.data_type()),
        }
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::UnlessFloat,
    eval: |site, values| match values {
        [Value::Int(left), Value::Int(right)] => int64(left * right),
        [Value::Float64(left), Value::Float64(right)] => Ok(Value::Float64(left * right)),
        [Value::Decimal(left, scale), Value::Decimal(right, more)] => {
            decimal(left.checked_mul(*right), scale + more, site.data_type)
        }
        _ => Err(WRONG),
    },
    duckdb: |site, duck, sql| {
        let left = duck.widened(&site.args[0], &sql[0], site.data_type);
        let name = duck.data_type(site.data_type);
        let plain = format!("CAST(({left} * {}) AS {name})", sql[1]);
        // Beyond 38 digits the type has no room: a null operand must not overflow.
        match site.data_type {
            DataType::Decimal { precision: 38, .. } => {
                format!("(CASE WHEN {} IS NULL OR {} IS NULL THEN NULL ELSE {plain} END)", sql[0], sql[1])
            }
            _ => plain,
        }
    },
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn multiply_means() {
        check("3 * -4", "-12");
        check("4611686018427387904 * 2", "error: number is out of range");
        check("1.5 * 1.25", "1.875");
        check("0.1 * 3", "0.3");
        check("1e308 * 1e1", "inf");
    }
}
