//! The functions and objects of dbt's context.

use super::adapter::{Adapter, column};
use super::target::{Partly, model, target};
use super::{Site, configuration, json_value, reference, relation, shown, yaml_value};
use crate::dbt::yaml::{self, Scalar, Yaml};
use greylag_syntax::jinja::ast::{Macro, MacroKind, Reads, Template};
use greylag_syntax::jinja::value::{Arguments, Function};
use greylag_syntax::jinja::{Error, ErrorKind, Evaluator, Stop, Value, call_words, json, parse};
use greylag_syntax::trace::{FileId, Files, Origin, Span, Traced};
use std::rc::Rc;
use std::sync::Arc;

/// What a name of dbt's context stands for.
pub(super) fn of(site: &Rc<Site>, evaluator: &mut Evaluator<'_>, name: &str, at: Span) -> Option<Value> {
    functions(site, name).or_else(|| plain(site, name)).or_else(|| objects(site, evaluator, name, at))
}

/// Functions that need the site.
fn functions(site: &Rc<Site>, name: &str) -> Option<Value> {
    let site = site.clone();
    Some(match name {
        "ref" => Function::value("ref", move |evaluator, arguments| reference::reference(&site, evaluator, arguments)),
        "source" => {
            Function::value("source", move |evaluator, arguments| reference::source(&site, evaluator, arguments))
        }
        "var" => Function::value("var", move |evaluator, arguments| variable(&site, evaluator, arguments)),
        "env_var" => Function::value("env_var", move |evaluator, mut arguments| {
            let at = arguments.at;
            let name = shown(&arguments.take("var").unwrap_or(Value::None));
            let what = format!("env_var({name})");
            Ok(match arguments.take("default") {
                // A default is there for those who do not run what counts.
                Some(Value::Text(text)) if site.node.is_some() => evaluator.assumed(&text, &what, at),
                Some(other) => other,
                None => evaluator.open(&what, at),
            })
        }),
        "load_result"
        | "run_query"
        | "is_incremental"
        | "should_full_refresh"
        | "local_md5"
        | "store_result"
        | "store_raw_result"
        | "submit_python_job"
        | "doc"
        | "metric"
        | "diff_of_two_dicts"
        | "get_relation_last_modified" => {
            let name = name.to_owned();
            Function::value("unknown", move |evaluator, arguments| Ok(open_call(evaluator, &name, &arguments)))
        }
        "function" => Function::value("function", |_, mut arguments| Ok(arguments.take("name").unwrap_or(Value::None))),
        _ => return None,
    })
}

pub(super) fn open_call(evaluator: &mut Evaluator<'_>, name: &str, arguments: &Arguments) -> Value {
    evaluator.open(&call_words(name, arguments), arguments.at)
}

/// Whether a name stands for the same in all nodes of a package, and asking for it notes nothing.
pub(super) fn is_constant(name: &str) -> bool {
    matches!(
        name,
        "return"
            | "log"
            | "print"
            | "debug"
            | "tojson"
            | "fromjson"
            | "fromyaml"
            | "toyaml"
            | "set"
            | "set_strict"
            | "zip"
            | "zip_strict"
            | "exceptions"
            | "var"
            | "env_var"
            | "target"
            | "execute"
            | "project_name"
            | "schema"
            | "database"
            | "is_incremental"
            | "local_md5"
            | "load_result"
            | "run_query"
            | "dbt_version"
            | "modules"
            | "flags"
            | "context"
    )
}

/// Functions that need nothing.
fn plain(site: &Rc<Site>, name: &str) -> Option<Value> {
    Some(match name {
        "return" => Function::value("return", |_, mut arguments| {
            Err(Stop::Return(arguments.take("data").unwrap_or(Value::None)))
        }),
        "log" | "print" | "debug" | "write" => Function::value("log", |_, _| Ok(Value::generated(""))),
        "tojson" => Function::value("tojson", |evaluator, mut arguments| {
            let at = arguments.at;
            let value = arguments.take("value").unwrap_or(Value::None);
            let (default, sorted) = (arguments.take("default"), arguments.take("sort_keys"));
            match json(&value, sorted.and_then(|sorted| sorted.truth()) == Some(true), false) {
                Some(text) => evaluator.text(text, at),
                None => Ok(default.unwrap_or(Value::None)),
            }
        }),
        "fromjson" => Function::value("fromjson", |evaluator, arguments| Ok(parsed(evaluator, arguments, from_json))),
        "fromyaml" => Function::value("fromyaml", |evaluator, arguments| Ok(parsed(evaluator, arguments, from_yaml))),
        "toyaml" => Function::value("toyaml", |evaluator, arguments| Ok(open_call(evaluator, "toyaml", &arguments))),
        "set" | "set_strict" => Function::value("set", set),
        "zip" | "zip_strict" => Function::value("zip", zip),
        "statement" => return None,
        "adapter" => Value::object(Adapter(site.clone())),
        "config" => configuration::value(site),
        "exceptions" => exceptions(),
        "api" => api(site),
        "builtins" => {
            let known = ["ref", "source", "config", "var", "env_var"];
            let known = known
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), functions(site, name).or_else(|| plain(site, name))?)));
            Partly::value("builtins", known.collect())
        }
        _ => return None,
    })
}

