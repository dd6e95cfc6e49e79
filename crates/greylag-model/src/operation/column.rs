//! Reads one entry of `columns`: which source column it carries on, how its value comes about, and which kind it is.

use super::{Draft, Reported, Resolution, Taken, cast, default, expression, judgement, new, rename};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::expr::{Node, TypedExpr};
use crate::mapping::{Cast, ColumnMapping, OperationKind, ReverseWay};
use crate::plan::{Change, ChangeSymbol};
use crate::schema::{Column, Schema};
use crate::spec::{ColumnSpec, Misfit};
use crate::types::DataType;
use std::collections::HashSet;

/// What an entry's value begins with.
struct Value {
    /// The source column that it carries on.
    origin: Option<usize>,
    /// Over source columns.
    expr: TypedExpr,
    /// Replaces nulls.
    default: Option<TypedExpr>,
    /// Last conversion.
    cast: Option<Cast>,
}

/// Validates one entry and drafts its column.
pub(crate) fn forward(spec: &ColumnSpec, resolution: &mut Resolution<'_>, pointer: &str) -> Option<Draft> {
    if spec.name.is_empty() {
        let diagnostic = Diagnostic::error(code::plan::BAD_COLUMN, "a target column has an empty name");
        resolution.error(diagnostic, &format!("{pointer}/name"));
    }
    judgement::validate(spec.judgement.as_ref(), resolution, pointer);
    let wanted = wanted_type(spec, resolution, pointer);
    let origin = origin(spec, resolution, pointer);
    let value = value(spec, origin.ok()?, wanted.ok()?, resolution, pointer)?;
    Some(draft(spec, value, resolution, pointer))
}

/// The type that the entry asks for, if it asks for one.
fn wanted_type(
    spec: &ColumnSpec,
    resolution: &mut Resolution<'_>,
    pointer: &str,
) -> Result<Option<DataType>, Reported> {
    let Some(text) = &spec.data_type else { return Ok(None) };
    match text.parse::<DataType>() {
        Ok(data_type) => Ok(Some(data_type)),
        Err(why) => {
            let diagnostic = Diagnostic::error(code::plan::BAD_TYPE, why);
            resolution.error(diagnostic, &format!("{pointer}/type"));
            Err(Reported)
        }
    }
}

/// The source column that the entry carries on, if it carries one on.
fn origin(spec: &ColumnSpec, resolution: &mut Resolution<'_>, pointer: &str) -> Result<Option<usize>, Reported> {
    let at = match &spec.from {
        Some(from) => resolution.column(from, &format!("{pointer}/from")).ok_or(Reported)?,
        None if spec.expr.is_some() => return Ok(None),
        None => match resolution.find(&spec.name) {
            Some(at) => at,
            None if spec.default.is_some() => return Ok(None),
            None => {
                resolution.column(&spec.name, &format!("{pointer}/name"));
                let hint = "a renamed column has `from`, a computed one `expr`, a new one `expr` or `default`";
                if let Some(last) = resolution.errors.last_mut() {
                    last.hints.push(hint.to_owned());
                }
                return Err(Reported);
            }
        },
    };
    resolution.take(at, Taken::Carried, pointer);
    Ok(Some(at))
}

/// A column that carries a source column on while another keeps its name is an addition, and breaks nobody.
pub(crate) fn mark_copies(drafts: &mut [Draft], source: &Schema) {
    let keeps_name = |draft: &Draft| draft.origin.filter(|at| source.columns[*at].name == draft.column.name);
    let kept: HashSet<usize> = drafts.iter().filter_map(keeps_name).collect();
    for draft in drafts.iter_mut() {
        let Some(at) = draft.origin.filter(|at| kept.contains(at)) else { continue };
        if source.columns[at].name == draft.column.name || draft.mapping.operation == OperationKind::Split {
            continue;
        }
        draft.breaks.clear();
        for change in draft.changes.iter_mut().filter(|change| change.symbol == ChangeSymbol::Change) {
            change.symbol = ChangeSymbol::Add;
        }
    }
}

