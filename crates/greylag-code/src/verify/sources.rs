//! Sources of a project, each against what it was: those of old datasets are the new ones now, with their columns, all others are
//! as they were.

use super::Complaints;
use super::compared::{Compared, Pair};
use super::names::successor;
use super::unit::{Meant, meant, old_of};
use crate::dbt::{Node, SourceTable, Target};
use greylag_model::consumer::TableChange;
use greylag_model::spec::SourcePolicy;

/// What each old source is now: by what dbt calls it, and of those that are left, in their order within one source.
pub(super) fn successors(pair: &Pair) -> Vec<Option<usize>> {
    let new = &pair.new.sources;
    let mut taken = vec![false; new.len()];
    let mut found: Vec<Option<usize>> = Vec::new();
    for source in &pair.old.sources {
        let same = (0..new.len()).find(|at| !taken[*at] && new[*at].id == source.id);
        if let Some(at) = same {
            taken[at] = true;
        }
        found.push(same);
    }
    for (number, source) in pair.old.sources.iter().enumerate() {
        if found[number].is_none() {
            let beside =
                |other: &SourceTable| other.package == source.package && other.source.text() == source.source.text();
            let next = (0..new.len()).find(|at| !taken[*at] && beside(&new[*at]));
            if let Some(at) = next {
                taken[at] = true;
            }
            found[number] = next;
        }
    }
    found
}

pub(super) fn check(pair: &Pair, compared: &Compared<'_>, complaints: &mut Complaints) {
    let successors = successors(pair);
    for (before, after) in pair.old.sources.iter().zip(&successors) {
        match after.and_then(|at| pair.new.sources.get(at)) {
            Some(after) => source(pair, compared, (before, after), complaints),
            None if came_home(pair, before, &compared.changes) => {}
            None => complaints.wrong(format!("the source `{}` is gone", before.id)),
        }
    }
    for (number, source) in pair.new.sources.iter().enumerate() {
        if !successors.contains(&Some(number)) && !parts(source, &compared.changes) {
            complaints.wrong(format!("the source `{}` was not declared before", source.id));
        }
    }
}

/// Whether a source is the second entry for readers that can move without the others.
fn parts(source: &SourceTable, changes: &[TableChange]) -> bool {
    match meant(&source.relation(), changes) {
        Meant::New(number) => changes.get(number).is_some_and(|change| change.sources == SourcePolicy::Split),
        _ => false,
    }
}

/// Whether a source was such an entry, which says nothing but a name, and its readers are back at the one beside it.
fn came_home(pair: &Pair, source: &SourceTable, changes: &[TableChange]) -> bool {
    let Some(change) = old_of(&source.relation(), changes).and_then(|(number, _)| changes.get(number)) else {
        return false;
    };
    let is_home = |other: &SourceTable| {
        let is_beside = other.package == source.package && other.source.text() == source.source.text();
        is_beside && change.new.meets(&other.relation()).is_some()
    };
    let was_there = pair.old.sources.iter().any(is_home) && pair.new.sources.iter().any(is_home);
    let is_bare = source.columns.is_empty() && source.said.is_empty();
    change.undoes.is_some() && change.sources == SourcePolicy::Split && was_there && is_bare
}

fn source(
    pair: &Pair,
    compared: &Compared<'_>,
    (before, after): (&SourceTable, &SourceTable),
    complaints: &mut Complaints,
) {
    let (was, is) = (before.relation(), after.relation());
    let change = old_of(&was, &compared.changes).and_then(|(number, _)| Some((number, compared.changes.get(number)?)));
    let moved = match (change, meant(&is, &compared.changes)) {
        (Some((number, change)), Meant::New(new)) if new == number => Some(change),
        (Some((number, _)), Meant::Old(_)) if was == is && is_left(compared, after, number, pair) => None,
        (Some(_), _) if was == is => {
            complaints.wrong(format!("the source `{}` is still `{}`", after.id, is.join(".")));
            None
        }
        (Some((_, change)), _) => {
            let is = is.join(".");
            complaints.wrong(format!("the source `{}` is `{is}`, where `{}` must be read", after.id, change.new));
            None
        }
        (None, _) if was != is => {
            let (was, is) = (was.join("."), is.join("."));
            complaints.wrong(format!("the source `{}` is `{is}`, and was `{was}`", after.id));
            None
        }
        (None, _) => None,
    };
    declared(before, after, moved, complaints);
}

/// Whether rules left a source to somebody: they say so where it is declared, or somebody reads it who is held.
fn is_left(compared: &Compared<'_>, source: &SourceTable, number: usize, pair: &Pair) -> bool {
    let dataset = compared.changes.get(number).map(|change| change.dataset.as_str());
    let found = |path: &str| {
        let findings = compared.reported(path).map(|file| file.findings.as_slice()).unwrap_or_default();
        findings.iter().any(|finding| Some(finding.dataset.as_str()) == dataset)
    };
    let declared = source.identifier.sources().iter().any(|at| found(pair.new.files.path(at.file)));
    let reads = |node: &&Node| {
        node.edges.iter().any(|edge| match edge.target {
            Target::Source(at) => pair.new.sources.get(at).is_some_and(|read| read.id == source.id),
            Target::Node(_) => false,
        })
    };
    declared || pair.new.nodes.iter().filter(reads).any(|node| found(pair.new.files.path(node.file)))
}

/// Columns that a source declares.
fn declared(before: &SourceTable, after: &SourceTable, moved: Option<&TableChange>, complaints: &mut Complaints) {
    if before.columns.len() != after.columns.len() {
        complaints.wrong(format!("the source `{}` declares other columns than before", after.id));
        return;
    }
    for (before, column) in before.columns.iter().zip(&after.columns) {
        let (was, is) = (before.name.text(), column.name.text());
        let meant = moved.and_then(|change| successor(change, was)).unwrap_or(was);
        if is != meant {
            complaints.wrong(format!("the source `{}` declares `{is}`, where `{meant}` is meant", after.id));
        }
    }
}