/// Objects and plain values.
fn objects(site: &Rc<Site>, evaluator: &mut Evaluator<'_>, name: &str, at: Span) -> Option<Value> {
    Some(match name {
        "execute" => Value::Bool(true),
        "this" => return reference::this(site, at),
        "target" => target(site),
        "model" | "node" => return model(site),
        "project_name" => Value::generated(site.package_name(0)),
        "schema" => site.shared.target_value(evaluator, "schema", at),
        "database" => site.shared.target_value(evaluator, "database", at),
        "dbt_version" => Value::generated("1.12.0"),
        "sql_now" | "invocation_id" | "run_started_at" | "thread_id" | "selected_resources" | "database_schemas" => {
            evaluator.open(name, at)
        }
        "graph" | "flags" | "invocation_args_dict" | "dbt_metadata_envs" | "results" => Partly::value(name, Vec::new()),
        "modules" => super::modules::value(),
        "context" => super::context::value(site),
        "pre_hooks" | "post_hooks" => Value::list(Vec::new()),
        _ => return None,
    })
}

/// `var('name', default)`: of the project for the node's package, of the project, then of the package. A text that is a template
/// is rendered where it is asked for, as dbt does.
fn variable(site: &Site, evaluator: &mut Evaluator<'_>, mut arguments: Arguments) -> Result<Value, Stop> {
    let at = arguments.at;
    let name = shown(&arguments.take("name").unwrap_or(Value::None));
    let default = arguments.take("default");
    if let Some(found) = site.shared.options.variables.get(name.text()) {
        return Ok(json_value(found));
    }
    let found = site.shared.variable(name.text(), site.package);
    if let Some(scalar) = found.as_ref().and_then(Yaml::scalar).filter(|scalar| is_template(scalar.as_str())) {
        return from_template(site, evaluator, scalar, &format!("var({name})"), at);
    }
    let found = found.map(|found| yaml_value(&found)).or(default);
    Ok(match found {
        // A switch is there to be given another value by whoever runs the project, and so is what is nothing until then: both
        // ways of a template are ways. What is configured is as the project has it.
        Some(found @ (Value::Bool(_) | Value::None)) if site.node.is_none() => found,
        Some(Value::Bool(_) | Value::None) | None => evaluator.open(&format!("var({name})"), at),
        // A text is mostly a name, and printed; where a template asks for it, it is a switch.
        Some(Value::Text(text)) if site.node.is_some() => evaluator.assumed(&text, &format!("var({name})"), at),
        Some(found) => found,
    })
}

/// What a text of YAML that is a template gives; one that is none is the text.
fn from_template(
    site: &Site,
    evaluator: &mut Evaluator<'_>,
    scalar: &Scalar,
    words: &str,
    at: Span,
) -> Result<Value, Stop> {
    let copied = scalar.inner();
    let Ok(template) = template_of(&site.shared.loaded.files, scalar) else {
        return Ok(Value::text((*scalar.text).clone()));
    };
    let body = Macro {
        kind: MacroKind::Macro,
        name: Arc::from(words),
        name_at: scalar.at,
        parameters: Vec::new(),
        body: template.body,
        at: scalar.at,
        reads: Reads::default(),
    };
    let value = evaluator.call(&Evaluator::global_macro(&Arc::new(body)), Arguments::none(at))?;
    if copied.is_some() {
        return Ok(value);
    }
    // With escapes its bytes are not those of the file: all of it is made of the scalar.
    if value.open_words().is_some() {
        return Ok(evaluator.open(words, at));
    }
    let made = Origin::Made { of: [scalar.at].into(), mark: None };
    evaluator.text(Traced::of(shown(&value).text(), made), at)
}

/// The template that a scalar of YAML is; with escapes its bytes are not those of its file.
pub(in crate::dbt) fn template_of(files: &Files, scalar: &Scalar) -> Result<Template, Error> {
    match scalar.inner() {
        Some(at) => parse(at.file, files.text(at.file), at.range()),
        None => parse(FileId(u32::MAX), scalar.as_str(), 0..scalar.as_str().len()),
    }
}

