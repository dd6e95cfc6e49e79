//! [`Expr`] to [`TypedExpr`]: names are looked up, types worked out, conversions that happen unasked put in.

use super::function::Args;
use super::parse::nearest;
use super::{Expr, ExprError, ExprKind, Function, Literal, Node, TypedExpr};
use crate::cast::{Conversion, convert};
use crate::code::expr as code;
use crate::schema::Schema;
use crate::spec::Loss;
use crate::types::DataType;
use crate::value::Value;

impl Expr {
    /// Types it against the columns that it may read; collects every error.
    pub fn check(&self, schema: &Schema) -> Result<TypedExpr, Vec<ExprError>> {
        let mut checker = Checker { schema, errors: Vec::new() };
        let typed = checker.expr(self);
        if let Some(typed) = &typed
            && is_untyped_null(typed)
        {
            let error = ExprError::new(code::TYPE_MISMATCH, "a null alone has no type");
            checker.errors.push(error.at(self.span).hint("write `CAST(NULL AS type)`"));
        }
        match typed {
            Some(typed) if checker.errors.is_empty() => Ok(typed),
            _ => Err(checker.errors),
        }
    }
}

struct Checker<'a> {
    schema: &'a Schema,
    errors: Vec<ExprError>,
}

impl Checker<'_> {
    fn keep<T>(&mut self, result: Result<T, ExprError>, span: (usize, usize)) -> Option<T> {
        result.map_err(|error| self.errors.push(error.at(span))).ok()
    }

    fn expr(&mut self, expr: &Expr) -> Option<TypedExpr> {
        match &expr.kind {
            ExprKind::Column(name) => self.column(name, expr.span),
            ExprKind::Literal(literal) => self.keep(literal_expr(literal), expr.span),
            ExprKind::Call { function, args } => {
                // Every argument is checked, so that all errors are found.
                let typed: Vec<Option<TypedExpr>> = args.iter().map(|arg| self.expr(arg)).collect();
                let typed: Option<Vec<TypedExpr>> = typed.into_iter().collect();
                let spans = args.iter().map(|arg| arg.span).collect();
                let result = call_at(*function, typed?, spans);
                self.keep(result, expr.span)
            }
            ExprKind::Cast { input, data_type, loss, safe } => {
                let typed = self.expr(input)?;
                self.keep(cast(typed, data_type, *loss, *safe), expr.span)
            }
            ExprKind::Case { branches, otherwise } => self.case(branches, otherwise.as_deref()),
        }
    }

    fn column(&mut self, name: &str, span: (usize, usize)) -> Option<TypedExpr> {
        if let Some((_, column)) = self.schema.find(name) {
            return Some(TypedExpr::column(column));
        }
        let shown: String = name.chars().take(80).collect();
        let error = ExprError::new(code::UNKNOWN_COLUMN, format!("there is no column `{shown}`")).at(span);
        let names = self.schema.columns.iter().map(|column| column.name.as_str());
        self.errors.push(match nearest(name, names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("text stands in single quotes, column names in double quotes"),
        });
        None
    }

    fn case(&mut self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Option<TypedExpr> {
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        let mut spans = Vec::new();
        let mut good = true;
        for (when, then) in branches {
            match self.expr(when) {
                Some(condition) if condition.data_type == DataType::Boolean => conditions.push(condition),
                Some(condition) if is_untyped_null(&condition) => conditions.push(TypedExpr::null(DataType::Boolean)),
                Some(condition) => {
                    let message = format!("a condition is boolean, not `{}`", condition.data_type);
                    self.errors.push(ExprError::new(code::TYPE_MISMATCH, message).at(when.span));
                    good = false;
                }
                None => good = false,
            }
            spans.push(then.span);
            results.push(self.expr(then));
        }
        if let Some(otherwise) = otherwise {
            spans.push(otherwise.span);
            results.push(self.expr(otherwise));
        }
        let results: Option<Vec<TypedExpr>> = results.into_iter().collect();
        if !good {
            return None;
        }
        let whole = spans.first().copied().unwrap_or((0, 0));
        let mut args = Args::new(results?, spans);
        let unified = args.unify();
        let data_type = self.keep(unified, whole)?;
        let mut results = args.list;
        let otherwise = otherwise.and_then(|_| results.pop()).map(Box::new);
        let nullable =
            otherwise.as_ref().is_none_or(|other| other.nullable) || results.iter().any(|then| then.nullable);
        let branches = conditions.into_iter().zip(results).collect();
        Some(TypedExpr { data_type, nullable, node: Node::Case { branches, otherwise } })
    }
}

