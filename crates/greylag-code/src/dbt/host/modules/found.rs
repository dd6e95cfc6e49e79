//! Match objects.

use greylag_syntax::jinja::value::{Arguments, Function, Object};
use greylag_syntax::jinja::{Error, ErrorKind, Evaluator, Stop, Value};
use greylag_syntax::trace::{Span, Traced};
use regex::{Captures, Regex};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

/// A match: the text, and where each group is in it.
#[derive(Debug)]
struct Matched {
    text: Arc<Traced>,
    groups: Vec<(Option<String>, Option<Range<usize>>)>,
}

/// A match as a value.
#[derive(Debug, Clone)]
pub(super) struct Found(Rc<Matched>);

impl Found {
    pub(super) fn value(text: &Arc<Traced>, regex: &Regex, found: &Captures<'_>) -> Value {
        let names = regex.capture_names().map(|name| name.map(str::to_owned));
        let groups = names.zip(found.iter().map(|part| part.map(|part| part.range()))).collect();
        Value::object(Self(Rc::new(Matched { text: text.clone(), groups })))
    }

    fn number(&self, key: &Value) -> Option<usize> {
        let groups = &self.0.groups;
        match key {
            Value::Int(number, _) => usize::try_from(*number).ok().filter(|number| *number < groups.len()),
            Value::Text(name) => groups.iter().position(|(found, _)| found.as_deref() == Some(name.text())),
            _ => None,
        }
    }

    fn group(&self, number: usize) -> Option<Value> {
        let range = self.0.groups.get(number)?.1.clone()?;
        Some(Value::text(self.0.text.slice(range)))
    }

    /// Where a group is, in characters.
    fn span(&self, number: usize) -> (Value, Value) {
        let place = |at: usize| Value::size(self.0.text.text()[..at].chars().count());
        let range = self.0.groups.get(number).and_then(|(_, range)| range.clone());
        range.map_or((Value::int(-1), Value::int(-1)), |range| (place(range.start), place(range.end)))
    }

    fn ask(&self, name: &str, mut arguments: Arguments) -> Result<Value, Stop> {
        let at = arguments.at;
        if name == "groups" || name == "groupdict" {
            let default = arguments.take("default").unwrap_or(Value::None);
            let part = |number| self.group(number).unwrap_or_else(|| default.clone());
            let groups = &self.0.groups;
            if name == "groups" {
                return Ok(Value::tuple((1..groups.len()).map(part).collect()));
            }
            let named = groups.iter().enumerate();
            let named = named.filter_map(|(at, (name, _))| Some((Value::generated(name.as_deref()?), part(at))));
            return Ok(Value::Dict(named.collect()));
        }
        let mut parts = Vec::new();
        for key in arguments.values() {
            let Some(number) = self.number(key) else {
                return Err(Error::at(ErrorKind::Name, "no such group", at).into());
            };
            parts.push(number);
        }
        let first = parts.first().copied().unwrap_or(0);
        let (start, end) = self.span(first);
        Ok(match name {
            "start" => start,
            "end" => end,
            "span" => Value::tuple(vec![start, end]),
            _ if parts.len() > 1 => {
                Value::tuple(parts.into_iter().map(|number| self.group(number).unwrap_or(Value::None)).collect())
            }
            _ => self.group(first).unwrap_or(Value::None),
        })
    }
}

impl Object for Found {
    fn type_name(&self) -> &'static str {
        "re.Match"
    }

    fn attribute(&self, _: &mut Evaluator<'_>, name: &str, _: Span) -> Option<Value> {
        if name == "string" {
            return Some(Value::Text(self.0.text.clone()));
        }
        let names = ["group", "groups", "groupdict", "start", "end", "span"];
        let name = names.into_iter().find(|found| *found == name)?;
        let own = self.clone();
        Some(Function::value(name, move |evaluator, arguments| {
            if arguments.values().any(|value| value.open_words().is_some()) {
                return Ok(super::open_call(evaluator, &format!("match.{name}"), &arguments));
            }
            own.ask(name, arguments)
        }))
    }

    fn item(&self, _: &mut Evaluator<'_>, key: &Value, _: Span) -> Option<Value> {
        Some(self.group(self.number(key)?).unwrap_or(Value::None))
    }
}
