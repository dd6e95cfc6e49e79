//! `config`: called, it notes what it is given; asked, it says what the node is configured with.

use super::Site;
use greylag_syntax::jinja::value::{Arguments, Dict, Function, Object, show};
use greylag_syntax::jinja::{Evaluator, Stop, Value};
use greylag_syntax::trace::Span;
use std::rc::Rc;
use std::sync::Arc;

#[derive(Debug)]
struct Configuration(Rc<Site>);

/// `config` of a site.
pub(super) fn value(site: &Rc<Site>) -> Value {
    Value::object(Configuration(site.clone()))
}

impl Object for Configuration {
    fn type_name(&self) -> &'static str {
        "config"
    }

    fn attribute(&self, _: &mut Evaluator<'_>, name: &str, _: Span) -> Option<Value> {
        let site = self.0.clone();
        Some(match name {
            "get" | "require" | "meta_get" | "meta_require" => {
                let in_meta = name.starts_with("meta");
                Function::value("config.get", move |_, arguments| Ok(get(&site, arguments, in_meta)))
            }
            "set" => Function::value("config.set", move |_, mut arguments| {
                let key = arguments.take("key").unwrap_or(Value::None);
                let value = arguments.take("value").unwrap_or(Value::None);
                site.notes.borrow_mut().config.push((Arc::from(show(&key).text()), value));
                Ok(Value::generated(""))
            }),
            "persist_relation_docs" | "persist_column_docs" => {
                Function::value("config.persist", |_, _| Ok(Value::Bool(false)))
            }
            _ => return self.0.configured(name),
        })
    }

    fn call(&self, evaluator: &mut Evaluator<'_>, mut arguments: Arguments) -> Option<Result<Value, Stop>> {
        let at = arguments.at;
        let mut given = Vec::new();
        if let Some(Value::Dict(dict)) = arguments.positional.pop_front() {
            given.extend(dict.entries().iter().map(|(key, value)| (Arc::from(show(key).text()), value.clone())));
        }
        given.append(&mut arguments.named);
        if let Err(stop) = evaluator.spend(given.len(), at) {
            return Some(Err(stop));
        }
        self.0.notes.borrow_mut().config.extend(given);
        Some(Ok(Value::generated("")))
    }
}

fn get(site: &Site, mut arguments: Arguments, in_meta: bool) -> Value {
    let key = show(&arguments.take("name").unwrap_or(Value::None));
    let default = arguments.take("default");
    let found = if in_meta {
        site.configured("meta")
            .and_then(|meta| if let Value::Dict(meta) = meta { Dict::get_text(&meta, key.text()) } else { None })
    } else {
        site.configured(key.text())
    };
    found.or(default).unwrap_or(Value::None)
}
