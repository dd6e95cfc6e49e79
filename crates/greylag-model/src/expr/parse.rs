//! Text to [`Expr`]. `sqlparser` reads SQL; everything outside the closed set is refused here, with its place.
//!
//! Types inside `CAST` are ours, not SQL's (`timestamp(us, UTC)`, `list<int32>`, a loss policy behind them), so they
//! are cut out of the token stream before SQL is parsed and a numbered word is left in their place.

use super::{Expr, ExprError, ExprKind, Function, Literal};
use crate::code::{Code, expr as code};
use crate::spec::Loss;
use crate::types::DataType;
use sqlparser::ast::{
    self, AccessExpr, BinaryOperator, CastKind, CeilFloorKind, DateTimeField, FunctionArg, FunctionArgExpr,
    FunctionArguments, Spanned, Subscript, TrimWhereField, UnaryOperator, Value,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

/// Longest text of an expression, in bytes.
pub const LARGEST: usize = 64 * 1024;
/// Most words and signs; bounds the depth of chains such as `a + b + …`.
const TOKENS: usize = 4_000;
/// Nesting that the SQL parser accepts.
const RECURSION: usize = 50;
/// Nesting of the result.
const DEPTH: usize = 100;
/// Word that stands for a type that was cut out.
const PLACEHOLDER: &str = "greylag_type_";

/// Stack for [`RECURSION`] levels of the SQL parser, whose frames are large in a build without optimisation.
const STACK: usize = 24 * 1024 * 1024;

/// Reads an expression.
pub fn parse(text: &str) -> Result<Expr, ExprError> {
    if text.len() > LARGEST {
        return Err(ExprError::new(code::TOO_LARGE, format!("the expression is longer than {LARGEST} bytes")));
    }
    stacker::maybe_grow(STACK, STACK, || read(text))
}

fn read(text: &str) -> Result<Expr, ExprError> {
    let places = Places::new(text);
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().map_err(|error| {
        let at = places.offset(error.location);
        ExprError::new(code::SYNTAX, lower(&error.message)).at((at, text.len()))
    })?;
    let mut tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    if tokens.len() > TOKENS {
        return Err(ExprError::new(code::TOO_LARGE, format!("the expression has more than {TOKENS} words and signs")));
    }
    let types = cut_types(text, &places, &mut tokens)?;
    let dialect = GenericDialect {};
    let mut parser = Parser::new(&dialect).with_recursion_limit(RECURSION).with_tokens_with_locations(tokens);
    let parsed = parser.parse_expr().map_err(|error| syntax(&error, &parser, &places))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let message = format!("expected the end of the expression, found `{}`", next.token);
        return Err(ExprError::new(code::SYNTAX, message).at(places.range(next.span)));
    }
    Lowering { places: &places, types: &types }.expr(&parsed, 0)
}

fn lower(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().collect::<String>() + letters.as_str())
}

fn syntax(error: &ParserError, parser: &Parser<'_>, places: &Places<'_>) -> ExprError {
    match error {
        ParserError::RecursionLimitExceeded => {
            ExprError::new(code::TOO_LARGE, format!("the expression nests deeper than {RECURSION} levels"))
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            // The parser stops at or one behind the word that it did not expect.
            let message = message.split(" at Line:").next().unwrap_or(message);
            let index = parser.index().saturating_sub(1);
            let span = parser.token_at(index).span;
            let here = if message.contains("found: EOF") {
                (places.text.len(), places.text.len())
            } else {
                places.range(span)
            };
            ExprError::new(code::SYNTAX, lower(&message.replace("found: EOF", "found the end"))).at(here)
        }
    }
}

/// Lines and columns of the tokenizer to byte offsets.
struct Places<'a> {
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, lines: std::iter::once(0).chain(breaks).collect() }
    }

    fn offset(&self, location: Location) -> usize {
        if location.line == 0 {
            return 0;
        }
        let start = self.lines.get(location.line as usize - 1).copied().unwrap_or(self.text.len());
        let rest = &self.text[start..];
        let column = location.column.saturating_sub(1) as usize;
        start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
    }

    fn range(&self, span: Span) -> (usize, usize) {
        if span.start.line == 0 { (0, self.text.len()) } else { (self.offset(span.start), self.offset(span.end)) }
    }
}

/// A type that was cut out, with its policy.
type CutType = (DataType, Option<Loss>);

