//! Operators on two values.

use super::{Evaluator, Stop, Value, fail, words};
use crate::jinja::ast::Operator;
use crate::jinja::error::ErrorKind;
use crate::jinja::filters::percent_format;
use crate::jinja::value::show;
use crate::trace::{Span, Traced};

impl Operator {
    fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Modulo => "%",
            Self::Power => "**",
        }
    }
}

impl Evaluator<'_> {
    /// `left operator right`.
    pub(in crate::jinja) fn operate(
        &mut self,
        operator: Operator,
        left: Value,
        right: Value,
        at: Span,
    ) -> Result<Value, Stop> {
        let (left, right) = (plain(left), plain(right));
        match (&left, &right) {
            (Value::Undefined(name), _) | (_, Value::Undefined(name)) => {
                return fail(ErrorKind::Name, format!("`{name}` is not defined"), at);
            }
            (Value::Text(text), _) if operator == Operator::Modulo => {
                let formatted = percent_format(text, &right, at)?;
                return self.text(formatted, at);
            }
            (Value::Open(_), _) | (_, Value::Open(_)) if !matches!((&left, &right), (Value::Text(_), _)) => {
                return Ok(self.open(&format!("({} {} {})", words(&left), operator.sign(), words(&right)), at));
            }
            (Value::Text(_), Value::Open(_)) if operator == Operator::Add => {
                return self.join_texts(&show(&left), &show(&right), at);
            }
            _ => {}
        }
        if let (Some(one), Some(two)) = (number(&left), number(&right)) {
            return self.calculate(operator, one, two, at);
        }
        match (operator, &left, &right) {
            (Operator::Add, Value::Text(one), Value::Text(two)) => self.join_texts(one, two, at),
            (Operator::Add, Value::List(one), Value::List(two)) => {
                let mut items = one.items();
                items.extend(two.items());
                self.list(items, at)
            }
            (Operator::Add, Value::Tuple(one), Value::Tuple(two)) => {
                let mut items = one.items();
                items.extend(two.items());
                self.check_items(items.len(), at)?;
                Ok(Value::tuple(items))
            }
            (Operator::Subtract, Value::List(one), Value::List(two)) => {
                let kept = one.items().into_iter().filter(|item| !is_in(&two.items(), item)).collect();
                self.list(kept, at)
            }
            (Operator::Multiply, _, _) => self.repeated(left, right, at),
            _ => mismatch(operator, &left, &right, at),
        }
    }

    fn join_texts(&mut self, one: &Traced, two: &Traced, at: Span) -> Result<Value, Stop> {
        let mut text = one.clone();
        text.append(two);
        self.text(text, at)
    }

    /// A text, list or tuple, so many times.
    fn repeated(&mut self, left: Value, right: Value, at: Span) -> Result<Value, Stop> {
        let (times, what) = match (&left, &right) {
            (Value::Int(times, _), _) => (*times, &right),
            (_, Value::Int(times, _)) => (*times, &left),
            _ => return mismatch(Operator::Multiply, &left, &right, at),
        };
        let times = usize::try_from(times).unwrap_or(0);
        if let Value::Text(text) = what {
            self.check_text(text.text().len().saturating_mul(times), at)?;
            let mut result = Traced::new();
            for _ in 0..times {
                result.append(text);
            }
            self.spend(times / 16, at)?;
            return self.text(result, at);
        }
        if !matches!(what, Value::List(_) | Value::Tuple(_)) {
            return mismatch(Operator::Multiply, &left, &right, at);
        }
        self.check_items(what.length().unwrap_or(0).saturating_mul(times), at)?;
        let items = self.items(what, at)?;
        let many: Vec<Value> = std::iter::repeat_n(items, times).flatten().collect();
        Ok(if matches!(what, Value::List(_)) { Value::list(many) } else { Value::tuple(many) })
    }

    fn calculate(&mut self, operator: Operator, one: Number, two: Number, at: Span) -> Result<Value, Stop> {
        let zero = matches!(two, Number::Int(0)) || matches!(two, Number::Float(0.0));
        if zero && matches!(operator, Operator::Divide | Operator::FloorDivide | Operator::Modulo) {
            return fail(ErrorKind::Type, "division by zero", at);
        }
        if let (Number::Int(one), Number::Int(two)) = (one, two)
            && operator != Operator::Divide
            && !(operator == Operator::Power && two < 0)
        {
            let exponent = u32::try_from(two).ok();
            let result = match operator {
                Operator::Add => one.checked_add(two),
                Operator::Subtract => one.checked_sub(two),
                Operator::Multiply => one.checked_mul(two),
                Operator::Power => exponent.and_then(|exponent| one.checked_pow(exponent)),
                Operator::Modulo => one
                    .checked_rem(two)
                    .map(|rest| if rest != 0 && (rest < 0) != (two < 0) { rest + two } else { rest }),
                _ => one
                    .checked_div(two)
                    .map(|whole| if one % two != 0 && (one < 0) != (two < 0) { whole - 1 } else { whole }),
            };
            return match result {
                Some(number) => Ok(Value::int(number)),
                None => fail(ErrorKind::Limit, "a number becomes too large", at),
            };
        }
        let (one, two) = (one.float(), two.float());
        Ok(Value::float(match operator {
            Operator::Add => one + two,
            Operator::Subtract => one - two,
            Operator::Multiply => one * two,
            Operator::Divide => one / two,
            Operator::FloorDivide => (one / two).floor(),
            Operator::Modulo => one - (one / two).floor() * two,
            Operator::Power => one.powf(two),
        }))
    }

    pub(super) fn negative(&mut self, value: Value, at: Span) -> Result<Value, Stop> {
        match value {
            Value::Open(open) => Ok(self.open(&format!("-{}", open.what), at)),
            other => match number(&other) {
                Some(Number::Int(number)) => {
                    self.calculate(Operator::Subtract, Number::Int(0), Number::Int(number), at)
                }
                Some(Number::Float(number)) => Ok(Value::float(-number)),
                None => fail(ErrorKind::Type, format!("`-` is not for a value of type `{}`", other.type_name()), at),
            },
        }
    }
}

/// What counts as text, as text.
fn plain(value: Value) -> Value {
    match &value {
        Value::Object(object) if object.is_text() => Value::text(object.print()),
        _ => value,
    }
}

fn is_in(items: &[Value], item: &Value) -> bool {
    items.iter().any(|found| crate::jinja::value::equal(found, item) == Some(true))
}

fn mismatch(operator: Operator, left: &Value, right: &Value, at: Span) -> Result<Value, Stop> {
    let message = format!("`{}` is not for `{}` and `{}`", operator.sign(), left.type_name(), right.type_name());
    fail(ErrorKind::Type, message, at)
}

#[derive(Debug, Clone, Copy)]
enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    fn float(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Bool(value) => Some(Number::Int(i64::from(*value))),
        Value::Int(number, _) => Some(Number::Int(*number)),
        Value::Float(number, _) => Some(Number::Float(*number)),
        _ => None,
    }
}
