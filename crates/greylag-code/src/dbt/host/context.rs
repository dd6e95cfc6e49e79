//! `context`: everything that a template sees, by its name.

use super::{DbtHost, Site, shown};
use crate::dbt::load::CORE_PACKAGE;
use greylag_syntax::jinja::value::{Arguments, Function, Object};
use greylag_syntax::jinja::{Evaluator, Host as _, Stop, Value};
use greylag_syntax::trace::Span;
use std::collections::BTreeSet;
use std::rc::Rc;

#[derive(Debug)]
struct Context(Rc<Site>);

/// `context` of a site.
pub(super) fn value(site: &Rc<Site>) -> Value {
    Value::object(Context(site.clone()))
}

impl Context {
    fn find(&self, evaluator: &mut Evaluator<'_>, name: &str, at: Span) -> Option<Value> {
        let host = DbtHost(self.0.clone());
        if !host.is_constant(name) {
            evaluator.spoil();
        }
        host.global(evaluator, name, at)
    }

    /// The names of all macros that are called by their names alone, and of packages.
    fn names(&self) -> BTreeSet<String> {
        let loaded = &self.0.shared.loaded;
        let packages = [self.0.package_name(self.0.package), self.0.package_name(0), CORE_PACKAGE];
        let macros = packages.into_iter().filter_map(|package| loaded.macros.get(package));
        let macros = macros.flat_map(|macros| macros.keys().cloned());
        macros.chain(loaded.packages.iter().map(|package| package.public.name.clone())).collect()
    }
}

impl Object for Context {
    fn type_name(&self) -> &'static str {
        "context"
    }

    fn attribute(&self, evaluator: &mut Evaluator<'_>, name: &str, at: Span) -> Option<Value> {
        let context = Self(self.0.clone());
        match name {
            "get" => {
                Some(Function::value("context.get", move |evaluator, arguments| get(&context, evaluator, arguments)))
            }
            "keys" => Some(Function::value("context.keys", move |evaluator, arguments| {
                let names = context.names().into_iter().map(Value::generated).collect();
                evaluator.list(names, arguments.at)
            })),
            "items" | "values" => None,
            _ => self.find(evaluator, name, at),
        }
    }

    fn item(&self, evaluator: &mut Evaluator<'_>, key: &Value, at: Span) -> Option<Value> {
        match key.open_words() {
            Some(words) => Some(evaluator.open(&format!("context[{words}]"), at)),
            None => self.find(evaluator, key.as_text()?, at),
        }
    }

    fn is_mapping(&self) -> bool {
        true
    }
}

fn get(context: &Context, evaluator: &mut Evaluator<'_>, mut arguments: Arguments) -> Result<Value, Stop> {
    let at = arguments.at;
    let key = arguments.take("key").unwrap_or(Value::None);
    let default = arguments.take("default").unwrap_or(Value::None);
    if let Some(words) = key.open_words() {
        return Ok(evaluator.open(&format!("context[{words}]"), at));
    }
    Ok(context.find(evaluator, shown(&key).text(), at).unwrap_or(default))
}