fn cut_types(text: &str, places: &Places<'_>, tokens: &mut Vec<TokenWithSpan>) -> Result<Vec<CutType>, ExprError> {
    let mut types = Vec::new();
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // Depths of the parentheses of casts whose `AS` is still to come.
    let mut open: Vec<usize> = Vec::new();
    let mut depth = 0;
    let mut rest = tokens.drain(..).peekable();
    let is_word = |token: &Token, words: &[&str]| matches!(token, Token::Word(word) if word.quote_style.is_none() && words.iter().any(|known| word.value.eq_ignore_ascii_case(known)));
    let mut last_was_cast = false;
    while let Some(token) = rest.next() {
        match &token.token {
            Token::LParen => {
                depth += 1;
                if last_was_cast {
                    open.push(depth);
                }
            }
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        last_was_cast = is_word(&token.token, &["CAST", "TRY_CAST"]);
        let is_as = is_word(&token.token, &["AS"]) && open.last() == Some(&depth);
        kept.push(token);
        if !is_as {
            continue;
        }
        open.pop();
        let mut inner = 0_usize;
        let mut span: Option<Span> = None;
        while let Some(next) = rest.next_if(|next| !(inner == 0 && next.token == Token::RParen)) {
            match next.token {
                Token::LParen => inner += 1,
                Token::RParen => inner -= 1,
                Token::EOF => break,
                _ => {}
            }
            span = Some(span.map_or(next.span, |span: Span| span.union(&next.span)));
        }
        if let Some(span) = span {
            let (start, end) = places.range(span);
            types.push(read_type(&text[start..end]).map_err(|error| error.at((start, end)))?);
            let word = Token::make_word(&format!("{PLACEHOLDER}{}", types.len() - 1), None);
            kept.push(TokenWithSpan::new(word, span));
        }
    }
    drop(rest);
    *tokens = kept;
    Ok(types)
}

fn read_type(text: &str) -> Result<CutType, ExprError> {
    let (written, loss) = match text.rsplit_once(char::is_whitespace) {
        Some((written, word)) if word.eq_ignore_ascii_case("round") => (written, Some(Loss::Round)),
        Some((written, word)) if word.eq_ignore_ascii_case("truncate") => (written, Some(Loss::Truncate)),
        Some((written, word)) if word.eq_ignore_ascii_case("fail") => (written, Some(Loss::Fail)),
        _ => (text, None),
    };
    let data_type = written.trim().parse::<DataType>().map_err(|message| ExprError::new(code::BAD_TYPE, message))?;
    Ok((data_type, loss))
}

struct Lowering<'a> {
    places: &'a Places<'a>,
    types: &'a [CutType],
}

type Lowered = Result<Expr, ExprError>;

impl Lowering<'_> {
    fn span(&self, of: &impl Spanned) -> (usize, usize) {
        self.places.range(of.span())
    }

    fn refuse(&self, of: &impl Spanned, what: &str, hint: &str) -> ExprError {
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

    fn expr(&self, expr: &ast::Expr, depth: usize) -> Lowered {
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

    fn column(&self, ident: &ast::Ident) -> Lowered {
        match ident.quote_style {
            None | Some('"') => {
                Ok(Expr { span: self.places.range(ident.span), kind: ExprKind::Column(ident.value.clone()) })
            }
            Some(_) => Err(ExprError::new(code::SYNTAX, "names are quoted with double quotes")
                .at(self.places.range(ident.span))
                .hint(format!("write `\"{}\"`", ident.value))),
        }
    }

    fn path(&self, path: &[ast::Ident]) -> Lowered {
        let (first, fields) = path.split_first().ok_or_else(|| ExprError::new(code::SYNTAX, "a name is missing"))?;
        let root = self.column(first)?;
        Ok(fields.iter().fold(root, |root, field| self.field(root, field)))
    }

    fn field(&self, root: Expr, field: &ast::Ident) -> Expr {
        let span = self.places.range(field.span);
        let name = Expr { span, kind: ExprKind::Literal(Literal::String(field.value.clone())) };
        Expr { span: (root.span.0, span.1), kind: ExprKind::Call { function: Function::Field, args: vec![root, name] } }
    }

    fn access(&self, root: &ast::Expr, chain: &[AccessExpr], depth: usize) -> Lowered {
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

    fn literal(&self, value: &Value, span: (usize, usize)) -> Lowered {
        let literal = match value {
            Value::Number(text, false) => number(text),
            Value::SingleQuotedString(text) => Literal::String(text.clone()),
            Value::HexStringLiteral(hex) if super::literal::from_hex(hex).is_some() => {
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

    fn typed_string(&self, typed: &ast::TypedString) -> Lowered {
        let data_type = match &typed.data_type {
            ast::DataType::Date => DataType::Date,
            ast::DataType::Time(None, ast::TimezoneInfo::None) => DataType::Time(crate::types::TimeUnit::Us),
            ast::DataType::Timestamp(None, ast::TimezoneInfo::None) => {
                DataType::Timestamp { unit: crate::types::TimeUnit::Us, zone: None }
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

    fn unary(&self, whole: &ast::Expr, op: UnaryOperator, operand: &ast::Expr, depth: usize) -> Lowered {
        match (op, operand) {
            (UnaryOperator::Minus, ast::Expr::Value(value)) if matches!(value.value, Value::Number(_, false)) => {
                let Value::Number(text, _) = &value.value else { return self.expr(operand, depth + 1) };
                Ok(Expr { span: self.span(whole), kind: ExprKind::Literal(number(&format!("-{text}"))) })
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

    fn function(&self, whole: &ast::Expr, call: &ast::Function, depth: usize) -> Lowered {
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

/// The most similar of some names, if one is similar enough.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= known.chars().count().max(name.chars().count()) / 3)
        .min()
        .map(|(_, known)| known)
}

fn number(text: &str) -> Literal {
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

fn shortened(expr: &ast::Expr) -> String {
    let text = expr.to_string();
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
