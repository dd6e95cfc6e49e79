//! Staleness: whether a task's source is still what the plan was made for.
//!
//! Content is not part of it: new rows and files are normal. What counts is the fingerprint (identity, layout, schema).
//! A task whose fingerprint moved is planned again *alone* if nothing that a person approved would differ:
//! the same operations on the same columns, the same layout, the same reasons to break readers. That is judged from the
//! frozen task itself, without the migration file, so it is strict. Only these differences pass:
//!
//! - source columns in another order (the target's order is the plan's);
//! - another type of a column that is handed on untouched and comes back untouched, if the target's layout and the
//!   file's checks bear it;
//! - another nullability, if no target column that had no nulls gets some and no way back depended on it;
//! - another CSV dialect of a source whose target is not CSV.
//!
//! Everything else waits for a new plan or an approval.

use super::{DatasetWork, check_spec, layout};
use crate::dataset::{Format, Layout};
use crate::expr::{Node, TypedExpr};
use crate::mapping::{ColumnMapping, Mapping, ReverseWay};
use crate::schema::{Column, Schema};
use crate::snapshot::Observed;

/// What a look at the source says of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Staleness {
    /// It is as it was planned for.
    Fresh,
    /// It moved, and this is the work planned again: the same operations, the same class.
    SameOperations(Box<DatasetWork>),
    /// It moved, and a person has to look; each reason is a line.
    Changed(Vec<String>),
}

/// Compares a task with what its source is now.
pub fn staleness(task: &DatasetWork, now: &Observed) -> Staleness {
    if task.source.fingerprint == now.fingerprint {
        return Staleness::Fresh;
    }
    let mut reasons = Vec::new();
    identity(&task.source, now, &mut reasons);
    layouts(&task.source.layout, now, &task.target_layout, &mut reasons);
    columns(&task.mapping, &now.schema, &mut reasons);
    if !reasons.is_empty() {
        return Staleness::Changed(reasons);
    }
    let mapping = replanned(&task.mapping, &now.schema);
    nulls(&task.mapping, &mapping, &mut reasons);
    let typed = layout::check_types(&task.target_layout, &mapping, None);
    let checks =
        task.checks.iter().flat_map(|check| check_spec::validate(check, &mapping.target, &|_| None, &|_| None));
    reasons.extend(typed.into_iter().chain(checks).map(|error| error.message));
    if reasons.is_empty() {
        Staleness::SameOperations(Box::new(DatasetWork { source: now.clone(), mapping, ..task.clone() }))
    } else {
        Staleness::Changed(reasons)
    }
}

fn identity(then: &Observed, now: &Observed, reasons: &mut Vec<String>) {
    if then.dataset.entity != now.dataset.entity {
        reasons.push(format!("it is `{}` now and was `{}`", now.dataset.entity, then.dataset.entity));
    }
    if then.dataset.location != now.dataset.location {
        let (then, now) = (&then.dataset.location.path, &now.dataset.location.path);
        reasons.push(format!("it lies at `{now}` now and lay at `{then}`"));
    }
}

fn layouts(then: &Layout, now: &Observed, target: &Layout, reasons: &mut Vec<String>) {
    match (&then.format, &now.layout.format) {
        (Format::Parquet { .. }, Format::Parquet { .. })
        | (Format::Json, Format::Json)
        | (Format::Avro { .. }, Format::Avro { .. }) => {}
        (Format::Csv(then), Format::Csv(now)) => {
            if then != now && matches!(target.format, Format::Csv(_)) {
                reasons.push("its CSV dialect changed".to_owned());
            }
        }
        _ => reasons.push("its format changed".to_owned()),
    }
    if then.shape != now.layout.shape {
        reasons.push("it changed between a file and a directory".to_owned());
    }
    if then.partition_by != now.layout.partition_by {
        reasons.push("its partition columns changed".to_owned());
    }
}

/// Columns that went, came, or changed type where the plan does more than hand them on.
fn columns(mapping: &Mapping, now: &Schema, reasons: &mut Vec<String>) {
    for column in &now.columns {
        if mapping.source.find(&column.name).is_none() {
            reasons.push(format!("column `{}` is new", column.name));
        }
    }
    for column in &mapping.source.columns {
        match now.find(&column.name) {
            None => reasons.push(format!("column `{}` is gone", column.name)),
            Some((_, other)) if other.data_type != column.data_type && !untouched(mapping, &column.name) => {
                let (name, then, now) = (&column.name, &column.data_type, &other.data_type);
                reasons.push(format!(
                    "column `{name}` is of type `{now}` now and was of type `{then}`, and the plan works on it"
                ));
            }
            Some(_) => {}
        }
    }
}

