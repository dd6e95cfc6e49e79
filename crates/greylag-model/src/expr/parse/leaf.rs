//! Where the tree ends: columns and the ways into their values, literals, and the names of functions.

use super::nearest;
use super::tree::{DEPTH, Lowered, Lowering};
use crate::code::{Code, expr as code};
use crate::expr::{Expr, ExprError, ExprKind, Function, Literal, literal};
use crate::types::{DataType, TimeUnit};
use sqlparser::ast::{self, AccessExpr, FunctionArg, FunctionArgExpr, FunctionArguments, Subscript, Value};

impl Lowering<'_> {
    pub(super) fn column(&self, ident: &ast::Ident) -> Lowered {
        match ident.quote_style {
            None | Some('"') => {
                Ok(Expr { span: self.places.range(ident.span), kind: ExprKind::Column(ident.value.clone()) })
            }
            Some(_) => Err(ExprError::new(code::SYNTAX, "names are quoted with double quotes")
                .at(self.places.range(ident.span))
                .hint(format!("write `\"{}\"`", ident.value))),
        }
    }

    pub(super) fn path(&self, path: &[ast::Ident]) -> Lowered {
        let (first, fields) = path.split_first().ok_or_else(|| ExprError::new(code::SYNTAX, "a name is missing"))?;
        let root = self.column(first)?;
        Ok(fields.iter().fold(root, |root, field| self.field(root, field)))
    }

    pub(super) fn field(&self, root: Expr, field: &ast::Ident) -> Expr {
        let span = self.places.range(field.span);
        let name = Expr { span, kind: ExprKind::Literal(Literal::String(field.value.clone())) };
        Expr { span: (root.span.0, span.1), kind: ExprKind::Call { function: Function::Field, args: vec![root, name] } }
    }

    pub(super) fn access(&self, root: &ast::Expr, chain: &[AccessExpr], depth: usize) -> Lowered {
        let mut expr = self.expr(root, depth + 1)?;
        if chain.len() > DEPTH {
            return Err(ExprError::new(code::TOO_LARGE, "the expression nests too deep").at(expr.span));
        }
        for access in chain {
            expr = match access {
                AccessExpr::Dot(ast::Expr::Identifier(field)) => self.field(expr, field),
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    let index = self.expr(index, depth + 1)?;
                    let span = (expr.span.0, index.span.1);
                    Expr { span, kind: ExprKind::Call { function: Function::Element, args: vec![expr, index] } }
                }
                _ => {
                    return Err(ExprError::new(code::NOT_OFFERED, "this way into a value is not offered")
                        .at(expr.span)
                        .hint("there are `a.field` for structs and `a[1]` for lists"));
                }
            };
        }
        Ok(expr)
    }

    pub(super) fn literal(&self, value: &Value, span: (usize, usize)) -> Lowered {
        let literal = match value {
            Value::Number(text, false) => number(text),
            Value::SingleQuotedString(text) => Literal::String(text.clone()),
            Value::HexStringLiteral(hex) if literal::from_hex(hex).is_some() => {
                Literal::Binary(hex.to_ascii_lowercase())
            }
            Value::Boolean(value) => Literal::Boolean(*value),
            Value::Null => Literal::Null,
            Value::Placeholder(text) => {
                return Err(
                    ExprError::new(code::NOT_OFFERED, format!("a placeholder `{text}` is not offered")).at(span)
                );
            }
            _ => {
                return Err(ExprError::new(code::NOT_OFFERED, "this kind of literal is not offered")
                    .at(span)
                    .hint("text stands in single quotes, bytes as X'00ff'"));
            }
        };
        Ok(Expr { span, kind: ExprKind::Literal(literal) })
    }

    pub(super) fn typed_string(&self, typed: &ast::TypedString) -> Lowered {
        let data_type = match &typed.data_type {
            ast::DataType::Date => DataType::Date,
            ast::DataType::Time(None, ast::TimezoneInfo::None) => DataType::Time(TimeUnit::Us),
            ast::DataType::Timestamp(None, ast::TimezoneInfo::None) => {
                DataType::Timestamp { unit: TimeUnit::Us, zone: None }
            }
            other => {
                let message = format!("a literal of `{other}` is not offered in expressions");
                let error = ExprError::new(code::NOT_OFFERED, message).at(self.places.range(typed.value.span));
                return Err(error.hint("write `CAST('…' AS type)`"));
            }
        };
        let input = self.literal(&typed.value.value, self.places.range(typed.value.span))?;
        let kind = ExprKind::Cast { input: Box::new(input), data_type, loss: None, safe: false };
        Ok(Expr { span: self.places.range(typed.value.span), kind })
    }

    pub(super) fn function(&self, whole: &ast::Expr, call: &ast::Function, depth: usize) -> Lowered {
        let span = self.span(whole);
        let written = call.name.to_string();
        let FunctionArguments::List(list) = &call.args else {
            return Err(self.unknown(&written, span));
        };
        let function = Function::by_name(&written.to_ascii_lowercase()).ok_or_else(|| self.unknown(&written, span))?;
        let plain = call.over.is_none()
            && call.filter.is_none()
            && call.within_group.is_empty()
            && call.null_treatment.is_none()
            && call.parameters == FunctionArguments::None
            && list.clauses.is_empty()
            && list.duplicate_treatment.is_none();
        if !plain {
            return Err(self.refuse(whole, "a clause of an aggregate or window", "an expression sees one row"));
        }
        let mut args = Vec::with_capacity(list.args.len());
        for arg in &list.args {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) = arg else {
                return Err(self.refuse(whole, "a named argument or `*`", "give plain expressions"));
            };
            args.push(self.expr(arg, depth + 1)?);
        }
        Ok(Expr { span, kind: ExprKind::Call { function, args } })
    }

    fn unknown(&self, name: &str, span: (usize, usize)) -> ExprError {
        let lowered = name.to_ascii_lowercase();
        let known = |code: Code, message: String, hint: &str| ExprError::new(code, message).at(span).hint(hint);
        match lowered.as_str() {
            "sum" | "count" | "avg" | "min" | "max" => {
                return known(
                    code::NOT_OFFERED,
                    format!("the aggregate `{name}` is not offered in expressions"),
                    "an expression sees one row; `least` and `greatest` compare values of a row",
                );
            }
            "now" | "random" | "current_date" | "current_timestamp" | "uuid" => {
                return known(
                    code::NOT_OFFERED,
                    format!("`{name}` is not offered in expressions"),
                    "a migration that is run again must give the same rows; write a literal",
                );
            }
            "ifnull" | "nvl" => {
                return known(code::UNKNOWN_FUNCTION, format!("there is no function `{name}`"), "use `coalesce(a, b)`");
            }
            _ => {}
        }
        let error = ExprError::new(code::UNKNOWN_FUNCTION, format!("there is no function `{name}`")).at(span);
        match nearest(&lowered, Function::names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("the reference page on expressions lists all"),
        }
    }
}

pub(super) fn number(text: &str) -> Literal {
    let unsigned = text.trim_start_matches('-');
    if unsigned.contains(['e', 'E']) {
        return match text.parse::<f64>() {
            Ok(value) => Literal::Float(crate::cast::text::float64(value)),
            Err(_) => Literal::Float(text.to_owned()),
        };
    }
    match unsigned.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => {
            let sign = if text.starts_with('-') { "-" } else { "" };
            let whole = whole.trim_start_matches('0');
            Literal::Decimal(format!("{sign}{}.{fraction}", if whole.is_empty() { "0" } else { whole }))
        }
        _ => {
            let digits = unsigned.trim_end_matches('.').trim_start_matches('0');
            let digits = if digits.is_empty() { "0" } else { digits };
            let sign = if text.starts_with('-') && digits != "0" { "-" } else { "" };
            Literal::Integer(format!("{sign}{digits}"))
        }
    }
}