/// A typed call of arguments that have no place in a text.
pub(super) fn call(function: Function, args: Vec<TypedExpr>) -> Result<TypedExpr, ExprError> {
    let spans = Vec::new();
    call_at(function, args, spans)
}

fn call_at(function: Function, args: Vec<TypedExpr>, spans: Vec<(usize, usize)>) -> Result<TypedExpr, ExprError> {
    let spec = function.spec();
    let nullable = args.iter().any(|arg| arg.nullable);
    let (low, high) = spec.arity;
    if args.len() < low || args.len() > high {
        let message = format!("`{}` is given {} arguments", spec.name, args.len());
        return Err(ExprError::new(code::ARGUMENTS, message).hint(format!("it is `{}`", spec.signature)));
    }
    let mut args = Args::new(args, spans);
    if let Some(zone) = function.works_on_wall_clock().and_then(|index| args.zone(index)) {
        return on_wall_clock(function, args, &zone);
    }
    let data_type = (spec.check)(&mut args).map_err(|error| {
        if error.hint.is_some() { error } else { error.hint(format!("it is `{}`", spec.signature)) }
    })?;
    let nullable = match spec.nullable {
        super::function::Nullable::IfAny => nullable,
        super::function::Nullable::Never => false,
        super::function::Nullable::Always => true,
        super::function::Nullable::IfAll => args.list.iter().all(|arg| arg.nullable),
        super::function::Nullable::IfFirst => args.list.first().is_some_and(|arg| arg.nullable),
    };
    Ok(TypedExpr { data_type, nullable, node: Node::Call { function, args: args.list } })
}

/// `date_trunc` and `date_part` of an instant work on the wall clock of its type's zone.
fn on_wall_clock(function: Function, mut args: Args, zone: &str) -> Result<TypedExpr, ExprError> {
    let instant = args.list.pop().ok_or_else(|| ExprError::new(code::ARGUMENTS, "an argument is missing"))?;
    let wall = call(Function::AtTimeZone, vec![instant, TypedExpr::text(zone)])?;
    args.list.push(wall);
    let result = call_at(function, args.list, args.spans)?;
    if function == Function::DateTrunc {
        return call(Function::AtTimeZone, vec![result, TypedExpr::text(zone)]);
    }
    Ok(result)
}

/// Marks a `NULL` whose type is not known yet; no schema has such a literal.
pub(super) fn is_untyped_null(expr: &TypedExpr) -> bool {
    matches!(&expr.node, Node::Literal(Literal::Null))
        && matches!(&expr.data_type, DataType::Struct(fields) if fields.is_empty())
}

fn literal_expr(literal: &Literal) -> Result<TypedExpr, ExprError> {
    let mut literal = literal.clone();
    let data_type = match &literal {
        Literal::Null => DataType::Struct(Vec::new()),
        Literal::Boolean(_) => DataType::Boolean,
        Literal::Integer(text) if text.parse::<i64>().is_ok() => DataType::Int64,
        Literal::Integer(text) => {
            let data_type = decimal_of_digits(text)?;
            literal = Literal::Decimal(text.clone());
            data_type
        }
        Literal::Decimal(text) => {
            let data_type = decimal_of_digits(text)?;
            // `-0.0` is no decimal: it is `0.0`.
            if let Ok(Value::Decimal(unscaled, scale)) = literal.value(&data_type) {
                literal = Literal::Decimal(crate::cast::text::decimal(unscaled, scale));
            }
            data_type
        }
        Literal::Float(_) => DataType::Float64,
        Literal::String(_) => DataType::String,
        Literal::Binary(_) => DataType::Binary,
        Literal::Temporal(_) => return Err(ExprError::new(code::SYNTAX, "a day or time needs a type")),
    };
    literal
        .value(&data_type)
        .map_err(|unfit| ExprError::new(code::LITERAL, format!("the literal does not fit: {}", unfit.0)))?;
    Ok(TypedExpr { nullable: literal == Literal::Null, data_type, node: Node::Literal(literal) })
}

