//! Arguments of a call while it is being checked: what the function takes is put in place of what was written.

use crate::cast::{Conversion, conversion};
use crate::code::expr as code;
use crate::expr::check::{adapt, cast, is_untyped_null};
use crate::expr::{ExprError, Literal, Node, TypedExpr};
use crate::spec::Loss;
use crate::types::DataType;
use crate::value::Value;

/// The arguments and their places in the text.
pub(crate) struct Args {
    pub(crate) list: Vec<TypedExpr>,
    pub(crate) spans: Vec<(usize, usize)>,
}

/// What arithmetic is done in.
pub(crate) enum Arithmetic {
    Int64,
    Float64,
    /// Precision and scale of both operands.
    Decimal((u8, u8), (u8, u8)),
}

impl Arithmetic {
    /// The type of results, but for decimals, whose operators have their own rules.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Decimal(left, right) => common_decimal(*left, *right),
        }
    }
}

/// A decimal with all digits of both before and after the point, at most 38 (the fraction's first).
pub(crate) fn common_decimal(left: (u8, u8), right: (u8, u8)) -> DataType {
    let scale = left.1.max(right.1);
    let whole = (left.0 - left.1).max(right.0 - right.1);
    DataType::Decimal { precision: (whole + scale).clamp(1, 38), scale }
}

/// As [`common_decimal`], with one digit for the carry.
pub(crate) fn sum_type(left: (u8, u8), right: (u8, u8)) -> DataType {
    let scale = left.1.max(right.1);
    let whole = (left.0 - left.1).max(right.0 - right.1) + 1;
    DataType::Decimal { precision: (whole + scale).min(38), scale }
}

impl Args {
    pub(crate) fn new(list: Vec<TypedExpr>, spans: Vec<(usize, usize)>) -> Self {
        Self { list, spans }
    }

    pub(crate) fn push(&mut self, arg: TypedExpr) {
        self.list.push(arg);
    }

    pub(crate) fn error(&self, at: usize, message: &str) -> ExprError {
        self.placed(at, ExprError::new(code::TYPE_MISMATCH, message))
    }

    fn placed(&self, at: usize, error: ExprError) -> ExprError {
        match self.spans.get(at) {
            Some(span) => error.at(*span),
            None => error,
        }
    }

    fn replace(
        &mut self,
        at: usize,
        with: impl FnOnce(TypedExpr) -> Result<TypedExpr, ExprError>,
    ) -> Result<(), ExprError> {
        let arg = std::mem::replace(&mut self.list[at], TypedExpr::null(DataType::Boolean));
        self.list[at] = with(arg).map_err(|error| self.placed(at, error))?;
        Ok(())
    }

    /// Gives a bare `NULL` a type.
    pub(crate) fn type_null(&mut self, at: usize, data_type: &DataType) {
        if is_untyped_null(&self.list[at]) {
            self.list[at] = TypedExpr::null(data_type.clone());
        }
    }

    /// The argument has this type or converts to it exactly.
    pub(crate) fn expect(&mut self, at: usize, data_type: &DataType) -> Result<(), ExprError> {
        self.type_null(at, data_type);
        if let Some(literal) = adapt(&self.list[at], data_type) {
            self.list[at] = literal;
        }
        let given = &self.list[at].data_type;
        if given == data_type {
            return Ok(());
        }
        // Text is never made of something else unasked, and numbers only of numbers.
        if given.is_number() && data_type.is_number() && conversion(given, data_type).is_exact() {
            return self.replace(at, |arg| cast(arg, data_type, None, false));
        }
        Err(self.error(at, &format!("expected `{data_type}`, found `{given}`")))
    }

    pub(crate) fn all(&mut self, data_type: &DataType) -> Result<(), ExprError> {
        (0..self.list.len()).try_for_each(|at| self.expect(at, data_type))
    }

    /// An integer of any width but `uint64`, as int64.
    pub(crate) fn integer(&mut self, at: usize) -> Result<(), ExprError> {
        self.expect(at, &DataType::Int64)
    }

    /// Any number, as float64; rounded where it has more digits.
    pub(crate) fn float(&mut self, at: usize) -> Result<(), ExprError> {
        self.type_null(at, &DataType::Float64);
        let given = &self.list[at].data_type;
        if !given.is_number() {
            return Err(self.error(at, &format!("expected a number, found `{given}`")));
        }
        self.replace(at, to_float)
    }

