//! A mapping in both directions, row by row, by the reference evaluator.

use crate::error::expression;
use greylag_driver::error::DriverError;
use greylag_model::cast::convert;
use greylag_model::consumer::{ColumnChange, Fate, TableChange};
use greylag_model::expr::{Bound, Node, Row};
use greylag_model::mapping::{ColumnMapping, Mapping};
use greylag_model::spec::Misfit;
use greylag_model::table::TableName;
use greylag_model::types::DataType;
use greylag_model::value::Value;

/// What a mapping means for readers, which a [`View`] borrows from.
pub(in crate::proof) fn change(mapping: &Mapping) -> TableChange {
    TableChange::of("", Vec::new(), TableName::default(), mapping)
}

/// Old columns that are texts of times or floats, by place, and the new columns that they are texts of: how such texts are spelled is each
/// engine's own affair.
pub(in crate::proof) fn spelled_by_engines(mapping: &Mapping, change: &TableChange) -> Vec<(usize, usize)> {
    let of = |(at, column): (usize, &ColumnChange)| {
        let (Fate::Computed(expr) | Fate::Replaced { value: expr, .. }) = &column.fate else { return None };
        let Node::Cast { input, .. } = &expr.node else { return None };
        let (place, made) = mapping.target.find(input.as_column()?)?;
        let own = matches!(made.data_type, DataType::Timestamp { .. } | DataType::Time(_)) || made.data_type.is_float();
        (expr.data_type == DataType::String && own).then_some((at, place))
    };
    change.columns.iter().enumerate().filter_map(of).collect()
}

/// A mapping bound for evaluation.
pub(in crate::proof) struct View<'a> {
    forward: Vec<Forward<'a>>,
    back: Vec<Back<'a>>,
}

struct Forward<'a> {
    mapping: &'a ColumnMapping,
    expr: Bound<'a>,
    default: Option<Value>,
}

/// How an old column is had from a new row.
pub(in crate::proof) enum Back<'a> {
    /// It is the column of this index.
    Column(usize),
    /// It is computed, and the very old value.
    Exact(Bound<'a>),
    /// Another value has taken its place.
    Replaced(Bound<'a>),
    /// It cannot be had.
    Lost,
}

impl<'a> View<'a> {
    /// Binds a mapping and its [`change`].
    pub(in crate::proof) fn new(mapping: &'a Mapping, change: &'a TableChange) -> Result<Self, DriverError> {
        let forward = mapping.columns.iter().map(|column| Forward::new(mapping, column));
        let back = change.columns.iter().map(|column| {
            let bind = |expr: &'a greylag_model::expr::TypedExpr| {
                expr.bind(&mapping.target).map_err(|error| expression(&column.name, &error.message))
            };
            Ok(match &column.fate {
                Fate::Same(name) => mapping.target.find(name).map_or(Back::Lost, |(at, _)| Back::Column(at)),
                Fate::Computed(expr) => Back::Exact(bind(expr)?),
                Fate::Replaced { value, .. } => Back::Replaced(bind(value)?),
                Fate::Lost(_) => Back::Lost,
            })
        });
        Ok(Self { forward: forward.collect::<Result<_, _>>()?, back: back.collect::<Result<_, DriverError>>()? })
    }

    /// How each old column is had.
    pub(in crate::proof) fn back(&self) -> &[Back<'a>] {
        &self.back
    }

    /// Values of some new columns (`only`, in that order) of an old row; none if it does not fit.
    pub(in crate::proof) fn new_of(&self, old: &dyn Row, only: &[usize]) -> Option<Vec<Value>> {
        only.iter().map(|at| self.forward.get(*at)?.value(old)).collect()
    }

    /// Values of some old columns (`only`, in that order) of a new row, as readers have them; those that cannot be had stay
    /// as they are in `kept`, which has the same order.
    pub(in crate::proof) fn old_of(&self, new: &dyn Row, kept: &[Value], only: &[usize]) -> Option<Vec<Value>> {
        let of = |(at, kept): (&usize, &Value)| match self.back.get(*at)? {
            Back::Column(column) => Some(new.value(*column)),
            Back::Exact(bound) | Back::Replaced(bound) => bound.eval(new).ok(),
            Back::Lost => Some(kept.clone()),
        };
        only.iter().zip(kept).map(of).collect()
    }
}

/// A row of which only some columns have values; the others are null. Datasets have hundreds of columns and a part of one few.
pub(in crate::proof) struct Few<'a> {
    /// Their places, ascending.
    pub(in crate::proof) columns: &'a [usize],
    pub(in crate::proof) values: &'a [Value],
}

impl Row for Few<'_> {
    fn value(&self, index: usize) -> Value {
        let at = self.columns.binary_search(&index).ok();
        at.and_then(|at| self.values.get(at)).cloned().unwrap_or(Value::Null)
    }
}

impl<'a> Forward<'a> {
    fn new(mapping: &'a Mapping, column: &'a ColumnMapping) -> Result<Self, DriverError> {
        let failed = |why: &str| expression(&column.target, why);
        let default = match &column.default {
            Some(default) => {
                let value = default.eval(&mapping.source, &Vec::new());
                Some(value.map_err(|error| failed(&error.to_string()))?)
            }
            None => None,
        };
        let expr = column.expr.bind(&mapping.source).map_err(|error| failed(&error.message))?;
        Ok(Self { mapping: column, expr, default })
    }

    fn value(&self, row: &dyn Row) -> Option<Value> {
        let evaluated = self.expr.eval(row).ok().and_then(|value| match &self.mapping.cast {
            Some(cast) => convert(value, &self.mapping.expr.data_type, &cast.to, cast.loss).ok(),
            None => Some(value),
        });
        let value = match (evaluated, self.mapping.misfit) {
            (Some(value), _) => value,
            (None, Misfit::Null) => Value::Null,
            (None, _) => return None,
        };
        Some(if value.is_null() { self.default.clone().unwrap_or(Value::Null) } else { value })
    }
}
