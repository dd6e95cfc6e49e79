//! Increments of one pair: are they possible, what tells how far the dataset is, and what does the task go on from.

use crate::code::plan as code;
use crate::dataset::{Layout, Shape};
use crate::diagnostic::{Diagnostic, Place};
use crate::increment::{Base, Increments, Published, Watermark, can_mark, digest_of, in_units};
use crate::mapping::Mapping;
use crate::snapshot::{Observed, PairSnapshot};
use crate::spec::{IncrementsSpec, MigrationSpec, WatermarkSpec, duration};

type Found<'a> = &'a dyn Fn(&str) -> Option<Place>;

/// The increments of a pair, none if the migration has none, and what the reader should know of them.
pub(super) fn resolve(
    spec: &MigrationSpec,
    number: usize,
    probed: &PairSnapshot,
    source: &Observed,
    (layout, mapping): (&Layout, &Mapping),
    place: Found<'_>,
) -> Result<(Option<Increments>, Option<Diagnostic>), Vec<Diagnostic>> {
    let pair = &spec.datasets[number];
    let own = format!("/spec/datasets/{number}");
    let Some(asked) = &spec.increments else {
        return match &pair.watermark {
            None => Ok((None, None)),
            Some(_) => Err(vec![
                Diagnostic::error(code::BAD_INCREMENTS, "a pair has a `watermark`, and the migration no `increments`")
                    .hint("add `increments: {}` to the migration's spec, or remove the watermark")
                    .at(place(&format!("{own}/watermark"))),
            ]),
        };
    };
    let mut errors = Vec::new();
    if layout.shape == Shape::File {
        let message = format!("`{}` would be a single file, and increments add files to a directory", pair.to);
        errors.push(
            Diagnostic::error(code::BAD_INCREMENTS, message)
                .hint("say `layout: {shape: directory}`")
                .at(place(&format!("{own}/to"))),
        );
    }
    for (at, checks) in [("/spec".to_owned(), &spec.checks), (own.clone(), &pair.checks)] {
        for (number, check) in checks.iter().enumerate() {
            if check.diff.as_ref().is_some_and(|diff| diff.with().other().is_some()) {
                let message = "a `diff` with another dataset compares all of both, and increments convert what changed";
                errors.push(
                    Diagnostic::error(code::BAD_INCREMENTS, message)
                        .hint("compare with the source (`with: source`), or with `greylag diff` after the run")
                        .at(place(&format!("{at}/checks/{number}/diff"))),
                );
            }
        }
    }
    let mut warning = None;
    let (wanted, at) = match (&pair.watermark, &asked.watermark) {
        (Some(own_mark), _) => (Some(own_mark), format!("{own}/watermark")),
        (None, shared) => (shared.as_ref(), "/spec/increments/watermark".to_owned()),
    };
    let mut watermark = None;
    if let Some(wanted) = wanted {
        match mark(wanted, mapping) {
            Ok(found) => watermark = Some(found),
            Err((key, message, hint)) if pair.watermark.is_some() || key == "lateness" => errors
                .push(Diagnostic::error(code::BAD_INCREMENTS, message).hint(hint).at(place(&format!("{at}/{key}")))),
            Err((_, message, _)) => {
                let message = format!("`{}` has no watermark: {message}", pair.to);
                warning = Some(Diagnostic::warning(code::NO_WATERMARK, message));
            }
        }
    }
    let base = match probed.published.as_ref().filter(|_| probed.target.exists) {
        None => None,
        Some(published) => {
            let digest = digest_of(&source.dataset.location, &source.layout, mapping, layout);
            match base(&pair.to, published, &digest) {
                Ok(base) => Some((base, published)),
                Err(error) => {
                    errors.push(error.at(place(&format!("{own}/to"))));
                    None
                }
            }
        }
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    if let (Some(watermark), Some((_, Published { mark: Some((column, mark)), .. }))) = (&mut watermark, &base)
        && watermark.column == *column
    {
        watermark.mark = Some(*mark);
    }
    let IncrementsSpec { removed, settle, .. } = asked;
    let settle_millis = settle.as_deref().and_then(|text| duration::parse(text).ok()).unwrap_or(0);
    let base = base.map(|(base, _)| base);
    Ok((Some(Increments { removed: *removed, settle_millis, watermark, base }), warning))
}

/// The watermark, or which key of it is wrong, why, and a hint.
fn mark(wanted: &WatermarkSpec, mapping: &Mapping) -> Result<Watermark, (&'static str, String, &'static str)> {
    let name = &wanted.column;
    let Some((_, column)) = mapping.target.find(name) else {
        let message = format!("the new dataset has no column `{name}`");
        return Err(("column", message, "a watermark is a column of the new dataset, by its new name"));
    };
    if !can_mark(&column.data_type) {
        let message = format!("the column `{name}` is of type `{}`", column.data_type);
        return Err(("column", message, "a watermark is a date, a timestamp or an integer of at most 63 bits"));
    }
    let millis = wanted.lateness.as_deref().and_then(|text| duration::parse(text).ok()).unwrap_or(0);
    let lateness = match in_units(&column.data_type, millis) {
        // Rounded up: nothing is called late that may not be.
        Some(units) => units,
        None if millis == 0 => 0,
        None => {
            let message = format!("a lateness is a time, and the column `{name}` is of type `{}`", column.data_type);
            return Err(("lateness", message, "remove `lateness`, or choose a column with time"));
        }
    };
    Ok(Watermark { column: name.clone(), lateness, late: wanted.late, mark: None })
}

/// What the task goes on from, or why it cannot.
fn base(to: &str, published: &Published, digest: &str) -> Result<Base, Diagnostic> {
    let run = &published.base.run;
    let refused = |message: String, hint: String| Err(Diagnostic::error(code::NO_BASE, message).hint(hint));
    if let Some(busy) = &published.busy {
        return refused(
            format!("run `{busy}` is at work on `{to}` and has not ended"),
            format!("wait for it (`greylag wait {busy}`), or end it (`greylag abort {busy}`)"),
        );
    }
    if published.cut_over {
        return refused(
            format!("run `{run}` has cut over to `{to}`: the old dataset is no longer what it is made from"),
            "leave the pair out".to_owned(),
        );
    }
    if !published.increments {
        return refused(
            format!(
                "run `{run}` published `{to}` without increments, so that nobody knows which files it was made from"
            ),
            format!("`greylag undo {run}` and apply this migration, or give the new dataset another name"),
        );
    }
    if published.digest != digest {
        return refused(
            format!("run `{run}` published `{to}` with another mapping, schema or layout"),
            format!("`greylag undo {run}` and apply this migration, or give the new dataset another name"),
        );
    }
    Ok(published.base.clone())
}
