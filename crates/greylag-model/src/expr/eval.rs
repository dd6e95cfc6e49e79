//! The reference evaluator: one row at a time, straight from the written semantics, without Arrow.

use super::function::{Nulls, Site};
use super::{Function, Node, TypedExpr};
use crate::cast::{Unfit, convert};
use crate::code::expr as code;
use crate::schema::Schema;
use crate::spec::Loss;
use crate::types::DataType;
use crate::value::Value;
use std::borrow::Cow;

/// A row: values by the index of the column in the schema that the expression was bound to.
pub trait Row {
    /// The value of a column.
    fn value(&self, index: usize) -> Value;
}

impl Row for [Value] {
    fn value(&self, index: usize) -> Value {
        self.get(index).cloned().unwrap_or(Value::Null)
    }
}

impl Row for Vec<Value> {
    fn value(&self, index: usize) -> Value {
        self.as_slice().value(index)
    }
}

/// Why an expression fails on a row; never contains the row's values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RowError(pub Cow<'static, str>);

impl RowError {
    /// From fixed words.
    pub const fn new(reason: &'static str) -> Self {
        Self(Cow::Borrowed(reason))
    }

    /// The reason in fixed words.
    pub fn reason(&self) -> &'static str {
        match self.0 {
            Cow::Borrowed(reason) => reason,
            Cow::Owned(_) => "the expression cannot be evaluated",
        }
    }
}

impl From<Unfit> for RowError {
    fn from(unfit: Unfit) -> Self {
        Self::new(unfit.0)
    }
}

/// A typed expression whose columns are looked up once: evaluate it over many rows.
#[derive(Clone, Debug)]
pub struct Bound<'a> {
    data_type: &'a DataType,
    node: BoundNode<'a>,
}

#[derive(Clone, Debug)]
enum BoundNode<'a> {
    Column(usize),
    Literal(Value),
    Call { function: Function, site: Site<'a>, args: Vec<Bound<'a>> },
    Cast { input: Box<Bound<'a>>, loss: Option<Loss>, safe: bool },
    Case { branches: Vec<(Bound<'a>, Bound<'a>)>, otherwise: Option<Box<Bound<'a>>> },
}

impl TypedExpr {
    /// Looks up its columns in a schema.
    pub fn bind<'a>(&'a self, schema: &Schema) -> Result<Bound<'a>, super::ExprError> {
        let node = match &self.node {
            Node::Column(name) => {
                let found = schema.find(name).filter(|(_, column)| column.data_type == self.data_type);
                let (index, _) = found.ok_or_else(|| {
                    let message = format!("there is no column `{name}` of type `{}`", self.data_type);
                    super::ExprError::new(code::UNKNOWN_COLUMN, message)
                })?;
                BoundNode::Column(index)
            }
            Node::Literal(literal) => {
                let value = literal.value(&self.data_type).map_err(|unfit| {
                    super::ExprError::new(code::LITERAL, format!("the literal does not fit: {}", unfit.0))
                })?;
                BoundNode::Literal(value)
            }
            Node::Call { function, args } => BoundNode::Call {
                function: *function,
                site: Site { args, data_type: &self.data_type },
                args: args.iter().map(|arg| arg.bind(schema)).collect::<Result<_, _>>()?,
            },
            Node::Cast { input, loss, safe } => {
                BoundNode::Cast { input: Box::new(input.bind(schema)?), loss: *loss, safe: *safe }
            }
            Node::Case { branches, otherwise } => BoundNode::Case {
                branches: branches
                    .iter()
                    .map(|(when, then)| Ok((when.bind(schema)?, then.bind(schema)?)))
                    .collect::<Result<_, super::ExprError>>()?,
                otherwise: otherwise.as_ref().map(|other| other.bind(schema).map(Box::new)).transpose()?,
            },
        };
        Ok(Bound { data_type: &self.data_type, node })
    }

    /// Evaluates it on one row of `schema`. For many rows, [`TypedExpr::bind`] once.
    pub fn eval(&self, schema: &Schema, row: &dyn Row) -> Result<Value, RowError> {
        self.bind(schema).map_err(|error| RowError(error.message.into()))?.eval(row)
    }
}

impl Bound<'_> {
    /// Evaluates it on one row.
    pub fn eval(&self, row: &dyn Row) -> Result<Value, RowError> {
        match &self.node {
            BoundNode::Column(index) => Ok(row.value(*index)),
            BoundNode::Literal(value) => Ok(value.clone()),
            BoundNode::Call { function: Function::Coalesce, args, .. } => {
                for arg in args {
                    let value = arg.eval(row)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                Ok(Value::Null)
            }
            BoundNode::Call { function, site, args } => {
                let values = args.iter().map(|arg| arg.eval(row)).collect::<Result<Vec<_>, _>>()?;
                function.apply(*site, &values)
            }
            BoundNode::Cast { input, loss, safe } => {
                match convert(input.eval(row)?, input.data_type, self.data_type, *loss) {
                    Ok(value) => Ok(value),
                    Err(_) if *safe => Ok(Value::Null),
                    Err(unfit) => Err(unfit.into()),
                }
            }
            BoundNode::Case { branches, otherwise } => {
                for (when, then) in branches {
                    if when.eval(row)? == Value::Boolean(true) {
                        return then.eval(row);
                    }
                }
                otherwise.as_ref().map_or(Ok(Value::Null), |other| other.eval(row))
            }
        }
    }
}

impl Function {
    /// The function's meaning on values of one row.
    pub fn apply(self, site: Site<'_>, values: &[Value]) -> Result<Value, RowError> {
        let spec = self.spec();
        if spec.nulls == Nulls::Strict && values.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        (spec.eval)(site, values)
    }
}
