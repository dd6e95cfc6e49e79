//! Functions that DataFusion calls otherwise.

use super::conditional::plain_arguments;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName,
};

/// Names with the same arguments and meaning.
const SAME: &[(&str, &str)] = &[
    ("ifnull", "coalesce"),
    ("len", "length"),
    ("char_length", "length"),
    ("list_aggregate", "array_agg"),
    ("list", "array_agg"),
    ("listagg", "string_agg"),
    ("group_concat", "string_agg"),
    ("logical_and", "bool_and"),
    ("logical_or", "bool_or"),
    ("approx_count_distinct", "approx_distinct"),
    ("instr", "strpos"),
    ("pow", "power"),
    ("ceiling", "ceil"),
    ("ucase", "upper"),
    ("lcase", "lower"),
    ("regexp_contains", "regexp_like"),
    ("regexp_matches", "regexp_like"),
    ("variance", "var_samp"),
    ("stddev_samp", "stddev"),
    ("stringlength", "length"),
];

/// Calls a function by the name that is known.
pub(super) fn rewrite(expr: &mut Expr, dialect: &str) {
    let Expr::Function(function) = expr else { return };
    let name = function.name.to_string().to_lowercase();
    if let Some((_, known)) = SAME.iter().find(|(other, _)| *other == name) {
        function.name = ObjectName::from(Ident::new(*known));
        return;
    }
    // `TO_TEXT`-like conversions are casts.
    let to = match name.as_str() {
        "to_varchar" | "to_char" if dialect == "snowflake" => DataType::Text,
        "to_double" => DataType::Double(ExactNumberInfo::None),
        _ => return,
    };
    if let Some(mut args) = plain_arguments(function).filter(|args| args.len() == 1) {
        *expr = cast(args.remove(0), to);
    }
}

/// `CAST(expr AS DOUBLE)`.
pub(super) fn as_double(expr: Expr) -> Expr {
    cast(expr, DataType::Double(ExactNumberInfo::None))
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

/// A call of a function.
pub(in crate::proof) fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    Expr::Function(Function {
        name: ObjectName::from(Ident::new(name)),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn functions_get_names_that_are_known() {
        check("bigquery", "select ifnull(a, 1), LENGTH(b)", "SELECT coalesce(a, 1), length(b)");
        check("duckdb", "select len(a)", "SELECT length(a)");
    }
}