/// Whether a text has anything of a template in it.
pub(in crate::dbt) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

fn parsed(evaluator: &mut Evaluator<'_>, mut arguments: Arguments, read: fn(&str) -> Option<Value>) -> Value {
    let at = arguments.at;
    let value = arguments.take("string").unwrap_or(Value::None);
    if let Some(words) = value.open_words() {
        return evaluator.open(&format!("parsed {words}"), at);
    }
    read(shown(&value).text()).or_else(|| arguments.take("default")).unwrap_or(Value::None)
}

fn from_json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().map(|found| json_value(&found))
}

fn from_yaml(text: &str) -> Option<Value> {
    // The text is no file, so its scalars are read anew as text from none.
    let found = yaml::read(FileId(u32::MAX), text).ok()??;
    json(&yaml_value(&found), false, false).and_then(|text| from_json(text.text()))
}

fn set(evaluator: &mut Evaluator<'_>, mut arguments: Arguments) -> Result<Value, Stop> {
    let at = arguments.at;
    let value = arguments.take("value").unwrap_or_else(|| Value::list(Vec::new()));
    if let Value::Open(open) = &value {
        return Ok(evaluator.open(&format!("set({})", open.what), at));
    }
    let unique = greylag_syntax::jinja::value::Dict::new();
    for item in evaluator.items(&value, at)? {
        unique.insert(item, Value::None);
    }
    evaluator.list(unique.keys(), at)
}

fn zip(evaluator: &mut Evaluator<'_>, arguments: Arguments) -> Result<Value, Stop> {
    let at = arguments.at;
    if arguments.values().any(|value| matches!(value, Value::Open(_))) {
        return Ok(open_call(evaluator, "zip", &arguments));
    }
    let mut lists = Vec::new();
    for value in arguments.values() {
        lists.push(evaluator.items(value, at)?.into_iter());
    }
    let mut rows = Vec::new();
    while let Some(row) = lists.iter_mut().map(Iterator::next).collect::<Option<Vec<Value>>>() {
        if row.is_empty() {
            break;
        }
        rows.push(Value::tuple(row));
    }
    evaluator.list(rows, at)
}

/// `exceptions`: what raises ends the rendering, `warn` says nothing here.
fn exceptions() -> Value {
    let raise = |name: &'static str| {
        let function = Function::value(name, |_, mut arguments| {
            let message = shown(&arguments.take("msg").unwrap_or(Value::None));
            Err(Error::at(ErrorKind::Raised, message.text(), arguments.at).into())
        });
        (name.to_owned(), function)
    };
    let mut known: Vec<(String, Value)> = [
        "raise_compiler_error",
        "raise_not_implemented",
        "raise_database_error",
        "raise_dep_not_found",
        "raise_dependency_error",
        "raise_duplicate_patch_name",
        "raise_invalid_property_yml_version",
        "raise_parsing_error",
        "raise_fail_fast_error",
        "missing_config",
        "missing_materialization",
        "relation_wrong_type",
        "missing_relation",
        "raise_contract_error",
        "column_type_missing",
        "raise_duplicate_resource_name",
    ]
    .into_iter()
    .map(raise)
    .collect();
    for name in ["warn", "warn_snapshot_timestamp_data_types"] {
        known.push((name.to_owned(), Function::value(name, |_, _| Ok(Value::generated("")))));
    }
    Partly::value("exceptions", known)
}

/// `api.Relation` and `api.Column`.
fn api(site: &Rc<Site>) -> Value {
    let (quote, is_quoted) = (site.shared.quote(), site.shared.quotes());
    let create = Function::value("create", move |_, arguments| relation::create(arguments, quote, is_quoted));
    let quoted = Function::value("create", |_, mut arguments| {
        let mut next = |name| arguments.take(name).map_or_else(Traced::new, |value| shown(&value));
        let (name, kind) = (next("column"), next("dtype"));
        Ok(column(name.text(), kind.text()))
    });
    let prefix = Function::value("add_ephemeral_prefix", |evaluator, mut arguments| {
        let mut name = Traced::generated("__dbt__cte__");
        name.append(&arguments.take("name").map_or_else(Traced::new, |value| shown(&value)));
        evaluator.text(name, arguments.at)
    });
    let known = vec![("create".to_owned(), create), ("add_ephemeral_prefix".to_owned(), prefix)];
    let relation = Partly::value("api.Relation", known);
    let column = Partly::value("api.Column", vec![("create".to_owned(), quoted)]);
    Partly::value("api", vec![("Relation".to_owned(), relation), ("Column".to_owned(), column)])
}
