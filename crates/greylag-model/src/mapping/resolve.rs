//! Resolves a [`MappingSpec`] against one source schema: which columns the target has, in which order, and the way back.
//!
//! All errors are collected. Only the reverses that the file gives, which read the target, are left for later while
//! other errors stand: against half a target they would report columns that are merely not there yet.

use super::{Dropped, Mapping, OperationKind, Reverse, ReverseWay};
use crate::code;
use crate::diagnostic::{Diagnostic, Place};
use crate::operation::{Draft, Resolution, column, drop, keep, merge, reverse, split};
use crate::plan::Change;
use crate::schema::Schema;
use crate::spec::{MappingSpec, Tolerance, Unmapped};
use crate::types::DataType;
use std::collections::{HashMap, HashSet};

/// What is to be resolved.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The rules.
    pub spec: &'a MappingSpec,
    /// Columns of the old dataset, partition columns last.
    pub source: &'a Schema,
    /// Its partition columns, outermost first.
    pub partition_by: &'a [String],
    /// Partition columns that the layout asks for; `None` carries those of the old dataset over, whatever they are
    /// called now.
    pub target_partition_by: Option<&'a [String]>,
    /// Where a JSON pointer below the mapping stands in the file, e.g. `/columns/0/expr`.
    pub place: &'a dyn Fn(&str) -> Option<Place>,
    /// The same below the layout, e.g. `/partitionBy/0`.
    pub layout_place: &'a dyn Fn(&str) -> Option<Place>,
}

/// A resolved mapping and what a plan says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The mapping.
    pub mapping: Mapping,
    /// Partition columns of the target, outermost first.
    pub partition_by: Vec<String>,
    /// One line a change, in the target's order, dropped columns last.
    pub changes: Vec<Change>,
    /// Why readers of the old columns break; empty means that they don't.
    pub breaks: Vec<String>,
}

/// Resolves a mapping, or says everything that is wrong with it.
pub fn resolve(request: Request<'_>) -> Result<Resolved, Vec<Diagnostic>> {
    let mut resolution = Resolution::new(request.source, request.place);
    check_source(request.source, &mut resolution);
    let (mut drafts, dropped) = drafts(request.spec, &mut resolution);
    check_names(&drafts, &mut resolution);
    let partition_by = partition_columns(&request, &drafts);
    check_partitions(&partition_by, &drafts, &request, &mut resolution);
    let given = given_columns(request.spec, &mut resolution);
    if !resolution.errors.is_empty() {
        return Err(resolution.errors);
    }
    let number = |draft: &Draft| partition_by.iter().position(|name| *name == draft.column.name).map_or(0, |at| at + 1);
    drafts.sort_by_key(number);
    let target = Schema { columns: drafts.iter().map(|draft| draft.column.clone()).collect() };
    let reverse = ways_back(&request, &target, &drafts, &dropped, &given, &mut resolution);
    if resolution.errors.is_empty() {
        Ok(finish(&request, target, partition_by, drafts, dropped, reverse))
    } else {
        Err(resolution.errors)
    }
}

fn check_source(source: &Schema, resolution: &mut Resolution<'_>) {
    if source.columns.is_empty() {
        resolution.error(Diagnostic::error(code::plan::NO_COLUMNS, "the old dataset has no columns"), "");
    }
    let mut seen = HashSet::new();
    for column in &source.columns {
        if !seen.insert(column.name.as_str()) {
            let message = format!("the old dataset has two columns `{}`", column.name);
            resolution.error(Diagnostic::error(code::plan::DUPLICATE_COLUMN, message), "");
        }
    }
}

