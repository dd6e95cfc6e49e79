//! Relations: what `ref`, `source`, `this` and `api.Relation.create` give.
//!
//! A relation prints as its name in the database, and every byte of that carries the mark of the call that made it.

use greylag_syntax::jinja::value::{Arguments, Dict, Function, Object};
use greylag_syntax::jinja::{Evaluator, Stop, Value};
use greylag_syntax::trace::{Mark, Origin, Span, Traced};
use std::sync::Arc;

/// Database, schema and identifier, each with whether it is printed.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) parts: [Option<Part>; 3],
    /// The call that made it, and its literals.
    pub(super) mark: Option<Mark>,
    pub(super) of: Arc<[Span]>,
    pub(super) quote: char,
    /// Whether the adapter prints quotes around its parts, which are left out here where they are not needed.
    pub(super) is_quoted: bool,
    pub(super) kind: Option<Value>,
}

/// A part of a relation's name.
#[derive(Debug, Clone)]
pub(in crate::dbt) struct Part {
    pub(in crate::dbt) text: Traced,
    /// Whether it is printed.
    pub(in crate::dbt) shown: bool,
    /// Whether the text is only a stand-in: asked for, it cannot be known.
    pub(in crate::dbt) open: bool,
}

impl Part {
    pub(super) fn known(text: Traced) -> Option<Self> {
        Some(Self { text, shown: true, open: false })
    }
}

const NAMES: [&str; 3] = ["database", "schema", "identifier"];

impl Relation {
    /// Text as part of this relation.
    fn marked(&self, text: &Traced) -> Traced {
        match self.mark {
            Some(mark) => Traced::of(text.text(), Origin::Made { of: self.of.clone(), mark: Some(mark) }),
            None => text.clone(),
        }
    }

    fn part(&self, evaluator: &mut Evaluator<'_>, index: usize, at: Span) -> Value {
        match &self.parts[index] {
            Some(part) if part.open => evaluator.open(&format!("target.{}", NAMES[index]), at),
            Some(part) => Value::text(self.marked(&part.text)),
            None => Value::None,
        }
    }

    fn include(&self, mut arguments: Arguments) -> Self {
        let given: Vec<Option<bool>> =
            NAMES.iter().map(|name| arguments.take(name).and_then(|value| value.truth())).collect();
        // What is asked for alone is all that is wanted.
        let only = given.contains(&Some(true)) && !given.contains(&Some(false));
        let mut relation = self.clone();
        for (part, given) in relation.parts.iter_mut().zip(given) {
            if let Some(part) = part {
                part.shown = given.unwrap_or(!only && part.shown);
            }
        }
        relation
    }

    fn replaced(&self, mut arguments: Arguments) -> Self {
        let mut relation = self.clone();
        let path = arguments.take_named("path");
        for (index, name) in NAMES.iter().enumerate() {
            let within = path.as_ref().and_then(|path| match path {
                Value::Dict(path) => path.get_text(name),
                _ => None,
            });
            if let Some(value) = arguments.take_named(name).or(within) {
                relation.parts[index] = part_of(&value);
            }
        }
        relation.kind = arguments.take_named("type").or(relation.kind);
        relation
    }

    fn render(&self) -> Traced {
        let mut text = Traced::new();
        let shown = self.parts.iter().flatten().filter(|part| part.shown && !part.text.is_empty());
        for (at, part) in shown.enumerate() {
            let mut name = if at > 0 { Traced::generated(".") } else { Traced::new() };
            if is_printed_plain(part.text.text()) || is_quoted(part.text.text()) {
                name.append(&part.text);
            } else {
                name.push(&self.quote.to_string(), Origin::Generated);
                name.append(&part.text);
                name.push(&self.quote.to_string(), Origin::Generated);
            }
            text.append(&self.marked(&name));
        }
        text
    }
}

/// Whether a name is printed without quotes.
pub(crate) fn is_printed_plain(name: &str) -> bool {
    name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && name.chars().all(|c| c == '_' || c == '$' || c.is_ascii_alphanumeric())
}

/// Whether a name has its quotes already, as an `identifier` of YAML may.
fn is_quoted(name: &str) -> bool {
    unquoted(name).len() < name.len()
}

/// A name without the quotes that it has.
pub(crate) fn unquoted(name: &str) -> &str {
    let inner = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    inner('"').or_else(|| inner('`')).unwrap_or(name)
}

pub(super) fn part_of(value: &Value) -> Option<Part> {
    match value {
        Value::None | Value::Undefined(_) => None,
        other => Part::known(super::shown(other)),
    }
}

impl Object for Relation {
    fn type_name(&self) -> &'static str {
        "relation"
    }

    fn attribute(&self, evaluator: &mut Evaluator<'_>, name: &str, at: Span) -> Option<Value> {
        let this = self.clone();
        let method = |name, change: fn(&Self, Arguments) -> Self| {
            Function::value(name, move |_, arguments| Ok(Value::object(change(&this, arguments))))
        };
        Some(match name {
            "database" => self.part(evaluator, 0, at),
            "schema" => self.part(evaluator, 1, at),
            "identifier" | "name" | "table" => self.part(evaluator, 2, at),
            "type" => self.kind.clone().unwrap_or(Value::None),
            "is_table" | "is_view" | "is_cte" | "is_materialized_view" | "is_dynamic_table" | "is_pointer" => {
                let kind = self.kind.as_ref().and_then(Value::as_text).unwrap_or_default();
                Value::Bool(name.strip_prefix("is_") == Some(kind))
            }
            // dbt's packages ask this for whether something is a relation.
            "metadata" => metadata(),
            "get" => Function::value("get", |_, mut arguments| {
                let key = arguments.take("key");
                let is_metadata = key.as_ref().and_then(Value::as_text) == Some("metadata");
                Ok(if is_metadata { metadata() } else { arguments.take("default").unwrap_or(Value::None) })
            }),
            "include" => method("include", Self::include),
            "quote" | "incorporate_type" => method("quote", |this, _| this.clone()),
            "replace_path" | "incorporate" | "replace" => method("incorporate", Self::replaced),
            "without_identifier" => method("without_identifier", |this, _| {
                let mut relation = this.clone();
                relation.parts[2] = None;
                relation
            }),
            "render" | "quoted" => {
                let text = self.render();
                Function::value("render", move |_, _| Ok(Value::text(text.clone())))
            }
            "information_schema" => method("information_schema", |this, mut arguments| {
                let mut relation = this.clone();
                relation.parts[1] = Part::known(Traced::generated("information_schema"));
                relation.parts[2] = arguments.take("view_name").and_then(|view| part_of(&view));
                relation
            }),
            _ => return None,
        })
    }

    fn print(&self) -> Traced {
        self.render()
    }

    fn is_word(&self) -> bool {
        self.is_quoted
    }

    fn is_text(&self) -> bool {
        true
    }

    fn is_mapping(&self) -> bool {
        true
    }
}

fn metadata() -> Value {
    let metadata = Dict::new();
    metadata.insert_text("type", Value::generated("Relation"));
    Value::Dict(metadata)
}

/// `api.Relation.create(database=, schema=, identifier=, type=)`.
pub(super) fn create(mut arguments: Arguments, quote: char, is_quoted: bool) -> Result<Value, Stop> {
    let parts = NAMES.map(|name| arguments.take_named(name).and_then(|value| part_of(&value)));
    let kind = arguments.take_named("type");
    Ok(Value::object(Relation { parts, mark: None, of: Arc::new([]), quote, is_quoted, kind }))
}
