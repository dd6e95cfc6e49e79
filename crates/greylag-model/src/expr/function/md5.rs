//! `md5`. MD5 of the bytes or of the text's UTF-8, as lower-case hexadecimal. Not for secrets.

use super::prelude::*;
use crate::expr::literal::to_hex;
use sha2::Digest;

pub(super) const SPEC: Spec = Spec {
    name: "md5",
    form: Form::Call,
    arity: (1, 1),
    signature: "md5(string or binary) → string",
    semantics: "MD5 of the bytes or of the text's UTF-8, as lower-case hexadecimal. Not for secrets.",
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
        [Value::String(value)] => Ok(Value::String(to_hex(&md5::Md5::digest(value.as_bytes())))),
        [Value::Binary(value)] => Ok(Value::String(to_hex(&md5::Md5::digest(value)))),
        _ => Err(WRONG),
    },
    duckdb: |_, _, sql| format!("md5({})", sql.join(", ")),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn md5_means() {
        check("md5('a')", "0cc175b9c0f1b6a831c399e269772661");
        check("md5(X'')", "d41d8cd98f00b204e9800998ecf8427e");
    }
}
