//! Kernels of functions. What has none of its own here runs the reference meaning over its argument arrays.

use super::operation::Kernel;
use super::values::{array_of, value_at};
use arrow::error::ArrowError;
use datafusion_expr::ScalarUDF;
use greylag_model::expr::{Function, Literal, Node, Site, TypedExpr};
use greylag_model::types::DataType;
use greylag_model::value::Value;
use std::sync::Arc;

mod compare;
mod logic;
mod number;
mod text;
mod time;

/// DataFusion's own function, where its meaning is ours for these arguments.
pub(super) fn builtin(function: Function, args: &[TypedExpr]) -> Option<Arc<ScalarUDF>> {
    use datafusion_functions::{math, string};
    let text = |at: usize| match args.get(at).map(|arg| &arg.node) {
        Some(Node::Literal(Literal::String(text))) => !text.is_empty(),
        _ => false,
    };
    let positive = |at: usize| match args.get(at).map(|arg| &arg.node) {
        Some(Node::Literal(Literal::Integer(digits))) => digits.parse::<i64>().is_ok_and(|value| value > 0),
        _ => false,
    };
    Some(match function {
        Function::StartsWith => string::starts_with(),
        Function::EndsWith => string::ends_with(),
        Function::Contains => string::contains(),
        Function::Trim => string::btrim(),
        Function::TrimLeft => string::ltrim(),
        Function::TrimRight => string::rtrim(),
        // An empty text to look for, an empty separator and part 0 mean something else there.
        Function::Replace if text(1) => string::replace(),
        Function::SplitPart if text(1) && positive(2) => string::split_part(),
        Function::Sqrt => math::sqrt(),
        Function::Exp => math::exp(),
        Function::Ln => math::ln(),
        _ => return None,
    })
}

/// The kernel of a call.
pub(super) fn of(function: Function, expr: &TypedExpr, args: &[TypedExpr]) -> Kernel {
    by_column(function, expr, args).unwrap_or_else(|| by_row(function, args.to_vec(), expr.data_type.clone()))
}

/// The kernel over whole columns, if there is one for these arguments.
fn by_column(function: Function, expr: &TypedExpr, args: &[TypedExpr]) -> Option<Kernel> {
    let types: Vec<DataType> = args.iter().map(|arg| arg.data_type.clone()).collect();
    number::kernel(function, &types, &expr.data_type, args)
        .or_else(|| compare::kernel(function, &types))
        .or_else(|| logic::kernel(function))
        .or_else(|| text::kernel(function, args))
        .or_else(|| time::kernel(function, args, &expr.data_type))
}

/// The reference meaning over the rows of the argument arrays.
fn by_row(function: Function, exprs: Vec<TypedExpr>, data_type: DataType) -> Kernel {
    Arc::new(move |args, rows| {
        let mut values = vec![Value::Null; args.len()];
        let mut results = Vec::with_capacity(rows);
        for row in 0..rows {
            for ((value, array), expr) in values.iter_mut().zip(args).zip(&exprs) {
                *value = value_at(array, &expr.data_type, row);
            }
            let site = Site { args: &exprs, data_type: &data_type };
            results.push(function.apply(site, &values).map_err(|error| failed(&error.0))?);
        }
        Ok(array_of(&results, &data_type))
    })
}

/// A row fails.
pub(super) fn failed(reason: &str) -> ArrowError {
    ArrowError::ComputeError(reason.to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{builtin, by_column};
    use greylag_model::expr::{Function, Node, TypedExpr, parse_and_check};
    use greylag_model::schema::{Column, Schema};
    use greylag_model::types::DataType;
    use std::collections::BTreeSet;

    /// Each function at its best, and those that run row by row.
    const EXPRESSIONS: &[&str] = &[
        "i + 1",
        "i - 1",
        "i * 2",
        "i / 2",
        "i % 2",
        "-f",
        "i = 1",
        "i <> 1",
        "i < 1",
        "i <= 1",
        "i > 1",
        "i >= 1",
        "i IS DISTINCT FROM 1",
        "i IS NOT DISTINCT FROM 1",
        "i IS NULL",
        "i IS NOT NULL",
        "b AND b",
        "b OR b",
        "NOT b",
        "i IN (1, 2)",
        "s LIKE 'a%'",
        "s || s",
        "concat(s, s)",
        "concat_ws(',', s, s)",
        "lower(s)",
        "upper(s)",
        "trim(s)",
        "ltrim(s)",
        "rtrim(s)",
        "substring(s, 1, 2)",
        "left(s, 1)",
        "right(s, 1)",
        "length(s)",
        "replace(s, 'a', 'b')",
        "split_part(s, ',', 1)",
        "starts_with(s, 'a')",
        "ends_with(s, 'a')",
        "contains(s, 'a')",
        "lpad(s, 3, ' ')",
        "rpad(s, 3, ' ')",
        "strpos(s, 'a')",
        "reverse(s)",
        "md5(s)",
        "sha256(s)",
        "coalesce(s, 'a')",
        "nullif(s, 'a')",
        "greatest(i, 1)",
        "least(i, 1)",
        "abs(f)",
        "sign(f)",
        "trunc(f)",
        "floor(f)",
        "ceil(f)",
        "round(f)",
        "power(f, f)",
        "sqrt(f)",
        "ln(f)",
        "exp(f)",
        "date_trunc('month', t)",
        "date_part('year', t)",
        "make_date(i, i, i)",
        "cardinality(l)",
        "l[1]",
    ];

    fn collect(expr: &TypedExpr, fast: &mut BTreeSet<Function>, asked: &mut BTreeSet<Function>) {
        if let Node::Call { function, args } = &expr.node {
            asked.insert(*function);
            if builtin(*function, args).is_some() || by_column(*function, expr, args).is_some() {
                fast.insert(*function);
            }
        }
        expr.children().into_iter().for_each(|child| collect(child, fast, asked));
    }

    #[test]
    fn the_reference_says_which_functions_run_row_by_row() {
        let types = [
            ("i", "int64"),
            ("f", "float64"),
            ("s", "string"),
            ("b", "boolean"),
            ("t", "timestamp(us)"),
            ("l", "list<int64>"),
        ];
        let column = |(name, data_type): (&str, &str)| Column {
            name: name.to_owned(),
            data_type: data_type.parse::<DataType>().unwrap(),
            nullable: true,
        };
        let schema = Schema { columns: types.into_iter().map(column).collect() };
        let (mut fast, mut asked) = (BTreeSet::new(), BTreeSet::new());
        for text in EXPRESSIONS {
            let expr = parse_and_check(text, &schema).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
            collect(&expr, &mut fast, &mut asked);
        }
        assert!(asked.len() > 50, "{}", asked.len());
        for function in asked {
            assert_eq!(!fast.contains(&function), function.runs_by_row(), "{function:?}");
        }
    }
}
