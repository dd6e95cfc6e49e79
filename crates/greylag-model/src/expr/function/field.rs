//! `field`. The field of a struct; null if the struct is.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "field",
    form: Form::Call,
    arity: (2, 2),
    signature: "struct.field → the field's type",
    semantics: "The field of a struct; null if the struct is.",
    check: |args| {
        let name = args.literal_text(1)?;
        let DataType::Struct(fields) = &args.list[0].data_type else {
            return Err(args.error(0, "only a struct has fields"));
        };
        match fields.iter().find(|(known, _)| *known == name) {
            Some((_, data_type)) => Ok(data_type.clone()),
            None => Err(args.error(1, &format!("the struct has no field `{name}`"))),
        }
    },
    nullable: Nullable::Always,
    nulls: Nulls::Strict,
    fails: Fails::Never,
    eval: |site, values| {
        let name = text(values, 1)?;
        match (&values[0], &site.args[0].data_type) {
            (Value::Struct(values), DataType::Struct(fields)) => {
                let at = fields.iter().position(|(known, _)| known == name).ok_or(WRONG)?;
                Ok(values.get(at).cloned().unwrap_or(Value::Null))
            }
            _ => Err(WRONG),
        }
    },
    duckdb: |_, _, sql| format!("struct_extract({}, {})", sql[0], sql[1]),
};

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn field_means() {
        check("s.a", "1");
        check("(s).\"b c\"", "x");
        check("t.a", "null");
    }
}
