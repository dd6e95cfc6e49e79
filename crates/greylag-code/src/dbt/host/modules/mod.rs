//! `modules`: what Python's `re` gives for known texts. The other modules stay open.
//!
//! What is found is a slice of the text it was found in, so that it can still be edited at its bytes. A text with something
//! open in it, a pattern that does not surely mean the same here (see `pattern`), and a function as a replacement stay open.

mod found;
mod pattern;

use super::builtin::open_call;
use super::target::Partly;
use found::Found;
use greylag_syntax::jinja::value::{Arguments, Function, Object};
use greylag_syntax::jinja::{Evaluator, Stop, Value};
use greylag_syntax::trace::{Span, Traced};
use pattern::{Anchor, DOTALL, IGNORECASE, MULTILINE, Pattern, UNICODE};
use regex::{Captures, Regex};
use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

/// What is paid for a pattern that is compiled.
const COMPILED: usize = 50;

const FUNCTIONS: [&str; 7] = ["match", "fullmatch", "search", "findall", "finditer", "sub", "split"];

/// `modules`.
pub(super) fn value() -> Value {
    let mut known: Vec<(String, Value)> = FUNCTIONS
        .into_iter()
        .map(|name| {
            let call = Function::value(name, move |evaluator, arguments| run(evaluator, name, None, arguments));
            (name.to_owned(), call)
        })
        .collect();
    known.push(("compile".to_owned(), Function::value("compile", compile)));
    let flags = [("IGNORECASE", IGNORECASE), ("MULTILINE", MULTILINE), ("DOTALL", DOTALL), ("UNICODE", UNICODE)];
    let short = [("I", IGNORECASE), ("M", MULTILINE), ("S", DOTALL), ("U", UNICODE)];
    known.extend(flags.into_iter().chain(short).map(|(name, flag)| (name.to_owned(), Value::int(flag))));
    Partly::value("modules", vec![("re".to_owned(), Partly::value("modules.re", known))])
}

/// What `compile` gives.
#[derive(Debug, Clone)]
struct Compiled(Rc<Pattern>, Arc<Traced>);

impl Object for Compiled {
    fn type_name(&self) -> &'static str {
        "re.Pattern"
    }

    fn attribute(&self, _: &mut Evaluator<'_>, name: &str, _: Span) -> Option<Value> {
        if name == "pattern" {
            return Some(Value::Text(self.1.clone()));
        }
        let name = FUNCTIONS.into_iter().find(|found| *found == name)?;
        let own = self.clone();
        Some(Function::value(name, move |evaluator, arguments| run(evaluator, name, Some(&own), arguments)))
    }
}

fn compile(evaluator: &mut Evaluator<'_>, arguments: Arguments) -> Result<Value, Stop> {
    evaluator.spend(COMPILED, arguments.at)?;
    let mut taken = arguments.clone();
    let found = compiled(&mut taken).filter(|_| taken.values().next().is_none());
    Ok(found.map_or_else(|| open_call(evaluator, "modules.re.compile", &arguments), Value::object))
}

fn compiled(arguments: &mut Arguments) -> Option<Compiled> {
    let text = known(arguments.take("pattern"))?;
    let flags = number(arguments.take("flags"))?;
    Some(Compiled(Rc::new(Pattern::new(text.text(), flags)?), text))
}

