//! The parsed tree to [`Expr`]: operators, and everything that holds other expressions.

use super::{CutType, PLACEHOLDER, Places, leaf};
use crate::code::expr as code;
use crate::expr::{Expr, ExprError, ExprKind, Function, Literal};
use sqlparser::ast::{
    self, BinaryOperator, CastKind, CeilFloorKind, DateTimeField, Spanned, TrimWhereField, UnaryOperator, Value,
};

/// Nesting of the result.
pub(super) const DEPTH: usize = 100;

/// What turns a tree of the SQL parser into ours.
pub(super) struct Lowering<'a> {
    pub(super) places: &'a Places<'a>,
    pub(super) types: &'a [CutType],
}

pub(super) type Lowered = Result<Expr, ExprError>;

impl Lowering<'_> {
    pub(super) fn span(&self, of: &impl Spanned) -> (usize, usize) {
        self.places.range(of.span())
    }

    pub(super) fn refuse(&self, of: &impl Spanned, what: &str, hint: &str) -> ExprError {
        let error = ExprError::new(code::NOT_OFFERED, format!("{what} is not offered in expressions"));
        let error = error.at(self.span(of));
        if hint.is_empty() { error } else { error.hint(hint) }
    }

    fn exprs<'e>(&self, list: impl IntoIterator<Item = &'e ast::Expr>, depth: usize) -> Result<Vec<Expr>, ExprError> {
        list.into_iter().map(|item| self.expr(item, depth + 1)).collect()
    }

    fn call<'e>(
        &self,
        whole: &ast::Expr,
        function: Function,
        args: impl IntoIterator<Item = &'e ast::Expr>,
        depth: usize,
    ) -> Lowered {
        Ok(Expr { span: self.span(whole), kind: ExprKind::Call { function, args: self.exprs(args, depth)? } })
    }

    fn negated(inner: Expr, negated: bool) -> Expr {
        if !negated {
            return inner;
        }
        Expr { span: inner.span, kind: ExprKind::Call { function: Function::Not, args: vec![inner] } }
    }

    pub(super) fn expr(&self, expr: &ast::Expr, depth: usize) -> Lowered {
        if depth > DEPTH {
            let message = format!("the expression nests deeper than {DEPTH} levels");
            return Err(ExprError::new(code::TOO_LARGE, message).at(self.span(expr)));
        }
        use ast::Expr as E;
        match expr {
            E::Nested(inner) => self.expr(inner, depth + 1),
            E::Identifier(ident) => self.column(ident),
            E::CompoundIdentifier(path) => self.path(path),
            E::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain, depth),
            E::Value(value) => self.literal(&value.value, self.places.range(value.span)),
            E::TypedString(typed) => self.typed_string(typed),
            E::UnaryOp { op, expr: operand } => self.unary(expr, *op, operand, depth),
            E::BinaryOp { left, op, right } => self.binary(expr, left, op, right, depth),
            E::IsNull(operand) => self.call(expr, Function::IsNull, [&**operand], depth),
            E::IsNotNull(operand) => self.call(expr, Function::IsNotNull, [&**operand], depth),
            E::IsTrue(operand) => self.is_truth(expr, operand, true, Function::IsNotDistinct, depth),
            E::IsFalse(operand) => self.is_truth(expr, operand, false, Function::IsNotDistinct, depth),
            E::IsNotTrue(operand) => self.is_truth(expr, operand, true, Function::IsDistinct, depth),
            E::IsNotFalse(operand) => self.is_truth(expr, operand, false, Function::IsDistinct, depth),
            E::IsDistinctFrom(left, right) => self.call(expr, Function::IsDistinct, [&**left, &**right], depth),
            E::IsNotDistinctFrom(left, right) => self.call(expr, Function::IsNotDistinct, [&**left, &**right], depth),
            E::InList { expr: operand, list, negated } => {
                let call = self.call(expr, Function::In, std::iter::once(&**operand).chain(list), depth)?;
                Ok(Self::negated(call, *negated))
            }
            E::Between { expr: operand, negated, low, high } => {
                let low = self.call(expr, Function::GreaterEqual, [&**operand, &**low], depth + 1)?;
                let high = self.call(expr, Function::LessEqual, [&**operand, &**high], depth + 1)?;
                let both = ExprKind::Call { function: Function::And, args: vec![low, high] };
                Ok(Self::negated(Expr { span: self.span(expr), kind: both }, *negated))
            }
            E::Like { negated, any: false, expr: operand, pattern, escape_char } => {
                let mut like = self.call(expr, Function::Like, [&**operand, &**pattern], depth)?;
                if let (Some(escape), ExprKind::Call { args, .. }) = (escape_char, &mut like.kind) {
                    args.push(self.literal(escape, like.span)?);
                }
                Ok(Self::negated(like, *negated))
            }
            E::ILike { .. } => Err(self.refuse(expr, "`ILIKE`", "write `lower(a) LIKE 'pattern'`")),
            E::Cast { kind, expr: operand, data_type, array: false, format: None } => {
                self.cast(expr, kind, operand, data_type, depth)
            }
            E::Case { operand, conditions, else_result, .. } => {
                self.case(expr, operand.as_deref(), conditions, else_result.as_deref(), depth)
            }
            E::Extract { field, expr: operand, .. } => self.extract(expr, field, operand, depth),
            E::AtTimeZone { timestamp, time_zone } => {
                self.call(expr, Function::AtTimeZone, [&**timestamp, &**time_zone], depth)
            }
            E::Ceil { expr: operand, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.call(expr, Function::Ceil, [&**operand], depth)
            }
            E::Floor { expr: operand, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.call(expr, Function::Floor, [&**operand], depth)
            }
            E::Position { expr: part, r#in } => self.call(expr, Function::Position, [&**r#in, &**part], depth),
            E::Substring { expr: operand, substring_from: Some(from), substring_for, .. } => {
                let args = [&**operand, &**from].into_iter().chain(substring_for.as_deref());
                self.call(expr, Function::Substring, args, depth)
            }
            E::Trim { expr: operand, trim_where, trim_what, trim_characters } => {
                let function = match trim_where {
                    None | Some(TrimWhereField::Both) => Function::Trim,
                    Some(TrimWhereField::Leading) => Function::TrimLeft,
                    Some(TrimWhereField::Trailing) => Function::TrimRight,
                };
                let more = trim_what.as_deref().into_iter().chain(trim_characters.iter().flatten());
                self.call(expr, function, std::iter::once(&**operand).chain(more), depth)
            }
            E::Function(call) => self.function(expr, call, depth),
            E::Interval(_) => Err(self.refuse(expr, "an interval", "`date + 7` adds seven days")),
            E::Subquery(_) | E::InSubquery { .. } | E::Exists { .. } => {
                Err(self.refuse(expr, "a sub-query", "an expression sees one row"))
            }
            E::SimilarTo { .. } | E::RLike { .. } => {
                Err(self.refuse(expr, "a regular expression", "use `LIKE`, `starts_with`, `split_part` or `replace`"))
            }
            other => Err(self.refuse(other, &format!("`{}`", shortened(other)), "")),
        }
    }

    fn unary(&self, whole: &ast::Expr, op: UnaryOperator, operand: &ast::Expr, depth: usize) -> Lowered {
        match (op, operand) {
            (UnaryOperator::Minus, ast::Expr::Value(value)) if matches!(value.value, Value::Number(_, false)) => {
                let Value::Number(text, _) = &value.value else { return self.expr(operand, depth + 1) };
                Ok(Expr { span: self.span(whole), kind: ExprKind::Literal(leaf::number(&format!("-{text}"))) })
            }
            (UnaryOperator::Minus, _) => self.call(whole, Function::Negate, [operand], depth),
            (UnaryOperator::Plus, _) => self.expr(operand, depth + 1),
            (UnaryOperator::Not, _) => self.call(whole, Function::Not, [operand], depth),
            (other, _) => Err(self.refuse(whole, &format!("the operator `{other}`"), "")),
        }
    }

    fn is_truth(
        &self,
        whole: &ast::Expr,
        operand: &ast::Expr,
        truth: bool,
        function: Function,
        depth: usize,
    ) -> Lowered {
        let operand = self.expr(operand, depth + 1)?;
        let span = self.span(whole);
        let truth = Expr { span, kind: ExprKind::Literal(Literal::Boolean(truth)) };
        Ok(Expr { span, kind: ExprKind::Call { function, args: vec![operand, truth] } })
    }

    fn binary(
        &self,
        whole: &ast::Expr,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
        depth: usize,
    ) -> Lowered {
        let function = match op {
            BinaryOperator::Plus => Function::Add,
            BinaryOperator::Minus => Function::Subtract,
            BinaryOperator::Multiply => Function::Multiply,
            BinaryOperator::Divide => Function::Divide,
            BinaryOperator::Modulo => Function::Modulo,
            BinaryOperator::Eq => Function::Equal,
            BinaryOperator::NotEq => Function::NotEqual,
            BinaryOperator::Lt => Function::Less,
            BinaryOperator::LtEq => Function::LessEqual,
            BinaryOperator::Gt => Function::Greater,
            BinaryOperator::GtEq => Function::GreaterEqual,
            BinaryOperator::And | BinaryOperator::Or | BinaryOperator::StringConcat => {
                return self.chain(whole, op, depth);
            }
            other => return Err(self.refuse(whole, &format!("the operator `{other}`"), "")),
        };
        self.call(whole, function, [left, right], depth)
    }

    /// `a AND b AND c`, however long, is one call.
    fn chain(&self, whole: &ast::Expr, op: &BinaryOperator, depth: usize) -> Lowered {
        let function = match op {
            BinaryOperator::And => Function::And,
            BinaryOperator::Or => Function::Or,
            _ => Function::Concat,
        };
        let mut operands = Vec::new();
        let mut rest = whole;
        while let ast::Expr::BinaryOp { left, op: same, right } = rest
            && same == op
        {
            operands.push(&**right);
            rest = left;
        }
        operands.push(rest);
        self.call(whole, function, operands.into_iter().rev(), depth)
    }

    fn cast(
        &self,
        whole: &ast::Expr,
        kind: &CastKind,
        operand: &ast::Expr,
        data_type: &ast::DataType,
        depth: usize,
    ) -> Lowered {
        let safe = match kind {
            CastKind::Cast => false,
            CastKind::TryCast => true,
            CastKind::SafeCast => return Err(self.refuse(whole, "`SAFE_CAST`", "write `TRY_CAST(x AS type)`")),
            CastKind::DoubleColon => return Err(self.refuse(whole, "`::`", "write `CAST(x AS type)`")),
        };
        let cut = match data_type {
            ast::DataType::Custom(name, _) => {
                let name = name.to_string();
                name.strip_prefix(PLACEHOLDER).and_then(|index| self.types.get(index.parse::<usize>().ok()?))
            }
            _ => None,
        };
        let (data_type, loss) =
            cut.cloned().ok_or_else(|| ExprError::new(code::BAD_TYPE, "a type is missing").at(self.span(whole)))?;
        let input = Box::new(self.expr(operand, depth + 1)?);
        Ok(Expr { span: self.span(whole), kind: ExprKind::Cast { input, data_type, loss, safe } })
    }

    fn case(
        &self,
        whole: &ast::Expr,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
        depth: usize,
    ) -> Lowered {
        let operand = operand.map(|operand| self.expr(operand, depth + 2)).transpose()?;
        let mut branches = Vec::with_capacity(conditions.len());
        for when in conditions {
            let mut condition = self.expr(&when.condition, depth + 1)?;
            if let Some(operand) = &operand {
                let span = condition.span;
                let args = vec![operand.clone(), condition];
                condition = Expr { span, kind: ExprKind::Call { function: Function::Equal, args } };
            }
            branches.push((condition, self.expr(&when.result, depth + 1)?));
        }
        let otherwise = otherwise.map(|other| self.expr(other, depth + 1).map(Box::new)).transpose()?;
        Ok(Expr { span: self.span(whole), kind: ExprKind::Case { branches, otherwise } })
    }

    fn extract(&self, whole: &ast::Expr, field: &DateTimeField, operand: &ast::Expr, depth: usize) -> Lowered {
        let span = self.span(whole);
        let name = field.to_string().to_ascii_lowercase();
        let name = Expr { span, kind: ExprKind::Literal(Literal::String(name)) };
        let args = vec![name, self.expr(operand, depth + 1)?];
        Ok(Expr { span, kind: ExprKind::Call { function: Function::DatePart, args } })
    }
}

fn shortened(expr: &ast::Expr) -> String {
    let text = expr.to_string();
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