    /// Any number, as int64, float64 or a decimal.
    pub(crate) fn number(&mut self, at: usize) -> Result<(), ExprError> {
        self.type_null(at, &DataType::Int64);
        match &self.list[at].data_type {
            DataType::Decimal { .. } => Ok(()),
            DataType::UInt64 => {
                self.replace(at, |arg| cast(arg, &DataType::Decimal { precision: 20, scale: 0 }, None, false))
            }
            given if given.is_float() => self.float(at),
            given if given.integer().is_some() => self.integer(at),
            given => Err(self.error(at, &format!("expected a number, found `{given}`"))),
        }
    }

    /// Both operands of an arithmetic operator.
    pub(crate) fn arithmetic(&mut self) -> Result<Arithmetic, ExprError> {
        // A bare null takes the other's type.
        for (null, other) in [(0, 1), (1, 0)] {
            let other = self.list[other].data_type.clone();
            let other = if other.is_number() { other } else { DataType::Int64 };
            self.type_null(null, &other);
        }
        if self.list.iter().any(|arg| arg.data_type.is_float()) {
            self.float(0)?;
            self.float(1)?;
            return Ok(Arithmetic::Float64);
        }
        self.number(0)?;
        self.number(1)?;
        if self.list.iter().all(|arg| arg.data_type == DataType::Int64) {
            return Ok(Arithmetic::Int64);
        }
        Ok(Arithmetic::Decimal(self.as_decimal(0)?, self.as_decimal(1)?))
    }

    /// Precision and scale, an integer being converted; a literal has just its own digits.
    fn as_decimal(&mut self, at: usize) -> Result<(u8, u8), ExprError> {
        if self.list[at].data_type == DataType::Int64 {
            let precision = match &self.list[at].node {
                Node::Literal(Literal::Integer(digits)) => digits.trim_start_matches('-').len() as u8,
                Node::Cast { input, .. } => input.data_type.integer_digits().unwrap_or(19),
                _ => 19,
            };
            // The conversion to int64 was a detour.
            self.replace(at, |arg| {
                let arg = match arg.node {
                    Node::Cast { input, .. } if input.data_type.integer_digits() == Some(precision) => *input,
                    node => TypedExpr { node, ..arg },
                };
                cast(arg, &DataType::Decimal { precision, scale: 0 }, None, false)
            })?;
        }
        match self.list[at].data_type {
            DataType::Decimal { precision, scale } => Ok((precision, scale)),
            _ => Err(self.error(at, "expected a number")),
        }
    }

    /// A date and an integer, in this order; the integer is made an int64.
    pub(crate) fn days_and_integer(&mut self) -> Result<bool, ExprError> {
        if self.list[0].data_type != DataType::Date {
            return Ok(false);
        }
        self.integer(1)?;
        Ok(true)
    }

    /// Converts all to their common type.
    pub(crate) fn unify(&mut self) -> Result<DataType, ExprError> {
        let known = |arg: &&TypedExpr| !is_untyped_null(arg);
        let mut target: Option<DataType> = None;
        // Literals give way to columns where they have an equal there.
        let is_literal = |arg: &&TypedExpr| matches!(arg.node, Node::Literal(_));
        let ordered = self.list.iter().filter(known).filter(|arg| !is_literal(arg));
        let ordered: Vec<&TypedExpr> = ordered.chain(self.list.iter().filter(known).filter(is_literal)).collect();
        for arg in ordered {
            target = Some(match target {
                None => arg.data_type.clone(),
                Some(target) if adapt(arg, &target).is_some() => target,
                Some(target) => {
                    let message = || format!("`{target}` and `{}` have no common type", arg.data_type);
                    common(&target, &arg.data_type).ok_or_else(|| {
                        let error = ExprError::new(code::TYPE_MISMATCH, message());
                        let at = self.list.iter().position(|other| std::ptr::eq(other, arg)).unwrap_or(0);
                        self.placed(at, error).hint("convert one of them: `CAST(x AS type)`")
                    })?
                }
            });
        }
        let target = target.unwrap_or(DataType::Struct(Vec::new()));
        for at in 0..self.list.len() {
            if let Some(literal) = adapt(&self.list[at], &target) {
                self.list[at] = literal;
                continue;
            }
            let loss = target.is_float().then_some(Loss::Round);
            let exact = conversion(&self.list[at].data_type, &target).is_exact();
            self.replace(at, |arg| cast(arg, &target, if exact { None } else { loss }, false))?;
        }
        Ok(target)
    }