/// Whether a source column is only handed on, there and back.
fn untouched(mapping: &Mapping, name: &str) -> bool {
    let forward = mapping.columns.iter().all(|column| {
        let reads = column.expr.columns().contains(&name);
        !reads || (column.expr.as_column().is_some() && column.cast.is_none() && column.default.is_none())
    });
    let carried: Vec<&str> = (mapping.columns.iter())
        .filter(|column| column.expr.as_column() == Some(name))
        .map(|column| column.target.as_str())
        .collect();
    // A given reverse may read the target column of another source column: its types count as well.
    let back = mapping.reverse.iter().all(|reverse| match &reverse.way {
        ReverseWay::Same(_) | ReverseWay::Lost(_) => true,
        ReverseWay::Expr { expr, .. } => {
            reverse.source != name && !expr.columns().iter().any(|read| carried.contains(read))
        }
    });
    forward && back
}

/// The same rules over the columns as they are now.
fn replanned(mapping: &Mapping, now: &Schema) -> Mapping {
    let mut planned = mapping.clone();
    planned.source = now.clone();
    let nullable_before = |name: &str| mapping.source.find(name).is_some_and(|(_, column)| column.nullable);
    for (column, target) in planned.columns.iter_mut().zip(&mut planned.target.columns) {
        let gains = |name: &&str| !nullable_before(name) && now.find(name).is_some_and(|(_, column)| column.nullable);
        let gained = column.expr.columns().iter().any(gains);
        follow(&mut column.expr, now);
        if gained && column.expr.as_column().is_none() {
            column.expr.nullable = true;
        }
        retype(column, target);
    }
    for reverse in &mut planned.reverse {
        if let ReverseWay::Expr { expr, .. } = &mut reverse.way {
            follow(expr, &planned.target);
        }
    }
    planned.reverse.sort_by_key(|reverse| now.find(&reverse.source).map(|(at, _)| at));
    planned
}

/// Gives an expression's column references the type and nullability that the columns have.
fn follow(expr: &mut TypedExpr, schema: &Schema) {
    match &mut expr.node {
        Node::Column(name) => {
            if let Some((_, column)) = schema.find(name) {
                expr.data_type = column.data_type.clone();
                expr.nullable = column.nullable;
            }
        }
        Node::Literal(_) => {}
        Node::Call { args, .. } => args.iter_mut().for_each(|argument| follow(argument, schema)),
        Node::Cast { input, .. } => follow(input, schema),
        Node::Case { branches, otherwise } => {
            for (condition, result) in branches {
                follow(condition, schema);
                follow(result, schema);
            }
            if let Some(otherwise) = otherwise {
                follow(otherwise, schema);
            }
        }
    }
}

fn retype(column: &ColumnMapping, target: &mut Column) {
    if column.cast.is_none() {
        target.data_type = column.expr.data_type.clone();
    }
    let defaulted = column.default.as_ref().is_some_and(|default| !default.nullable);
    if defaulted {
        target.nullable = false;
    } else if column.expr.as_column().is_some() && column.cast.is_none() {
        target.nullable = column.expr.nullable;
    } else {
        // Its own misfits may have made it nullable; that stays.
        target.nullable |= column.expr.nullable;
    }
}

/// Target columns that got nulls, and ways back that counted on there being none.
fn nulls(then: &Mapping, now: &Mapping, reasons: &mut Vec<String>) {
    for (old, new) in then.target.columns.iter().zip(&now.target.columns) {
        if new.nullable && !old.nullable {
            reasons.push(format!("column `{}` may be null now", new.name));
        }
    }
    for column in now.columns.iter().filter(|column| column.default.is_some()) {
        let name = column.expr.as_column();
        let before = name.and_then(|name| then.source.find(name)).is_some_and(|(_, column)| column.nullable);
        if column.expr.nullable && !before && name.is_some() {
            reasons.push(format!("`{}` replaces nulls that were not there", column.target));
        }
    }
}
