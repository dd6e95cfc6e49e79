//! `diff` checks against the columns of both datasets: what the run will compare is settled when the plan is made.

use super::check_spec::Reference;
use crate::code;
use crate::diagnostic::{Diagnostic, Place};
use crate::diff::{About, Named, Pairing, Refused};
use crate::schema::Schema;
use crate::snapshot::{Observed, References};
use crate::spec::{CheckSpec, DiffSpec};
use std::collections::BTreeMap;

/// What the new dataset is called.
const NEW: &str = "the new dataset";

/// What is wrong with one diff; pointers are below it.
pub(super) fn validate(
    diff: &DiffSpec,
    target: &Schema,
    reference: Reference<'_>,
    place: &dyn Fn(&str) -> Option<Place>,
) -> Vec<Diagnostic> {
    let new = Named { words: NEW, schema: target };
    let Some(name) = diff.with().other() else {
        // The mapping makes the new dataset's columns.
        return Pairing::of(new, new, &diff.options()).err().map(|why| refused(why, place)).into_iter().collect();
    };
    match reference(name) {
        None => Vec::new(),
        Some(Err(why)) => why.iter().map(|one| one.clone().at(place("/with"))).collect(),
        Some(Ok(observed)) => {
            let words = format!("`{name}`");
            against(Named { words: &words, schema: &observed.schema }, new, diff, place)
        }
    }
}

/// What keeps two datasets from being compared column by column.
fn against(
    other: Named<'_>,
    new: Named<'_>,
    diff: &DiffSpec,
    place: &dyn Fn(&str) -> Option<Place>,
) -> Vec<Diagnostic> {
    let pairing = match Pairing::of(other, new, &diff.options()) {
        Ok(pairing) => pairing,
        Err(why) => return vec![refused(why, place)],
    };
    let alone = |names: &[String], has: &str, lacks: &str| -> Vec<Diagnostic> {
        let error = |name: &String| bad(format!("{has} has a column `{name}` and {lacks} has not"));
        names.iter().map(|name| error(name).hint(format!("leave it out: `ignore: [{name}]`"))).collect()
    };
    let apart = pairing.differing.iter().filter(|column| !column.compared).map(|column| {
        let (name, there, here) = (&column.name, &column.left, &column.right);
        bad(format!("column `{name}` is `{there}` in {} and `{here}` in {NEW}, which cannot be compared", other.words))
            .hint(format!("leave it out: `ignore: [{name}]`, or give it that type in the mapping"))
    });
    let mut errors = alone(&pairing.only_left, other.words, NEW);
    errors.extend(alone(&pairing.only_right, NEW, other.words));
    errors.extend(apart);
    errors.into_iter().map(|error| error.at(place("/with"))).collect()
}

fn refused(why: Refused, place: &dyn Fn(&str) -> Option<Place>) -> Diagnostic {
    let pointer = match &why.about {
        About::Datasets | About::Only(_) => String::new(),
        About::Key(at) => format!("/key/{at}"),
        About::Ignore(at) => format!("/ignore/{at}"),
        About::Tolerance => "/tolerance".to_owned(),
        About::ToleranceOf(name) => format!("/tolerances/{}", name.replace('~', "~0").replace('/', "~1")),
    };
    why.hint.into_iter().fold(bad(why.message), Diagnostic::hint).at(place(&pointer))
}

fn bad(message: String) -> Diagnostic {
    Diagnostic::error(code::plan::BAD_CHECK, message)
}

/// The other datasets that checks compare with.
pub(super) fn references(checks: &[CheckSpec], known: &References) -> BTreeMap<String, Observed> {
    let named = checks.iter().filter_map(|check| check.diff.as_ref()?.with().other());
    named.filter_map(|name| Some((name.to_owned(), known.get(name)?.as_ref().ok()?.clone()))).collect()
}
