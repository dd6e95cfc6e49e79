//! `ref`, `source` and `this`.

use super::relation::{Part, Relation};
use super::{Site, shown};
use crate::dbt::project::{Reference, ReferenceKind, Target};
use greylag_syntax::jinja::value::Arguments;
use greylag_syntax::jinja::{Error, ErrorKind, Evaluator, Stop, Value};
use greylag_syntax::trace::{Mark, Span, Traced};
use std::rc::Rc;
use std::sync::Arc;

/// `ref('name')`, `ref('package', 'name')`, with `version` or `v`.
pub(super) fn reference(
    site: &Rc<Site>,
    evaluator: &mut Evaluator<'_>,
    mut arguments: Arguments,
) -> Result<Value, Stop> {
    let at = arguments.at;
    let version = arguments.take_named("version").or_else(|| arguments.take_named("v"));
    let given: Vec<Value> = arguments.positional.drain(..).collect();
    let (package, name) = match given.as_slice() {
        [name] => (None, name),
        [package, name] => (Some(package), name),
        _ => return Err(Error::at(ErrorKind::Type, "`ref` takes a name, or a package and a name", at).into()),
    };
    let mut texts: Vec<Traced> = given.iter().map(shown).collect();
    let version = version.filter(|version| !matches!(version, Value::None)).map(|version| shown(&version));
    let is_open = given.iter().any(|value| value.open_words().is_some());
    let target = if is_open {
        None
    } else {
        let package = package.map(|package| shown(package).text().to_owned());
        let version = version.as_ref().map(Traced::text);
        site.shared.find_node(package.as_deref(), shown(name).text(), version, site.package)
    };
    let name = texts.last().cloned().unwrap_or_default();
    texts.extend(version);
    let (mark, of) = note(site, ReferenceKind::Ref, texts, at, target.map(Target::Node));
    if is_open {
        let words = format!("ref({name})");
        return Ok(evaluator.open(&words, at));
    }
    let parts = match target {
        Some(node) => site.shared.node_parts(node),
        None => [None, stand_in(site), Part::known(name)],
    };
    let is_ephemeral = target.is_some_and(|node| site.shared.is_ephemeral(node));
    let kind = is_ephemeral.then(|| Value::generated("cte"));
    Ok(Value::object(Relation { kind, ..relation(site, parts, mark, of) }))
}

/// `source('name', 'table')`.
pub(super) fn source(site: &Rc<Site>, evaluator: &mut Evaluator<'_>, arguments: Arguments) -> Result<Value, Stop> {
    let at = arguments.at;
    let given: Vec<Value> = arguments.positional.into();
    let [name, table] = given.as_slice() else {
        return Err(Error::at(ErrorKind::Type, "`source` takes the names of a source and of a table", at).into());
    };
    let texts = vec![shown(name), shown(table)];
    let is_open = given.iter().any(|value| value.open_words().is_some());
    let target = if is_open { None } else { site.shared.find_source(texts[0].text(), texts[1].text(), site.package) };
    let words = format!("source({}, {})", texts[0], texts[1]);
    let unknown = [None, Part::known(texts[0].clone()), Part::known(texts[1].clone())];
    let (mark, of) = note(site, ReferenceKind::Source, texts, at, target.map(Target::Source));
    if is_open {
        return Ok(evaluator.open(&words, at));
    }
    let parts = target.and_then(|source| site.shared.source_parts(source)).unwrap_or(unknown);
    Ok(Value::object(relation(site, parts, mark, of)))
}

/// `this`.
pub(super) fn this(site: &Rc<Site>, at: Span) -> Option<Value> {
    let node = site.node?;
    let (mark, of) = note(site, ReferenceKind::This, Vec::new(), at, Some(Target::Node(node)));
    let mut parts = site.shared.node_parts(node);
    for (key, part) in ["database", "schema", "alias"].iter().zip(&mut parts) {
        let given = site.notes.borrow().config.iter().rev().find(|(found, _)| &**found == *key).map(|(_, v)| v.clone());
        if *key == "alias"
            && let Some(alias) = given.filter(|alias| !matches!(alias, Value::None))
        {
            *part = Part::known(shown(&alias));
        }
    }
    Some(Value::object(relation(site, parts, mark, of)))
}

/// A schema of which only the target would know.
fn stand_in(site: &Site) -> Option<Part> {
    site.shared.target_part("schema")
}

fn relation(site: &Site, parts: [Option<Part>; 3], mark: Mark, of: Arc<[Span]>) -> Relation {
    Relation { parts, mark: Some(mark), of, quote: site.shared.quote(), is_quoted: site.shared.quotes(), kind: None }
}

/// Notes a reference; a call at the same place with the same arguments is the same one.
fn note(
    site: &Site,
    kind: ReferenceKind,
    arguments: Vec<Traced>,
    at: Span,
    target: Option<Target>,
) -> (Mark, Arc<[Span]>) {
    let mut of: Vec<Span> = Vec::new();
    for span in arguments.iter().flat_map(Traced::sources) {
        if !of.contains(&span) {
            of.push(span);
        }
    }
    let reference = Reference { kind, arguments, at, target };
    let mut notes = site.notes.borrow_mut();
    let index = notes.references.iter().position(|found| *found == reference).unwrap_or_else(|| {
        notes.references.push(reference);
        notes.references.len() - 1
    });
    (Mark(index as u32), of.into())
}
