//! `adapter`: macros by database, columns of relations, and much that only a database can tell.

use super::{Site, shown};
use crate::dbt::load::CORE_PACKAGE;
use greylag_syntax::jinja::value::{Arguments, Function, Object};
use greylag_syntax::jinja::{Error, ErrorKind, Evaluator, Stop, Value, call_words};
use greylag_syntax::trace::{Origin, Span, Traced};
use std::rc::Rc;

#[derive(Debug)]
pub(super) struct Adapter(pub(super) Rc<Site>);

/// What changes a database and gives nothing.
const COMMANDS: [&str; 12] = [
    "drop_relation",
    "truncate_relation",
    "rename_relation",
    "create_schema",
    "drop_schema",
    "cache_added",
    "cache_dropped",
    "cache_renamed",
    "expand_target_column_types",
    "commit_if_has_connection",
    "execute",
    "clear_transaction",
];

impl Object for Adapter {
    fn type_name(&self) -> &'static str {
        "adapter"
    }

    fn attribute(&self, _: &mut Evaluator<'_>, name: &str, _: Span) -> Option<Value> {
        let site = self.0.clone();
        Some(match name {
            "dispatch" => Function::value("dispatch", move |_, arguments| dispatch(&site, arguments)),
            "quote" | "quote_as_configured" => {
                Function::value("quote", move |evaluator, arguments| quoted(&site, evaluator, arguments))
            }
            "type" => Function::value("type", move |evaluator, arguments| {
                let adapter = site.shared.options.adapter.as_deref();
                Ok(adapter.map_or_else(|| evaluator.open("target.type", arguments.at), Value::generated))
            }),
            "get_columns_in_relation" => Function::value("get_columns_in_relation", move |evaluator, arguments| {
                Ok(columns(&site, evaluator, &arguments))
            }),
            name if COMMANDS.contains(&name) => Function::value("adapter", |_, _| Ok(Value::None)),
            name => {
                let name = name.to_owned();
                Function::value("adapter", move |evaluator, arguments| Ok(open(evaluator, &name, &arguments)))
            }
        })
    }
}

fn open(evaluator: &mut Evaluator<'_>, name: &str, arguments: &Arguments) -> Value {
    evaluator.open(&call_words(&format!("adapter.{name}"), arguments), arguments.at)
}

/// The adapters whose macros one adapter also takes.
fn prefixes(adapter: Option<&str>) -> Vec<&str> {
    let mut prefixes = match adapter {
        Some("redshift") => vec!["redshift", "postgres"],
        Some("databricks") => vec!["databricks", "spark"],
        Some("athena") => vec!["athena"],
        Some(adapter) => vec![adapter],
        None => Vec::new(),
    };
    prefixes.push("default");
    prefixes
}

fn dispatch(site: &Rc<Site>, mut arguments: Arguments) -> Result<Value, Stop> {
    let at = arguments.at;
    let name = shown(&arguments.take("macro_name").unwrap_or(Value::None));
    let namespace = arguments.take("macro_namespace").filter(|found| matches!(found, Value::Text(_)));
    let (namespace, name) = match name.text().split_once('.') {
        Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
        None => (namespace.map(|found| shown(&found).text().to_owned()), name.text().to_owned()),
    };
    for package in search(site, namespace.as_deref()) {
        for prefix in prefixes(site.shared.options.adapter.as_deref()) {
            let full = format!("{prefix}__{name}");
            let found = match &package {
                Some(package) => site.macro_of(package, &full),
                None => site.any_macro(&full),
            };
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }
    let wanted = namespace.map_or_else(|| name.clone(), |namespace| format!("{namespace}.{name}"));
    let known = site.shared.loaded.packages.iter().any(|package| wanted.starts_with(&*package.public.name));
    if known {
        let message = format!("there is no macro `default__{name}`, nor one for the adapter");
        return Err(Error::at(ErrorKind::Name, message, at).into());
    }
    Ok(Value::undefined(&wanted))
}

/// The packages in which a macro is looked for; `None` is the names that a template sees.
fn search(site: &Site, namespace: Option<&str>) -> Vec<Option<String>> {
    let Some(namespace) = namespace else { return vec![None] };
    let project = site.shared.loaded.packages.first();
    let order = project
        .and_then(|project| project.settings.search_order(namespace))
        .unwrap_or_else(|| vec![site.package_name(0).to_owned(), namespace.to_owned()]);
    let mut packages: Vec<Option<String>> = order.into_iter().map(Some).collect();
    if namespace == CORE_PACKAGE && !packages.contains(&Some(CORE_PACKAGE.to_owned())) {
        packages.push(Some(CORE_PACKAGE.to_owned()));
    }
    packages
}

fn quoted(site: &Site, evaluator: &mut Evaluator<'_>, mut arguments: Arguments) -> Result<Value, Stop> {
    let at = arguments.at;
    let quote = site.shared.quote().to_string();
    let mut text = Traced::of(&*quote, Origin::Generated);
    text.append(&shown(&arguments.take("identifier").unwrap_or(Value::None)));
    text.push(&quote, Origin::Generated);
    evaluator.text(text, at)
}

/// The columns of a relation, if whoever asks knows them.
fn columns(site: &Site, evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Value {
    let relation = arguments.values().next().map(shown).unwrap_or_default();
    let target = relation
        .only_mark()
        .and_then(|mark| site.notes.borrow().references.get(mark.0 as usize).and_then(|reference| reference.target));
    let known = target.and_then(|target| {
        let id = site.shared.id_of(target)?;
        site.shared.options.columns.as_ref()?.columns(&id)
    });
    match known {
        Some(columns) => Value::list(columns.into_iter().map(|(name, kind)| column(&name, &kind)).collect()),
        None => open(evaluator, "get_columns_in_relation", arguments),
    }
}

/// A column of a relation.
pub(super) fn column(name: &str, kind: &str) -> Value {
    Value::object(Column { name: name.to_owned(), kind: kind.to_owned() })
}

#[derive(Debug)]
struct Column {
    name: String,
    kind: String,
}

impl Object for Column {
    fn type_name(&self) -> &'static str {
        "column"
    }

    fn attribute(&self, _: &mut Evaluator<'_>, name: &str, _: Span) -> Option<Value> {
        let kind = self.kind.to_lowercase();
        let is = |found: bool| Function::value("is", move |_, _| Ok(Value::Bool(found)));
        Some(match name {
            "name" | "column" => Value::generated(&*self.name),
            "quoted" => Value::generated(format!("\"{}\"", self.name)),
            "dtype" | "data_type" => Value::generated(&*self.kind),
            "is_string" => is(["char", "text", "string"].iter().any(|part| kind.contains(part))),
            "is_number" => {
                is(["int", "float", "double", "numeric", "decimal", "real"].iter().any(|part| kind.contains(part)))
            }
            "is_float" => is(["float", "double", "real"].iter().any(|part| kind.contains(part))),
            "is_numeric" => is(["numeric", "decimal"].iter().any(|part| kind.contains(part))),
            "is_integer" => is(kind.contains("int") && !kind.contains("interval")),
            _ => return None,
        })
    }

    fn print(&self) -> Traced {
        Traced::generated(&*self.name)
    }
}
