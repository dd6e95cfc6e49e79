//! `sha256`. SHA-256 of the bytes or of the text's UTF-8, as lower-case hexadecimal.

use super::prelude::*;
use crate::expr::literal::to_hex;
use sha2::Digest;

pub(super) const SPEC: Spec = Spec {
    name: "sha256",
    form: Form::Call,
    arity: (1, 1),
    signature: "sha256(string or binary) → string",
    semantics: "SHA-256 of the bytes or of the text's UTF-8, as lower-case hexadecimal.",
    check: |args| {
        if args.list[0].data_type != DataType::Binary {
            args.expect(0, &DataType::String)?;
        }
        Ok(DataType::String)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |_, values| match values {
        [Value::String(value)] => Ok(Value::String(to_hex(&sha2::Sha256::digest(value.as_bytes())))),
        [Value::Binary(value)] => Ok(Value::String(to_hex(&sha2::Sha256::digest(value)))),
        _ => Err(WRONG),
    },
    duckdb: |_, _, sql| format!("sha256({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn sha256_means() {
        check("sha256('a')", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
    }
}
