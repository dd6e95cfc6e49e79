//! Models whose outputs have other names, since the migration lets new names go on to readers.
//!
//! Such a model is a dataset that changes by names alone, so those who read it are held against the new names, and it is held against
//! the mapping as what makes one: each name that is another one must be what the mapping calls a column of a dataset that the model reads.
//! Where one is not, the model is not taken for one of these, and its names are wrong.

use super::compared::Pair;
use super::unit::{Side, old_of, parts};
use crate::dbt::NodeKind;
use crate::repository::makes;
use greylag_model::consumer::{Fate, TableChange};
use greylag_model::spec::Outputs;
use greylag_syntax::sql::{Dialect, Reading};

/// How many models in a row are followed.
const DEPTH: usize = 64;

/// Adds the changes of models whose outputs have other names to what is known of a project.
pub(super) fn add(pair: &mut Pair, dialect: Dialect) {
    if pair.changes.iter().all(|change| change.outputs != Outputs::Propagate) {
        return;
    }
    for _ in 0..DEPTH {
        let (mut changes, mut found) = (pair.changes.to_vec(), false);
        for at in 0..pair.nodes.len() {
            let Some(change) = renamed(pair, pair.nodes[at], dialect) else { continue };
            pair.nodes[at].makes = Some(changes.len());
            changes.push(change);
            found = true;
        }
        pair.changes = changes.into();
        if !found {
            return;
        }
    }
}

/// The change of a model whose outputs have other names.
fn renamed(pair: &Pair, nodes: makes::Pair, dialect: Dialect) -> Option<TableChange> {
    let (old, new) = (pair.old.nodes.get(nodes.old)?, pair.new.nodes.get(nodes.new?)?);
    let is_model = old.kind == NodeKind::Model && nodes.makes.is_none() && old.relation == new.relation;
    if !is_model || old.renderings.len() != new.renderings.len() {
        return None;
    }
    let mut found: Option<(Vec<(String, String)>, &TableChange)> = None;
    for (before, after) in old.renderings.iter().zip(&new.renderings) {
        let (Ok(before), Ok(after)) = (&before.text, &after.text) else { continue };
        if before.text() == after.text() {
            continue;
        }
        let before = Side::before(before.text(), dialect, &pair.changes);
        let after = Side::after(after.text(), dialect, &pair.changes);
        let names = names(&before.reading, &after.reading)?;
        let about = justified(&before.reading, &names, &pair.changes)?;
        match &found {
            Some((known, _)) if *known != names => return None,
            Some(_) => {}
            None => found = Some((names, about)),
        }
    }
    let (names, about) = found.filter(|(names, _)| names.iter().any(|(was, is)| was != is))?;
    makes::renaming(old, about, &names)
}

/// What the outputs of the one query of a text were called, and are called; none if they are not known one by one.
fn names(before: &Reading, after: &Reading) -> Option<Vec<(String, String)>> {
    let outputs = |reading: &Reading| -> Option<Vec<String>> {
        let [statement] = reading.statements.as_slice() else { return None };
        let query = reading.queries.get(statement.query?)?;
        query.outputs.iter().map(|output| Some(output.name.as_deref()?.to_owned())).collect()
    };
    let (was, is) = (outputs(before)?, outputs(after)?);
    (was.len() == is.len()).then(|| was.into_iter().zip(is).collect())
}

/// A change of what the text reads, if each name that is another one is so by such a change.
fn justified<'a>(before: &Reading, names: &[(String, String)], changes: &'a [TableChange]) -> Option<&'a TableChange> {
    let read = before.relations.iter().filter_map(|relation| old_of(&parts(relation), changes));
    let read: Vec<&TableChange> = read.filter_map(|(number, _)| changes.get(number)).collect();
    let read: Vec<&TableChange> = read.into_iter().filter(|change| change.outputs == Outputs::Propagate).collect();
    let is_meant = |was: &str, is: &str| {
        read.iter()
            .any(|change| matches!(change.column(was).map(|column| &column.fate), Some(Fate::Same(new)) if new == is))
    };
    let all = names.iter().filter(|(was, is)| was != is).all(|(was, is)| is_meant(was, is));
    read.first().copied().filter(|_| all)
}