fn value(
    spec: &ColumnSpec,
    origin: Option<usize>,
    wanted: Option<DataType>,
    resolution: &mut Resolution<'_>,
    pointer: &str,
) -> Option<Value> {
    let source = resolution.source;
    let expr = match (&spec.expr, origin) {
        (Some(text), _) if is_null(text) && wanted.is_some() => wanted.clone().map(TypedExpr::null),
        (Some(text), _) => resolution.typed(text, source, &format!("{pointer}/expr")),
        (None, Some(at)) => Some(TypedExpr::column(&source.columns[at])),
        (None, None) => None,
    };
    if expr.is_none() && (spec.expr.is_some() || spec.default.is_none()) {
        return None;
    }
    let Some(expr) = expr else { return only_default(spec, wanted, resolution, pointer) };
    let to = wanted.unwrap_or_else(|| expr.data_type.clone());
    let cast = cast::forward(&spec.name, &expr.data_type, &to, spec.loss, resolution, &format!("{pointer}/type"));
    let default = match &spec.default {
        Some(text) => Some(default::forward(text, &to, resolution, &format!("{pointer}/default"))?),
        None => None,
    };
    Some(Value { origin, expr, default, cast: cast.ok()? })
}

/// A null alone has no type; here `type` gives it one.
fn is_null(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("null")
}

/// A new column that is its default everywhere.
fn only_default(
    spec: &ColumnSpec,
    wanted: Option<DataType>,
    resolution: &mut Resolution<'_>,
    pointer: &str,
) -> Option<Value> {
    let text = spec.default.as_deref()?;
    let pointer = format!("{pointer}/default");
    let nothing = Schema::default();
    let to = match wanted {
        Some(to) => to,
        None => resolution.typed(text, &nothing, &pointer)?.data_type,
    };
    let expr = default::forward(text, &to, resolution, &pointer)?;
    Some(Value { origin: None, expr, default: None, cast: None })
}

fn draft(spec: &ColumnSpec, value: Value, resolution: &Resolution<'_>, pointer: &str) -> Draft {
    let misfit = spec.misfit.unwrap_or_default();
    let target_type = value.cast.as_ref().map_or(&value.expr.data_type, |cast| &cast.to).clone();
    let from = value.origin.map(|at| &resolution.source.columns[at]);
    let becomes_null = misfit == Misfit::Null && may_fail(&value);
    let nullable = (value.expr.nullable || becomes_null) && value.default.as_ref().is_none_or(|value| value.nullable);
    let operation = kind(spec, &value, from);
    let column = Column { name: spec.name.clone(), data_type: target_type, nullable };
    let reverse = value.origin.zip(from).map(|(at, from)| (at, way_back(spec, &value, from, &column, becomes_null)));
    let changes = changes(spec, &value, from, &column, operation);
    let breaks = from.map(|from| breaks(from, &column, operation)).unwrap_or_default();
    let mapping = ColumnMapping {
        target: spec.name.clone(),
        operation,
        expr: value.expr,
        cast: value.cast,
        misfit,
        default: value.default,
        tolerance: spec.tolerance,
        judgement: spec.judgement.clone(),
    };
    let origin = value.origin;
    let reverse = reverse.into_iter().collect();
    Draft { column, mapping, origin, reverse, changes, breaks, pointer: format!("{pointer}/name") }
}

/// Whether the expression or the cast of a row may fail.
fn may_fail(value: &Value) -> bool {
    let casts = value.cast.as_ref().is_some_and(|cast| cast::may_misfit(&value.expr.data_type, &cast.to, cast.loss));
    casts || value.expr.may_fail()
}

