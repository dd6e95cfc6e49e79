//! How nodes and sources are configured and named, before anything is rendered.

use super::evaluate::Shared;
use super::host::{DbtHost, Notes, is_template, shown, template_of};
use super::load::Draft;
use super::project::{Column, Config, SourceTable};
use super::said::said_of;
use super::yaml::{Scalar, Yaml, is_null};
use greylag_syntax::jinja::ast::{ExprKind, Node};
use greylag_syntax::jinja::{Value, render};
use greylag_syntax::trace::{Origin, Traced};
use std::sync::Arc;

/// The text of a scalar of YAML; what is a template in it is rendered. `None` if it cannot be known.
pub(super) fn rendered(shared: &Arc<Shared>, package: usize, scalar: &Scalar) -> Option<Traced> {
    if !is_template(scalar.as_str()) {
        return Some((*scalar.text).clone());
    }
    let template = template_of(&shared.loaded.files, scalar).ok()?;
    let ways = render(&template.body, &shared.few, || DbtHost::new(shared, None, package));
    let way = ways.all.into_iter().next()?;
    let text = way.text.ok().filter(|_| way.holes.is_empty() && way.decisions.is_empty())?;
    let made = Origin::Made { of: [scalar.at].into(), mark: None };
    Some(if scalar.inner().is_some() { text } else { Traced::of(text.text(), made) })
}

pub(super) fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" | "" | "None" | "0" => Some(false),
        _ => None,
    }
}

/// How a node is configured, as far as it stands in YAML or as literals in its template.
pub(super) fn config_of(shared: &Arc<Shared>, index: usize, draft: &Draft) -> Config {
    let literals = given_at_top(shared, draft.package, draft.body());
    let get = |key: &str| {
        let literal = literals.iter().rev().find(|(found, _)| &**found == key).map(|(_, value)| value.clone());
        literal.or_else(|| {
            let declared = shared.declared(index, key)?;
            let scalar = declared.scalar().filter(|scalar| !(scalar.plain && is_null(scalar.as_str())))?;
            rendered(shared, draft.package, scalar)
        })
    };
    let declared = shared.declared(index, "enabled").is_some() || literals.iter().any(|(key, _)| &**key == "enabled");
    let enabled = if declared { get("enabled").and_then(|text| truth(text.text())) } else { Some(true) };
    Config {
        enabled,
        materialized: get("materialized"),
        schema: get("schema"),
        alias: get("alias"),
        database: get("database").or_else(|| get("project")),
        is_contract: is_contract(shared, index),
    }
}

/// Whether YAML asks for a contract.
fn is_contract(shared: &Arc<Shared>, index: usize) -> bool {
    let declared = shared.declared(index, "contract");
    let enforced = declared.as_ref().and_then(|contract| contract.text("enforced").or_else(|| contract.scalar()));
    enforced.is_some_and(|enforced| truth(enforced.as_str()) != Some(false))
}

/// What `config()` is given at the top of a template, as far as it hangs on nothing else there: variables have their values.
fn given_at_top(shared: &Arc<Shared>, package: usize, body: &[Node]) -> Vec<(Arc<str>, Traced)> {
    let mut found = Vec::new();
    for node in body {
        let (Node::Print(expr) | Node::Do(expr)) = node else { continue };
        let ExprKind::Call(callee, _) = &expr.kind else { continue };
        if !matches!(&callee.kind, ExprKind::Name(name) if &**name == "config") {
            continue;
        }
        let call = std::slice::from_ref(node);
        let ways = render(call, &shared.few, || DbtHost::new(shared, None, package));
        if let [way] = ways.all.as_slice() {
            let notes = std::mem::take::<Notes>(&mut way.host.0.notes.borrow_mut());
            let known = notes
                .config
                .into_iter()
                .filter(|(_, value)| matches!(value, Value::Text(_) | Value::Bool(_)) && value.open_words().is_none());
            found.extend(known.map(|(key, value)| (key, shown(&value))));
        }
    }
    found
}

/// The columns that an entry of YAML declares.
pub(super) fn columns_of(entry: &Yaml) -> Vec<Column> {
    let columns = entry.get("columns").map(Yaml::items).unwrap_or_default();
    let column = |column: &Yaml| {
        let name = column.text("name")?;
        let data_type = column.text("data_type").map(|data_type| data_type.text.clone());
        Some(Column { name: name.text.clone(), data_type, at: column.at().unwrap_or(name.at) })
    };
    columns.iter().filter_map(column).collect()
}

/// The tables of the sources of an entry.
pub(super) fn sources_of(shared: &Arc<Shared>, package: usize, entry: &Yaml) -> Vec<SourceTable> {
    let Some(source) = entry.text("name") else { return Vec::new() };
    let package_name = shared.loaded.packages.get(package).map_or("", |package| &package.public.name);
    let render = |scalar: &Scalar| rendered(shared, package, scalar);
    // A schema that only the target knows is left out of the name, as such a database is.
    let schema = match entry.text("schema") {
        Some(schema) => render(schema).unwrap_or_default(),
        None => (*source.text).clone(),
    };
    let database = entry.text("database").and_then(render);
    let mut tables = Vec::new();
    for table in entry.get("tables").map(Yaml::items).unwrap_or_default() {
        let Some(name) = table.text("name") else { continue };
        let identifier = table.text("identifier").and_then(render).map_or_else(|| name.text.clone(), Arc::new);
        let fqn = [package_name, source.as_str(), name.as_str()];
        tables.push(SourceTable {
            id: format!("source.{package_name}.{source}.{table}", source = source.as_str(), table = name.as_str()),
            package: package_name.to_owned(),
            source: source.text.clone(),
            table: name.text.clone(),
            identifier,
            schema: schema.clone(),
            database: database.clone(),
            enabled: source_enabled(shared, package, entry, table, &fqn),
            columns: columns_of(table),
            said: said_of(table),
            at: table.at().unwrap_or(name.at),
        });
    }
    tables
}

fn source_enabled(shared: &Arc<Shared>, package: usize, source: &Yaml, table: &Yaml, fqn: &[&str]) -> bool {
    let own = |entry: &Yaml| {
        entry.get("config").and_then(|config| config.text("enabled")).or_else(|| entry.text("enabled")).cloned()
    };
    let project = || {
        let of = |index: usize| shared.loaded.packages.get(index)?.settings.config("sources", fqn, "enabled")?.scalar();
        of(0).or_else(|| of(package)).cloned()
    };
    let scalar = own(table).or_else(|| own(source)).or_else(project);
    scalar.and_then(|scalar| rendered(shared, package, &scalar)).and_then(|text| truth(text.text())) != Some(false)
}