fn decimal_of_digits(text: &str) -> Result<DataType, ExprError> {
    let unsigned = text.trim_start_matches('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = whole.trim_start_matches('0').len();
    match whole + fraction.len() {
        digits @ 0..=38 => Ok(DataType::Decimal { precision: digits.max(1) as u8, scale: fraction.len() as u8 }),
        digits => Err(ExprError::new(code::LITERAL, format!("a number of {digits} digits is more than a decimal has"))
            .hint("write it with an exponent to have a float, e.g. `1.5e40`")),
    }
}

/// A cast, with literals folded: what does not fit is an error here already.
pub(super) fn cast(input: TypedExpr, to: &DataType, loss: Option<Loss>, safe: bool) -> Result<TypedExpr, ExprError> {
    if is_untyped_null(&input) {
        return Ok(TypedExpr::null(to.clone()));
    }
    if input.data_type == *to {
        return Ok(input);
    }
    let (needs_loss, may_misfit) = match crate::cast::conversion(&input.data_type, to) {
        Conversion::Exact => (false, false),
        Conversion::Lossy { needs_loss, may_misfit } => (needs_loss, may_misfit),
        Conversion::Unsupported { reason } => {
            let message = format!("`{}` does not convert to `{to}`", input.data_type);
            return Err(ExprError::new(code::UNSUPPORTED_CAST, message).hint(reason));
        }
    };
    let literal = matches!(input.node, Node::Literal(_));
    let loss = policy(&input.data_type, to, loss, needs_loss && !literal)?;
    if safe && may_misfit && to.is_nested() {
        return Err(ExprError::new(code::NOT_OFFERED, "`TRY_CAST` of lists, structs and maps is not offered"));
    }
    if let Node::Literal(literal) = &input.node
        && let Some(folded) = fold(literal, &input.data_type, to, loss, safe)?
    {
        return Ok(folded);
    }
    let fails = may_misfit || loss == Some(Loss::Fail);
    Ok(TypedExpr {
        data_type: to.clone(),
        nullable: input.nullable || (safe && fails),
        node: Node::Cast { input: Box::new(input), loss, safe: safe && fails },
    })
}

/// The policy that a conversion takes: none where it would mean nothing.
fn policy(from: &DataType, to: &DataType, loss: Option<Loss>, needed: bool) -> Result<Option<Loss>, ExprError> {
    if needed && loss.is_none() {
        let message = format!("converting `{from}` to `{to}` can lose something, and no policy says what then");
        let hint = format!("give `loss:` to the column, or write e.g. `CAST(x AS {to} ROUND)`");
        return Err(ExprError::new(code::LOSS_NEEDED, message).hint(hint));
    }
    let to_float = contains(to, &DataType::is_float) && !contains(from, &|from| *from == DataType::String);
    if loss == Some(Loss::Truncate) && needed && to_float {
        return Err(ExprError::new(code::NOT_OFFERED, format!("`truncate` is not offered to `{to}`"))
            .hint("a float is rounded as IEEE 754 says: choose `round` or `fail`"));
    }
    let text_to_instant = contains(from, &|from| *from == DataType::String)
        && contains(to, &|to| matches!(to, DataType::Time(_) | DataType::Timestamp { .. }));
    if loss == Some(Loss::Round) && text_to_instant {
        return Err(ExprError::new(code::NOT_OFFERED, "rounding text to a time is not offered")
            .hint("choose `truncate` or `fail`, or convert to a finer unit first"));
    }
    Ok(loss)
}

fn contains(data_type: &DataType, test: &dyn Fn(&DataType) -> bool) -> bool {
    match data_type {
        DataType::List(item) => contains(item, test),
        DataType::Struct(fields) => fields.iter().any(|(_, field)| contains(field, test)),
        DataType::Map(key, value) => contains(key, test) || contains(value, test),
        other => test(other),
    }
}

fn fold(
    literal: &Literal,
    from: &DataType,
    to: &DataType,
    loss: Option<Loss>,
    safe: bool,
) -> Result<Option<TypedExpr>, ExprError> {
    let value = literal.value(from).and_then(|value| convert(value, from, to, loss));
    match value {
        Ok(value) => Ok(Literal::of(&value, to).map(|literal| TypedExpr {
            data_type: to.clone(),
            nullable: literal == Literal::Null,
            node: Node::Literal(literal),
        })),
        Err(_) if safe => Ok(Some(TypedExpr::null(to.clone()))),
        Err(unfit) => {
            Err(ExprError::new(code::LITERAL, format!("the literal does not convert to `{to}`: {}", unfit.0)))
        }
    }
}

/// The literal as `to`, if it is one that has an exact equal there.
pub(super) fn adapt(expr: &TypedExpr, to: &DataType) -> Option<TypedExpr> {
    let Node::Literal(literal) = &expr.node else { return None };
    if is_untyped_null(expr) {
        return Some(TypedExpr::null(to.clone()));
    }
    let from = &expr.data_type;
    let temporal = matches!(to, DataType::Date | DataType::Time(_) | DataType::Timestamp { .. });
    let fitting = (from.is_number() && to.is_number()) || (*from == DataType::String && temporal);
    if !fitting || *literal == Literal::Null {
        return None;
    }
    fold(literal, from, to, None, false).ok().flatten()
}