/// Drafts of all target columns in their order, and the dropped columns.
fn drafts(spec: &MappingSpec, resolution: &mut Resolution<'_>) -> (Vec<Draft>, Vec<(usize, Dropped)>) {
    let mut drafts = Vec::new();
    for (number, column) in spec.columns.iter().enumerate() {
        drafts.extend(column::forward(column, resolution, &format!("/columns/{number}")));
    }
    for (number, rule) in spec.split.iter().enumerate() {
        drafts.extend(split::forward(rule, resolution, &format!("/split/{number}")));
    }
    for (number, rule) in spec.merge.iter().enumerate() {
        drafts.extend(merge::forward(rule, resolution, &format!("/merge/{number}")));
    }
    let dropped: Vec<_> = (spec.drop.iter().enumerate())
        .filter_map(|(number, rule)| drop::forward(rule, resolution, &format!("/drop/{number}")))
        .collect();
    for at in 0..resolution.source.columns.len() {
        if resolution.taken[at].is_some() {
            continue;
        }
        let column = &resolution.source.columns[at];
        match spec.unmapped {
            Unmapped::Keep => drafts.push(keep::forward(at, column)),
            Unmapped::Fail => {
                let message =
                    format!("column `{}` is not mentioned, and the mapping says `unmapped: fail`", column.name);
                let diagnostic = Diagnostic::error(code::plan::UNMAPPED_COLUMN, message)
                    .hint(format!("keep it with `- name: {}` under `columns`, or drop it with a reason", column.name));
                resolution.error(diagnostic, "/unmapped");
            }
        }
    }
    drafts.sort_by_key(|draft| draft.origin.unwrap_or(usize::MAX));
    column::mark_copies(&mut drafts, resolution.source);
    (drafts, dropped)
}

fn check_names(drafts: &[Draft], resolution: &mut Resolution<'_>) {
    let mut seen: HashMap<&str, &Draft> = HashMap::new();
    for draft in drafts {
        let Some(before) = seen.insert(&draft.column.name, draft) else { continue };
        let kept = |draft: &Draft| draft.mapping.operation == OperationKind::Keep && draft.pointer.is_empty();
        if kept(draft) && kept(before) {
            // The source has the name twice, which is said already.
            continue;
        }
        let name = &draft.column.name;
        let message = format!("two target columns are called `{name}`");
        let mut diagnostic = Diagnostic::error(code::plan::DUPLICATE_COLUMN, message);
        if kept(draft) || kept(before) {
            diagnostic = diagnostic
                .hint(format!("the source column `{name}` is not mentioned and so carried over as it is"))
                .hint(format!(
                    "if the new column carries it on, say `from: {name}`; if it ends, drop it with a reason"
                ));
        }
        let pointer = if kept(draft) { &before.pointer } else { &draft.pointer };
        resolution.error(diagnostic, pointer);
    }
}

/// Those asked for, or the target columns that carry the source's partition columns on.
fn partition_columns(request: &Request<'_>, drafts: &[Draft]) -> Vec<String> {
    if let Some(asked) = request.target_partition_by {
        return asked.to_vec();
    }
    let carried = |name: &String| {
        let (at, _) = request.source.find(name)?;
        let carries = |draft: &&Draft| draft.origin == Some(at) && draft.mapping.operation != OperationKind::Split;
        drafts.iter().find(carries).map(|draft| draft.column.name.clone())
    };
    request.partition_by.iter().filter_map(carried).collect()
}

fn check_partitions(names: &[String], drafts: &[Draft], request: &Request<'_>, resolution: &mut Resolution<'_>) {
    let bad = |message: String| Diagnostic::error(code::plan::BAD_PARTITION, message);
    // A column whose own rule is wrong has no draft; its error says more than that it is missing would.
    let complete = resolution.errors.is_empty();
    let asked = request.target_partition_by.is_some();
    let place = |number: usize| asked.then(|| (request.layout_place)(&format!("/partitionBy/{number}"))).flatten();
    for (number, name) in names.iter().enumerate() {
        let here = place(number);
        if names[..number].contains(name) {
            resolution.errors.push(bad(format!("partition column `{name}` is named twice")).at(here));
            continue;
        }
        let Some(draft) = drafts.iter().find(|draft| draft.column.name == *name) else {
            if complete {
                let target = Schema { columns: drafts.iter().map(|draft| draft.column.clone()).collect() };
                resolution.errors.push(reverse::unknown_target(name, &target).at(here));
            }
            continue;
        };
        let data_type = &draft.column.data_type;
        if matches!(data_type, DataType::List(_) | DataType::Struct(_) | DataType::Map(..) | DataType::Binary) {
            let message = format!("partition column `{name}` is of type `{data_type}`, which cannot be part of a path");
            let hint = "partition by a scalar column, or give it another `type`";
            resolution.errors.push(bad(message).hint(hint).at(here));
        }
    }
    let left = drafts.iter().filter(|draft| !names.contains(&draft.column.name)).count();
    if left == 0 && complete {
        let what = if drafts.is_empty() { "no column is left" } else { "every column left is a partition column" };
        resolution.error(Diagnostic::error(code::plan::NO_COLUMNS, format!("{what} in the new dataset")), "");
    }
}