fn kind(spec: &ColumnSpec, value: &Value, from: Option<&Column>) -> OperationKind {
    let Some(from) = from else {
        return if value.expr.columns().is_empty() { OperationKind::New } else { OperationKind::Expression };
    };
    if value.expr.as_column() != Some(&from.name) {
        if retypes(value, from).is_some() { OperationKind::Cast } else { OperationKind::Expression }
    } else if value.cast.is_some() {
        OperationKind::Cast
    } else if value.default.is_some() {
        OperationKind::Default
    } else if spec.name != from.name {
        OperationKind::Rename
    } else {
        OperationKind::Keep
    }
}

/// The type and policy of an entry that only converts its source column, whether by `type` or by `CAST` alone.
fn retypes<'v>(value: &'v Value, from: &Column) -> Option<(&'v DataType, Option<crate::spec::Loss>)> {
    match (&value.expr.node, &value.cast) {
        (Node::Column(name), Some(cast)) if *name == from.name => Some((&cast.to, cast.loss)),
        (Node::Cast { input, loss, safe: false }, None) if input.as_column() == Some(&from.name) => {
            Some((&value.expr.data_type, *loss))
        }
        _ => None,
    }
}

fn way_back(spec: &ColumnSpec, value: &Value, from: &Column, to: &Column, becomes_null: bool) -> ReverseWay {
    if value.default.is_some() && (from.nullable || becomes_null) {
        return ReverseWay::Lost(format!("nulls became the default in `{}`", to.name));
    }
    if becomes_null {
        return ReverseWay::Lost(format!("values that do not fit become null in `{}`", to.name));
    }
    if value.expr.as_column() == Some(&from.name) && value.cast.is_none() {
        return ReverseWay::Same(to.name.clone());
    }
    let Some((data_type, loss)) = retypes(value, from) else { return expression::reverse(&to.name) };
    match cast::back(&from.data_type, data_type, loss, spec.tolerance) {
        cast::Back::Cast(loss, tolerance) => {
            ReverseWay::Expr { expr: cast::cast_column(to, &from.data_type, loss), derived: true, tolerance }
        }
        cast::Back::Lost(why) => ReverseWay::Lost(why),
    }
}

fn changes(
    spec: &ColumnSpec,
    value: &Value,
    from: Option<&Column>,
    to: &Column,
    operation: OperationKind,
) -> Vec<Change> {
    let text = spec.expr.as_deref().or(spec.default.as_deref()).unwrap_or_default();
    let mut line = match (operation, from) {
        (OperationKind::New, _) => Some(new::change(&to.name, &to.data_type, text)),
        (OperationKind::Expression, from) => {
            Some(expression::change(from.map(|from| from.name.as_str()), &to.name, text, &to.data_type))
        }
        (OperationKind::Keep, _) | (_, None) => None,
        (_, Some(from)) => {
            let cast = retypes(value, from).map(|(data_type, loss)| {
                cast::words(&from.data_type, data_type, loss, spec.misfit.unwrap_or_default())
            });
            let detail = cast.or_else(|| (from.name != to.name).then(|| "rename".to_owned())).unwrap_or_default();
            let subject = rename::subject(&from.name, &to.name);
            Some(Change { symbol: ChangeSymbol::Change, subject, detail })
        }
    };
    if let (Some(line), Some(_)) = (&mut line, &value.default)
        && let Some(text) = &spec.default
    {
        let separator = if line.detail.is_empty() { "" } else { ", " };
        line.detail = format!("{}{separator}{}", line.detail, default::words(text));
    }
    line.into_iter().chain(judgement::change(&to.name, spec.judgement.as_ref())).collect()
}

fn breaks(from: &Column, to: &Column, operation: OperationKind) -> Vec<String> {
    let mut breaks = Vec::new();
    if operation == OperationKind::Expression {
        breaks.push(expression::breaks(&from.name, &to.name));
    } else if from.name != to.name {
        breaks.push(rename::breaks(&from.name, &to.name));
    }
    if from.data_type != to.data_type {
        breaks.push(cast::breaks(&to.name, &from.data_type, &to.data_type));
    }
    if to.nullable && !from.nullable {
        breaks.push(format!("column `{}` may be null now", to.name));
    }
    breaks
}