/// A text without anything open.
fn known(value: Option<Value>) -> Option<Arc<Traced>> {
    match value? {
        value if value.open_words().is_some() => None,
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn number(value: Option<Value>) -> Option<i64> {
    match value {
        None => Some(0),
        Some(Value::Int(number, _)) => Some(number),
        _ => None,
    }
}

fn run(evaluator: &mut Evaluator<'_>, name: &str, own: Option<&Compiled>, args: Arguments) -> Result<Value, Stop> {
    let at = args.at;
    let length = args.values().filter_map(Value::as_text).map(str::len).sum::<usize>();
    evaluator.spend(COMPILED + length / 16, at)?;
    let Some(found) = ask(name, own, args.clone(), evaluator.limits().items, evaluator.limits().text) else {
        return Ok(open_call(evaluator, &format!("modules.re.{name}"), &args));
    };
    match found {
        Value::Text(text) => evaluator.text((*text).clone(), at),
        Value::List(list) => evaluator.list(list.items(), at),
        other => Ok(other),
    }
}

/// What a function of `re` gives; `None` if that is not known, or is larger than it may be.
fn ask(name: &str, own: Option<&Compiled>, mut args: Arguments, items: usize, longest: usize) -> Option<Value> {
    let given = if own.is_none() { Some(args.take("pattern")?) } else { None };
    let new = if name == "sub" { Some(known(args.take("repl"))?) } else { None };
    let text = known(args.take("string"))?;
    let most = match name {
        "sub" => number(args.take("count"))?,
        "split" => number(args.take("maxsplit"))?,
        _ => 0,
    };
    let most = if most == 0 { usize::MAX } else { usize::try_from(most).ok()? };
    let Compiled(pattern, _) = match (own, given) {
        (Some(own), _) => own.clone(),
        (None, Some(Value::Object(object))) => (&*object as &dyn Any).downcast_ref::<Compiled>()?.clone(),
        (None, Some(given)) => {
            let flags = args.take("flags").map(|flags| (Arc::from("flags"), flags));
            compiled(&mut Arguments { positional: [given].into(), named: flags.into_iter().collect(), at: args.at })?
        }
        (None, None) => return None,
    };
    let is_single = matches!(name, "match" | "fullmatch" | "search");
    let whole = text.text();
    if args.values().next().is_some() || !pattern.is_same_for(whole) || (!is_single && pattern.may_be_empty()) {
        return None;
    }
    let regex = pattern.regex(match name {
        "match" => Anchor::Start,
        "fullmatch" => Anchor::Whole,
        _ => Anchor::Anywhere,
    })?;
    if is_single {
        return Some(regex.captures(whole).map_or(Value::None, |found| Found::value(&text, &regex, &found)));
    }
    let found: Vec<Captures<'_>> = regex.captures_iter(whole).take(most.min(items + 1)).collect();
    if found.len().saturating_mul(regex.captures_len()) > items {
        return None;
    }
    Some(match name {
        "findall" => Value::list(found.iter().map(|found| row(&text, found)).collect()),
        "finditer" => Value::list(found.iter().map(|found| Found::value(&text, &regex, found)).collect()),
        "split" => Value::list(split(&text, &found)),
        _ => Value::text(substituted(&text, &regex, &found, &*new?, longest)?),
    })
}

/// What a group matched, as a part of the text.
fn group(text: &Traced, found: &Captures<'_>, number: usize) -> Option<Traced> {
    found.get(number).map(|part| text.slice(part.range()))
}

/// What `findall` gives for a match: the group, the groups if there are several, or all of it.
fn row(text: &Traced, found: &Captures<'_>) -> Value {
    let part = |number| Value::text(group(text, found, number).unwrap_or_default());
    match found.len() {
        1 => part(0),
        2 => part(1),
        len => Value::tuple((1..len).map(part).collect()),
    }
}

fn split(text: &Traced, found: &[Captures<'_>]) -> Vec<Value> {
    let mut parts = Vec::new();
    let mut from = 0;
    for found in found {
        let Some(all) = found.get(0) else { continue };
        parts.push(Value::text(text.slice(from..all.start())));
        parts.extend((1..found.len()).map(|number| group(text, found, number).map_or(Value::None, Value::text)));
        from = all.end();
    }
    parts.push(Value::text(text.slice(from..text.text().len())));
    parts
}

/// A piece of a replacement: bytes of its own, or a group.
enum Piece {
    Own(Traced),
    Group(usize),
}

fn substituted(text: &Traced, regex: &Regex, found: &[Captures<'_>], new: &Traced, longest: usize) -> Option<Traced> {
    let pieces = pieces(new, regex)?;
    let mut result = Traced::new();
    let mut from = 0;
    for found in found {
        let all = found.get(0)?;
        result.append(&text.slice(from..all.start()));
        for piece in &pieces {
            match piece {
                Piece::Own(own) => result.append(own),
                Piece::Group(number) => result.append(&group(text, found, *number).unwrap_or_default()),
            }
        }
        from = all.end();
        if result.text().len() > longest {
            return None;
        }
    }
    result.append(&text.slice(from..text.text().len()));
    Some(result)
}

/// A replacement in pieces: `\1` and `\g<name>` are groups, other escapes than `\\` are not read.
fn pieces(new: &Traced, regex: &Regex) -> Option<Vec<Piece>> {
    let whole = new.text();
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(at) = whole[from..].find('\\').map(|at| from + at) {
        pieces.push(Piece::Own(new.slice(from..at)));
        let rest = &whole[at + 1..];
        if rest.starts_with('\\') {
            pieces.push(Piece::Own(new.slice(at..at + 1)));
            from = at + 2;
            continue;
        }
        let (name, len) = match rest.strip_prefix("g<") {
            Some(rest) => rest.split_once('>').map(|(name, _)| (name, name.len() + 3))?,
            None => {
                let len = rest.bytes().take_while(u8::is_ascii_digit).count();
                // Zero begins an octal number, and so may more than two digits.
                (rest.get(..len).filter(|digits| (1..=2).contains(&len) && !digits.starts_with('0'))?, len)
            }
        };
        let number = name.parse().ok().or_else(|| regex.capture_names().position(|found| found == Some(name)))?;
        pieces.push(Piece::Group(Some(number).filter(|number| *number < regex.captures_len())?));
        from = at + 1 + len;
    }
    pieces.push(Piece::Own(new.slice(from..whole.len())));
    Some(pieces)
}