/// The source columns whose way back the file gives.
fn given_columns(spec: &MappingSpec, resolution: &mut Resolution<'_>) -> HashSet<usize> {
    let mut given = HashSet::new();
    for (number, rule) in spec.reverse.iter().enumerate() {
        let pointer = format!("/reverse/{number}");
        let Some(at) = reverse::validate(rule, resolution, &pointer) else { continue };
        if !given.insert(at) {
            let message = format!("column `{}` has two reverses", rule.name);
            let diagnostic = Diagnostic::error(code::plan::CONTRADICTION, message).hint("keep one of the two rules");
            resolution.error(diagnostic, &pointer);
        }
    }
    given
}

/// One way back for each source column: given, else the very value, else derived, else lost.
fn ways_back(
    request: &Request<'_>,
    target: &Schema,
    drafts: &[Draft],
    dropped: &[(usize, Dropped)],
    given: &HashSet<usize>,
    resolution: &mut Resolution<'_>,
) -> Vec<Reverse> {
    let mut ways: Vec<Option<ReverseWay>> = vec![None; request.source.columns.len()];
    let offers = drafts.iter().flat_map(|draft| draft.reverse.iter().cloned());
    let ends = dropped.iter().map(|(at, dropped)| (*at, drop::reverse(dropped)));
    for (at, way) in offers.chain(ends) {
        if ways[at].as_ref().is_none_or(|held| rank(&way) < rank(held)) {
            ways[at] = Some(way);
        }
    }
    for (number, rule) in request.spec.split.iter().enumerate() {
        if let Some(at) = resolution.find(&rule.from).filter(|at| !given.contains(at)) {
            ways[at] = split::reverse(rule, target, resolution, &format!("/split/{number}"));
        }
    }
    for (number, rule) in request.spec.reverse.iter().enumerate() {
        let Some(at) = resolution.find(&rule.name) else { continue };
        let tolerance = tolerance_of(at, drafts);
        ways[at] = reverse::given(rule, at, target, tolerance, resolution, &format!("/reverse/{number}"));
    }
    let named = request.source.columns.iter().map(|column| column.name.clone()).zip(ways);
    named
        .map(|(source, way)| {
            let way = way.unwrap_or_else(|| ReverseWay::Lost("no target column carries it on".to_owned()));
            Reverse { source, way }
        })
        .collect()
}

fn rank(way: &ReverseWay) -> u8 {
    match way {
        ReverseWay::Same(_) => 0,
        ReverseWay::Expr { tolerance: None, .. } => 1,
        ReverseWay::Expr { .. } => 2,
        ReverseWay::Lost(_) => 3,
    }
}

fn tolerance_of(at: usize, drafts: &[Draft]) -> Option<Tolerance> {
    drafts.iter().filter(|draft| draft.origin == Some(at)).find_map(|draft| draft.mapping.tolerance)
}

fn finish(
    request: &Request<'_>,
    target: Schema,
    partition_by: Vec<String>,
    drafts: Vec<Draft>,
    dropped: Vec<(usize, Dropped)>,
    reverse: Vec<Reverse>,
) -> Resolved {
    let mut changes = Vec::new();
    let mut breaks = Vec::new();
    let mut columns = Vec::with_capacity(drafts.len());
    for draft in drafts {
        changes.extend(draft.changes);
        breaks.extend(draft.breaks);
        columns.push(draft.mapping);
    }
    for (_, dropped) in &dropped {
        changes.extend(drop::changes(dropped));
        breaks.push(drop::breaks(dropped));
    }
    let dropped = dropped.into_iter().map(|(_, dropped)| dropped).collect();
    let mapping = Mapping { source: request.source.clone(), target, columns, dropped, reverse };
    Resolved { mapping, partition_by, changes, breaks }
}
