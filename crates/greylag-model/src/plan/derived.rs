//! Derived datasets of a plan: which writer, what it reads, and that those come first.

use super::compile::Drafted;
use super::{After, Places};
use crate::code::plan as code;
use crate::custom::{Inserted, PREFIX};
use crate::dataset::{Layout, Shape};
use crate::derived::{Derived, Read, SURVEY};
use crate::diagnostic::Diagnostic;
use crate::entity::EntityRef;
use crate::increment::{can_mark, in_units};
use crate::mapping::{self, Mapping};
use crate::snapshot::{LineageEdge, Observed, References};
use crate::spec::{CheckSpec, DerivedSpec, DiffSpec, History, MappingSpec, Migration, MigrationSpec, Pair, duration};
use crate::task::{Phase, Step};
use std::collections::BTreeMap;

/// Name of the check that compares what the writer made with what the mapping makes of the old dataset.
const COMPARED: &str = "history";

/// What is wrong with the pair's `derived`, or how the dataset is made; its `reads` are found later ([`connect`]).
pub(super) fn resolve(
    spec: &MigrationSpec,
    number: usize,
    (layout, mapping): (&Layout, &Mapping),
    places: Places<'_>,
) -> Result<Option<Derived>, Vec<Diagnostic>> {
    let pair = &spec.datasets[number];
    let Some(asked) = &pair.derived else { return Ok(None) };
    let mut errors = Vec::new();
    let mut error = |key: &str, message: String, hint: &str| {
        let place = places(&format!("/spec/datasets/{number}/derived{key}"));
        errors.push(Diagnostic::error(code::BAD_DERIVED, message).hint(hint).at(place));
    };
    match spec.commands.iter().find(|command| command.name == asked.writer) {
        None => {
            let message = format!("there is no command `{}`", asked.writer);
            error("/writer", message, "declare it under `commands`, with `readOnly: true`");
        }
        Some(command) if !command.read_only || command.writes.is_some() => {
            let message = format!("the command `{}` is no writer", asked.writer);
            error(
                "/writer",
                message,
                "say `readOnly: true`: it writes to `/out`, which is nobody else's, and nowhere else",
            );
        }
        Some(command) => {
            for name in asked.with.keys().filter(|name| !command.inputs.iter().any(|input| input.name == **name)) {
                let message = format!("the command `{}` has no input `{name}`", asked.writer);
                error(&format!("/with/{name}"), message, "remove it, or declare it under `inputs` of the command");
            }
            let needed = command.inputs.iter().filter(|input| input.default.is_none());
            for input in needed.filter(|input| !asked.with.contains_key(&input.name)) {
                let message = format!("the command `{}` needs the input `{}`", asked.writer, input.name);
                error("", message, "give it under `with`");
            }
        }
    }
    if spec.increments.is_some() {
        error(
            "",
            "a derived dataset has no increments: its writer adds to it".to_owned(),
            "give it a migration of its own",
        );
    }
    let wants_mark = asked.history != History::Rerun;
    match (&asked.watermark, wants_mark) {
        (None, true) => {
            let message = "without a watermark nobody knows where the past ends".to_owned();
            error("", message, "add `watermark: COLUMN`, a date, a timestamp or an integer of the new dataset");
        }
        (Some(_), false) => {
            let message = "`history: rerun` makes everything anew, so that no watermark parts it".to_owned();
            error("/watermark", message, "remove it, or say `history: backfill`");
        }
        _ => {}
    }
    if asked.overlap.is_some() && asked.history != History::Backfill {
        error("/overlap", "only `history: backfill` has an overlap".to_owned(), "remove it");
    }
    if asked.history == History::Backfill && layout.shape == Shape::File {
        let message = format!("`{}` would be a single file, and two makers write it", pair.to);
        error("/history", message, "say `layout: {shape: directory}`");
    }
    let mut overlap = 0;
    if let Some(name) = asked.watermark.as_ref().filter(|_| wants_mark) {
        match mapping.target.find(name).map(|(_, column)| &column.data_type) {
            None => error("/watermark", format!("the new dataset has no column `{name}`"), "name one of its columns"),
            Some(data_type) if !can_mark(data_type) => {
                let message = format!("the column `{name}` is of type `{data_type}`");
                error("/watermark", message, "a watermark is a date, a timestamp or an integer of at most 63 bits");
            }
            Some(data_type) => {
                let millis = asked.overlap.as_deref().and_then(|text| duration::parse(text).ok());
                match millis.map(|millis| in_units(data_type, millis)) {
                    None => {}
                    Some(Some(units)) => overlap = units,
                    Some(None) => {
                        let message = format!("an overlap is a time, and the column `{name}` is of type `{data_type}`");
                        error("/overlap", message, "remove it, or choose a column with time");
                    }
                }
            }
        }
    }
    let copy = match copy(&mapping.target, layout) {
        Ok(copy) => Some(copy),
        Err(why) => {
            errors.extend(why);
            None
        }
    };
    match copy.filter(|_| errors.is_empty()) {
        Some(copy) => Ok(Some(Derived {
            writer: asked.writer.clone(),
            history: asked.history,
            watermark: asked.watermark.clone(),
            overlap,
            reads: Vec::new(),
            copy,
        })),
        None => Err(errors),
    }
}

/// A dataset onto itself.
fn copy(target: &crate::schema::Schema, layout: &Layout) -> Result<Mapping, Vec<Diagnostic>> {
    let resolved = mapping::resolve(mapping::Request {
        spec: &MappingSpec::default(),
        source: target,
        partition_by: &layout.partition_by,
        target_partition_by: Some(&layout.partition_by),
        place: &|_| None,
        layout_place: &|_| None,
    })?;
    Ok(resolved.mapping)
}

