//! What a text did, and how that of two texts differs.

use super::back::compare_changed;
use super::compare::{How, compare};
use super::frame::Frame;
use greylag_driver::error::DriverError;
use greylag_model::proof::{Content, Difference, DifferenceKind, ProofRequest};
use greylag_model::table::TableName;
use std::collections::{BTreeMap, BTreeSet};

/// What a table is, on whichever side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// A relation of the request.
    Relation(usize),
    /// What a text makes, by its name.
    Made(String),
}

/// What a text did.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// Results, and whether their order counts.
    pub(super) results: Vec<(Frame, bool)>,
    /// Tables that were written, as they are in the end.
    pub(super) tables: BTreeMap<Target, Frame>,
    /// Rows given and rows written.
    pub(super) rows: u64,
    /// Whether a number of rows hung on an order that was made total.
    pub(super) settled: bool,
}

/// How what the new text did differs from what the old one did, the mapping explained.
pub(super) fn compared(
    request: &ProofRequest,
    mut old: Effects,
    mut new: Effects,
) -> Result<Option<Difference>, DriverError> {
    if let Some(made) = request.makes {
        for effects in [&mut old, &mut new] {
            if let Some((frame, _)) = effects.results.pop() {
                effects.tables.insert(Target::Relation(made), frame);
            }
        }
    }
    if let Some(found) = shape(&old, &new).or_else(|| results(request, &old, &new)) {
        return Ok(Some(found));
    }
    for ((target, one), other) in old.tables.iter().zip(new.tables.values()) {
        if let Some(found) = table(request, target, one, other)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whether they give other results or write other tables.
fn shape(old: &Effects, new: &Effects) -> Option<Difference> {
    let tables = |effects: &Effects| effects.tables.keys().cloned().collect::<BTreeSet<_>>();
    let differs = old.results.len() != new.results.len() || tables(old) != tables(new);
    differs.then(|| {
        let why = "the new text gives other results or writes other tables".to_owned();
        Difference { kind: DifferenceKind::Tables, why, ..Difference::default() }
    })
}

fn results(request: &ProofRequest, old: &Effects, new: &Effects) -> Option<Difference> {
    let (several, how) = (old.results.len() > 1, How::of(&request.dialect));
    let mut pairs = old.results.iter().zip(&new.results).enumerate();
    pairs.find_map(|(at, ((one, ordered), (other, _)))| {
        let what = if several { format!("result {}", at + 1) } else { "the result".to_owned() };
        compare(one, other, How { ordered: *ordered, ..how }, &what)
    })
}

fn table(request: &ProofRequest, target: &Target, old: &Frame, new: &Frame) -> Result<Option<Difference>, DriverError> {
    match target {
        Target::Made(word) => Ok(compare(old, new, How::of(&request.dialect), &format!("the table `{word}`"))),
        Target::Relation(at) => {
            let relation = &request.relations[*at];
            let what = format!("the table `{}`", relation.old.first().map(TableName::to_string).unwrap_or_default());
            match &relation.content {
                Content::Changed(mapping) => compare_changed(old, new, mapping, &what),
                Content::Same { .. } => Ok(compare(old, new, How::default(), &what)),
            }
        }
    }
}
