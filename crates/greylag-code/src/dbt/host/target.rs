//! Objects of which only some attributes are known: `target`, `model`, `flags`, `graph` and the like.

use super::Site;
use crate::dbt::project::NodeKind;
use greylag_syntax::jinja::value::{Arguments, Function, Object};
use greylag_syntax::jinja::{Evaluator, Value, call_words};
use greylag_syntax::trace::{Span, Traced};
use std::rc::Rc;

/// Something with a name whose attributes are known or open.
#[derive(Debug)]
pub(super) struct Partly {
    name: String,
    known: Vec<(String, Value)>,
}

impl Partly {
    pub(super) fn value(name: &str, known: Vec<(String, Value)>) -> Value {
        Value::object(Self { name: name.to_owned(), known })
    }
}

impl Object for Partly {
    fn type_name(&self) -> &str {
        &self.name
    }

    fn attribute(&self, evaluator: &mut Evaluator<'_>, name: &str, at: Span) -> Option<Value> {
        if let Some((_, value)) = self.known.iter().find(|(found, _)| found == name) {
            return Some(value.clone());
        }
        if name == "get" {
            let known = self.known.clone();
            let outer = self.name.clone();
            return Some(Function::value("get", move |evaluator, mut arguments| {
                let at = arguments.at;
                let key = super::shown(&arguments.take("key").unwrap_or(Value::None)).text().to_owned();
                let found = known.iter().find(|(found, _)| *found == key).map(|(_, value)| value.clone());
                Ok(found.unwrap_or_else(|| evaluator.open(&format!("{outer}.{key}"), at)))
            }));
        }
        Some(evaluator.open(&format!("{}.{name}", self.name), at))
    }

    fn call(
        &self,
        evaluator: &mut Evaluator<'_>,
        arguments: Arguments,
    ) -> Option<Result<Value, greylag_syntax::jinja::Stop>> {
        Some(Ok(evaluator.open(&call_words(&self.name, &arguments), arguments.at)))
    }

    fn truth(&self) -> Option<bool> {
        Some(true)
    }
}

/// `target`: what the caller says of it.
pub(super) fn target(site: &Site) -> Value {
    let mut known: Vec<(String, Value)> =
        site.shared.options.target.iter().map(|(key, value)| (key.clone(), Value::generated(&**value))).collect();
    if let Some(adapter) = &site.shared.options.adapter {
        known.push(("type".to_owned(), Value::generated(&**adapter)));
    }
    Partly::value("target", known)
}

/// `model` and `node`: what is known of the node.
pub(super) fn model(site: &Rc<Site>) -> Option<Value> {
    let node = site.node?;
    site.shared.loaded.drafts.get(node)?;
    let mut known = about(site, node, super::configuration::value(site));
    let meta = site.configured("meta");
    known.push(("meta".to_owned(), meta.unwrap_or_else(|| Value::Dict(greylag_syntax::jinja::value::Dict::new()))));
    Some(Partly::value("model", known))
}

/// What is known of a node before it is rendered.
pub(super) fn about(site: &Site, node: usize, config: Value) -> Vec<(String, Value)> {
    let Some(draft) = site.shared.loaded.drafts.get(node) else { return Vec::new() };
    let text = |text: &str| Value::text(Traced::generated(text));
    let path = site.shared.loaded.files.path(draft.file);
    let kind = match draft.kind {
        NodeKind::PythonModel => "model",
        kind => kind.prefix(),
    };
    let fqn = draft.fqn.iter().map(|part| text(part)).collect();
    let mut known = vec![
        ("name".to_owned(), text(&draft.name)),
        ("unique_id".to_owned(), text(&draft.id(&site.shared.loaded.packages))),
        ("package_name".to_owned(), text(site.package_name(draft.package))),
        ("resource_type".to_owned(), text(kind)),
        ("original_file_path".to_owned(), text(path)),
        ("path".to_owned(), text(&draft.fqn[1.min(draft.fqn.len())..].join("/"))),
        ("fqn".to_owned(), Value::list(fqn)),
        ("config".to_owned(), config),
        ("version".to_owned(), draft.version.as_deref().map_or(Value::None, text)),
    ];
    let parts = site.shared.node_parts(node);
    for (key, part) in ["database", "schema", "alias"].iter().zip(parts) {
        if let Some(part) = part.filter(|part| !part.open) {
            known.push(((*key).to_owned(), Value::text(part.text)));
        }
    }
    known
}
