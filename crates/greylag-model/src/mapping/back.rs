//! The mapping turned round: how rows that were written to a published target go back into the old dataset.
//!
//! An undo takes a target away. Rows that others have added to it since it was published are carried back first, by the
//! same ways back that a verification proves the mapping with. Whether that can be done is known when the plan is made,
//! from the mapping and the two layouts alone, and the plan says it: see [`NewRows`].
//!
//! # When rows can go back
//!
//! - The target must be a directory, so that files that were added are told from those that were published, and so must
//!   the old dataset be, so that a file can be added to it.
//! - Every old column has a way back, or it was dropped for good, may be null, and nothing in the target was computed from
//!   it: then it *becomes null* in the rows that go back.
//! - What the mapping makes of a row that went back must be that very row. For most columns this follows from the way
//!   back. A target column that no way back reads (a new one, say) has no place in the old dataset: its value must be what
//!   the mapping would have made, and that is seen row by row when the rows go back, never assumed.
//!
//! The last is proven with the machinery that proves every migration: [`reversed`] is a mapping from the target to the old
//! dataset whose own ways back are the mapping's expressions.

use super::{ColumnMapping, Mapping, OperationKind, Reverse, ReverseWay};
use crate::dataset::{Layout, Shape};
use crate::expr::{ExprError, Function, TypedExpr};
use crate::spec::Misfit;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt::Write as _;

/// What an undo does with rows that were written to the target since it was published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewRows {
    /// Whether they are carried back into the old dataset before the target is taken away.
    pub carries: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cannot: Vec<String>,
    /// Old columns that are null in rows that were carried back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nulls: Vec<String>,
    /// Target columns that have no place in the old dataset: their values must be what the mapping makes of the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bound: Vec<String>,
}

/// Names and reasons that a line shows.
const SHOWN: usize = 3;

impl NewRows {
    /// What can be said before anything runs.
    pub fn of(mapping: &Mapping, source: &Layout, target: &Layout) -> Self {
        let mut rows = Self::default();
        let single = match (source.shape, target.shape) {
            (Shape::File, Shape::File) => Some("both datasets are single files"),
            (Shape::File, Shape::Directory) => Some("the old dataset is a single file"),
            (Shape::Directory, Shape::File) => Some("the new dataset is a single file"),
            (Shape::Directory, Shape::Directory) => None,
        };
        rows.cannot.extend(single.map(str::to_owned));
        rows.columns(mapping, source);
        if rows.cannot.is_empty()
            && let Err(error) = reversed(mapping)
        {
            rows.cannot.push(format!("the mapping cannot be turned round: {}", error.message));
        }
        rows.carries = rows.cannot.is_empty();
        rows
    }

    fn columns(&mut self, mapping: &Mapping, source: &Layout) {
        let read: HashSet<&str> = mapping.columns.iter().flat_map(|column| column.expr.columns()).collect();
        for (name, why) in mapping.lost() {
            let nullable = mapping.source.find(name).is_some_and(|(_, column)| column.nullable);
            if nullable && !read.contains(name) && !source.partition_by.iter().any(|key| key == name) {
                self.nulls.push(name.to_owned());
            } else {
                self.cannot.push(format!("`{name}` has no way back ({why})"));
            }
        }
        let needed: HashSet<&str> = mapping.reverse.iter().flat_map(|reverse| reverse.way.columns()).collect();
        let bound = mapping.columns.iter().map(|column| &column.target).filter(|name| !needed.contains(name.as_str()));
        self.bound.extend(bound.cloned());
    }

    /// The line that a plan shows.
    pub fn line(&self) -> String {
        if !self.carries {
            return format!("undo cannot carry new rows back: {}", listed(&self.cannot, "; "));
        }
        let mut line = "undo carries new rows back".to_owned();
        let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        if !self.nulls.is_empty() {
            let verb = if self.nulls.len() == 1 { "is" } else { "are" };
            let _ = write!(line, "; {} {verb} null in them", listed(&quoted(&self.nulls), ", "));
        }
        if !self.bound.is_empty() {
            let _ = write!(line, "; {} must be as the mapping makes it", listed(&quoted(&self.bound), ", "));
        }
        line
    }
}

fn listed(items: &[String], between: &str) -> String {
    let first = items.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(between);
    match items.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The mapping from the target to the old dataset: its columns are the ways back, and its ways back are what the mapping
/// makes of the old columns. A column without a way back is null. A value that does not fit fails.
pub fn reversed(mapping: &Mapping) -> Result<Mapping, ExprError> {
    let columns = mapping.reverse.iter().enumerate().map(|(at, reverse)| column_back(mapping, at, reverse)).collect();
    let forward = |column: &ColumnMapping| {
        let way = ReverseWay::Expr { expr: made(column)?, derived: false, tolerance: None };
        Ok(Reverse { source: column.target.clone(), way })
    };
    Ok(Mapping {
        source: mapping.target.clone(),
        target: mapping.source.clone(),
        columns,
        dropped: Vec::new(),
        reverse: mapping.columns.iter().map(forward).collect::<Result<_, ExprError>>()?,
    })
}

fn column_back(mapping: &Mapping, at: usize, reverse: &Reverse) -> ColumnMapping {
    let null = || TypedExpr::null(mapping.source.columns[at].data_type.clone());
    let expr = match &reverse.way {
        ReverseWay::Same(target) => {
            mapping.target.find(target).map_or_else(null, |(_, column)| TypedExpr::column(column))
        }
        ReverseWay::Expr { expr, .. } => expr.clone(),
        ReverseWay::Lost(_) => null(),
    };
    ColumnMapping {
        target: reverse.source.clone(),
        operation: OperationKind::Expression,
        expr,
        cast: None,
        misfit: Misfit::Fail,
        default: None,
        tolerance: None,
        judgement: None,
    }
}

/// Expression, conversion and default of a target column as one expression over the old columns.
fn made(column: &ColumnMapping) -> Result<TypedExpr, ExprError> {
    let mut expr = column.expr.clone();
    if let Some(cast) = &column.cast {
        expr = expr.cast_to(&cast.to, cast.loss)?;
    }
    match &column.default {
        Some(default) => TypedExpr::call(Function::Coalesce, vec![expr, default.clone()]),
        None => Ok(expr),
    }
}

impl ReverseWay {
    /// The target columns that it reads.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Same(name) => vec![name],
            Self::Expr { expr, .. } => expr.columns(),
            Self::Lost(_) => Vec::new(),
        }
    }
}