    /// Converts all to a common type that has an order.
    pub(crate) fn compare(&mut self) -> Result<DataType, ExprError> {
        let data_type = self.unify()?;
        if data_type.is_nested() {
            if !self.list.iter().all(is_untyped_null) {
                return Err(self.error(0, "lists, structs and maps are not compared"));
            }
            (0..self.list.len()).for_each(|at| self.type_null(at, &DataType::Boolean));
        }
        Ok(DataType::Boolean)
    }

    /// The text of an argument that must be a text literal.
    pub(crate) fn literal_text(&self, at: usize) -> Result<String, ExprError> {
        match &self.list[at].node {
            Node::Literal(Literal::String(text)) => Ok(text.clone()),
            _ => Err(self.placed(at, ExprError::new(code::ARGUMENTS, "this argument must be a text literal"))),
        }
    }

    /// The number of an argument that must be an integer literal.
    pub(crate) fn literal_integer(&self, at: usize) -> Result<i64, ExprError> {
        let error = || self.placed(at, ExprError::new(code::ARGUMENTS, "this argument must be a whole number"));
        match &self.list[at] {
            TypedExpr { node: Node::Literal(literal @ Literal::Integer(_)), data_type, .. } => {
                match literal.value(data_type) {
                    Ok(Value::Int(value)) => i64::try_from(value).map_err(|_| error()),
                    _ => Err(error()),
                }
            }
            _ => Err(error()),
        }
    }

    /// The zone of an argument's type.
    pub(crate) fn zone(&self, at: usize) -> Option<String> {
        match &self.list.get(at)?.data_type {
            DataType::Timestamp { zone, .. } => zone.clone(),
            _ => None,
        }
    }
}

fn to_float(arg: TypedExpr) -> Result<TypedExpr, ExprError> {
    let exact = matches!(conversion(&arg.data_type, &DataType::Float64), Conversion::Exact);
    cast(arg, &DataType::Float64, if exact { None } else { Some(Loss::Round) }, false)
}

/// The type that both convert to without loss (but numbers beside a float), if there is one.
fn common(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType as T;
    if left == right {
        return Some(left.clone());
    }
    if left.is_number() && right.is_number() {
        return Some(common_number(left, right));
    }
    match (left, right) {
        (T::Date, T::Timestamp { unit, zone: None }) | (T::Timestamp { unit, zone: None }, T::Date) => {
            Some(T::Timestamp { unit: *unit, zone: None })
        }
        (T::Time(left), T::Time(right)) => Some(T::Time(*left.max(right))),
        (T::Timestamp { unit: left, zone }, T::Timestamp { unit: right, zone: other }) => {
            (zone.is_some() == other.is_some()).then(|| T::Timestamp { unit: *left.max(right), zone: zone.clone() })
        }
        _ => None,
    }
}

fn common_number(left: &DataType, right: &DataType) -> DataType {
    use DataType as T;
    if left.is_float() || right.is_float() {
        return T::Float64;
    }
    if let (Some(a), Some(b)) = (left.integer_range(), right.integer_range()) {
        let wide = |range: (i128, i128)| range.0 <= a.0.min(b.0) && range.1 >= a.1.max(b.1);
        let all = [T::Int8, T::UInt8, T::Int16, T::UInt16, T::Int32, T::UInt32, T::Int64, T::UInt64];
        let found = all.into_iter().find(|candidate| candidate.integer_range().is_some_and(wide));
        return found.unwrap_or(T::Decimal { precision: 20, scale: 0 });
    }
    let digits = |data_type: &T| match data_type {
        T::Decimal { precision, scale } => (*precision, *scale),
        other => (other.integer_digits().unwrap_or(20), 0),
    };
    common_decimal(digits(left), digits(right))
}