/// Puts the survey and the writer before the conversion, and the comparison among the checks.
pub(super) fn arrange(task: &mut Drafted, asked: &DerivedSpec) {
    let Some(expand) = task.steps.iter().position(|step| step.uses == "data/expand") else { return };
    let like = task.steps[expand].clone();
    let step = |uses: String, phase, inserted| Step { uses, phase, approval: false, inserted, ..like.clone() };
    let inserted = Inserted { name: asked.writer.clone(), with: asked.with.clone(), ..Inserted::default() };
    let writer = step(format!("{PREFIX}{}", asked.writer), Phase::Backfill, Some(Box::new(inserted)));
    let survey = step(SURVEY.to_owned(), Phase::Expand, None);
    task.steps.insert(expand + 1, survey);
    task.steps.insert(expand + 2, writer);
    let compares = asked.history == History::Rerun || asked.overlap.is_some();
    if compares {
        let diff = DiffSpec { key: asked.key.clone(), tolerance: asked.tolerance, ..DiffSpec::default() };
        task.subject.checks.push(CheckSpec {
            name: Some(COMPARED.to_owned()),
            diff: Some(diff),
            ..CheckSpec::default()
        });
    }
}

fn is(pair: &Pair, name: &EntityRef) -> bool {
    [&pair.from, &pair.to].iter().any(|text| EntityRef::parse(text, "resource").as_ref() == Some(name))
}

/// The pair of this migration that a writer reads by that name.
fn pair_of(pairs: &[Pair], name: &str) -> Option<usize> {
    let entity = EntityRef::parse(name, "resource")?;
    pairs.iter().position(|pair| is(pair, &entity))
}

/// What writers read of this migration, as lineage.
pub(super) fn edges(migration: &Migration, sources: &[EntityRef]) -> Vec<LineageEdge> {
    let pairs = &migration.spec.datasets;
    let mut edges = Vec::new();
    for (number, pair) in pairs.iter().enumerate() {
        for read in pair.derived.iter().flat_map(|derived| &derived.reads) {
            if let Some(upstream) = pair_of(pairs, read) {
                edges.push(LineageEdge { upstream: sources[upstream].clone(), downstream: sources[number].clone() });
            }
        }
    }
    edges
}

/// Finds what the writers read. A derived dataset whose upstream is blocked is blocked, too.
pub(super) fn connect(
    migration: &Migration,
    references: &References,
    places: Places<'_>,
    tasks: &mut [Option<Drafted>],
    reasons: &mut [Vec<Diagnostic>],
) {
    let pairs = &migration.spec.datasets;
    loop {
        let mut blocked = false;
        for number in 0..pairs.len() {
            let Some(asked) = &pairs[number].derived else { continue };
            if tasks[number].is_none() {
                continue;
            }
            let mut reads = BTreeMap::new();
            let mut errors = Vec::new();
            for (at, name) in asked.reads.iter().enumerate() {
                let place = || places(&format!("/spec/datasets/{number}/derived/reads/{at}"));
                match read(pairs, references, tasks, name) {
                    Ok(read) => drop(reads.insert(at, read)),
                    Err(why) => errors.extend(why.into_iter().map(|why| why.at(place()))),
                }
            }
            if !errors.is_empty() {
                reasons[number].extend(errors);
                tasks[number] = None;
                blocked = true;
            } else if let Some(derived) = tasks[number].as_mut().and_then(|task| task.subject.derived.as_mut()) {
                derived.reads = reads.into_values().collect();
            }
        }
        if !blocked {
            return;
        }
    }
}

fn read(
    pairs: &[Pair],
    references: &References,
    tasks: &[Option<Drafted>],
    name: &str,
) -> Result<Read, Vec<Diagnostic>> {
    if let Some(upstream) = pair_of(pairs, name) {
        let Some(task) = &tasks[upstream] else {
            let message = format!("its writer reads `{name}`, which is blocked");
            return Err(vec![Diagnostic::error(code::BAD_DERIVED, message).hint("see why above, and cure that first")]);
        };
        return Ok(Read {
            name: name.to_owned(),
            entity: task.subject.target.clone(),
            location: task.subject.target_location.clone(),
            layout: task.subject.target_layout.clone(),
            schema: task.subject.mapping.target.clone(),
        });
    }
    match references.get(name) {
        Some(Ok(Observed { dataset, layout, schema, .. })) => Ok(Read {
            name: name.to_owned(),
            entity: dataset.entity.clone(),
            location: dataset.location.clone(),
            layout: layout.clone(),
            schema: schema.clone(),
        }),
        Some(Err(why)) => Err(why.clone()),
        None => Err(vec![
            Diagnostic::error(code::BAD_DERIVED, format!("there is no dataset `{name}`"))
                .hint("name an old dataset of this migration, or one of the catalog"),
        ]),
    }
}

/// That what a writer reads is published first.
pub(super) fn after(migration: &Migration, number: usize, ids: &[Option<crate::id::TaskId>]) -> Vec<After> {
    let pairs = &migration.spec.datasets;
    let reads = pairs[number].derived.iter().flat_map(|derived| &derived.reads);
    let upstream = reads.filter_map(|name| ids.get(pair_of(pairs, name)?)?.clone());
    upstream.map(|task| After { task, phase: Phase::Publish }).collect()
}
