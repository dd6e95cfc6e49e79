//! Methods of text.

use super::super::filters::{brace_format, replaced};
use super::super::lex::is_space;
use super::super::value::{Arguments, Value, show, text};
use super::{Result, missing, open};
use crate::jinja::evaluate::Evaluator;
use crate::jinja::filters;
use crate::trace::{Origin, Traced};
use std::sync::Arc;

pub(super) const NAMES: &[&str] = &[
    "upper",
    "lower",
    "title",
    "capitalize",
    "casefold",
    "swapcase",
    "strip",
    "lstrip",
    "rstrip",
    "split",
    "rsplit",
    "splitlines",
    "replace",
    "startswith",
    "endswith",
    "find",
    "rfind",
    "index",
    "rindex",
    "count",
    "join",
    "format",
    "zfill",
    "ljust",
    "rjust",
    "center",
    "isdigit",
    "isnumeric",
    "isdecimal",
    "isalpha",
    "isalnum",
    "isupper",
    "islower",
    "isspace",
    "isidentifier",
    "partition",
    "rpartition",
    "removeprefix",
    "removesuffix",
    "encode",
];

pub(super) fn call(evaluator: &mut Evaluator<'_>, input: &Arc<Traced>, name: &str, mut arguments: Arguments) -> Result {
    let at = arguments.at;
    let is_open = |value: &Value| matches!(value, Value::Open(_));
    if !matches!(name, "format" | "join" | "replace") && arguments.values().any(is_open) {
        return Ok(open(evaluator, &Value::Text(input.clone()), name, &arguments));
    }
    let whole = input.text();
    let output = match name {
        "upper" => text::mapped(input, str::to_uppercase),
        "lower" | "casefold" => text::mapped(input, str::to_lowercase),
        "swapcase" => text::mapped(input, swapped),
        "capitalize" => filters::capitalized(input),
        "title" => input.made_into(title(whole)),
        "strip" | "lstrip" | "rstrip" => strip(input, name, &mut arguments),
        "zfill" => zfill(input, width(&mut arguments, evaluator)),
        "ljust" | "rjust" | "center" => {
            let width = width(&mut arguments, evaluator);
            justified(input, name, width, arguments.take("fillchar"))
        }
        "removeprefix" | "removesuffix" => removed(input, name, &mut arguments),
        "replace" => return replace(evaluator, input, arguments),
        "format" => brace_format(evaluator, input, &arguments)?,
        "join" => return join(evaluator, input, arguments),
        "encode" => (**input).clone(),
        "split" | "rsplit" | "splitlines" | "partition" | "rpartition" => {
            let parts = parts(input, name, arguments)?;
            return if name.ends_with("partition") { Ok(Value::tuple(parts)) } else { evaluator.list(parts, at) };
        }
        _ => return question(input, name, arguments),
    };
    evaluator.text(output, at)
}

fn width(arguments: &mut Arguments, evaluator: &Evaluator<'_>) -> usize {
    let width = if let Some(Value::Int(width, _)) = arguments.take("width") { width } else { 0 };
    usize::try_from(width).unwrap_or(0).min(evaluator.limits().text)
}

fn swapped(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_uppercase() { c.to_lowercase().collect::<Vec<_>>() } else { c.to_uppercase().collect() })
        .collect()
}

/// Each run of letters with its first large.
fn title(text: &str) -> String {
    let mut begins = true;
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        if begins {
            result.extend(c.to_uppercase());
        } else {
            result.extend(c.to_lowercase());
        }
        begins = !c.is_alphabetic();
    }
    result
}

fn strip(input: &Traced, name: &str, arguments: &mut Arguments) -> Traced {
    let (start, end) = (name != "rstrip", name != "lstrip");
    match arguments.take("chars") {
        Some(Value::Text(chars)) => text::trimmed(input, |c| chars.text().contains(c), start, end),
        _ => text::trimmed(input, is_space, start, end),
    }
}

fn zfill(input: &Traced, width: usize) -> Traced {
    let missing = width.saturating_sub(input.text().chars().count());
    let sign = usize::from(input.text().starts_with(['+', '-']));
    let mut output = input.slice(0..sign);
    output.push(&"0".repeat(missing), Origin::Generated);
    output.append(&input.slice(sign..input.text().len()));
    output
}

fn justified(input: &Traced, name: &str, width: usize, fill: Option<Value>) -> Traced {
    let missing = width.saturating_sub(input.text().chars().count());
    let fill = fill.map_or_else(|| " ".to_owned(), |fill| show(&fill).text().to_owned());
    let left = match name {
        "ljust" => 0,
        "rjust" => missing,
        _ => missing / 2 + (missing & width & 1),
    };
    let mut output = Traced::generated(fill.repeat(left));
    output.append(input);
    output.push(&fill.repeat(missing - left), Origin::Generated);
    output
}

fn removed(input: &Traced, name: &str, arguments: &mut Arguments) -> Traced {
    let Some(Value::Text(affix)) = arguments.take("affix") else { return input.clone() };
    let (whole, affix) = (input.text(), affix.text());
    if name == "removeprefix" && whole.starts_with(affix) {
        return input.slice(affix.len()..whole.len());
    }
    if name == "removesuffix" && whole.ends_with(affix) {
        return input.slice(0..whole.len() - affix.len());
    }
    input.clone()
}

fn replace(evaluator: &mut Evaluator<'_>, input: &Traced, mut arguments: Arguments) -> Result {
    let (old, new) = (arguments.take("old"), arguments.take("new"));
    let (Some(old), Some(new)) = (old, new) else { return missing("`replace` takes what and by what", &arguments) };
    let count = match arguments.take("count") {
        Some(Value::Int(count, _)) => usize::try_from(count).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    replaced(evaluator, input, show(&old).text(), &show(&new), count, arguments.at)
}

fn join(evaluator: &mut Evaluator<'_>, separator: &Traced, mut arguments: Arguments) -> Result {
    let list = arguments.take("iterable").unwrap_or(Value::None);
    if matches!(list, Value::Open(_)) {
        let arguments = Arguments::of([list], arguments.at);
        return Ok(open(evaluator, &Value::text(separator.clone()), "join", &arguments));
    }
    let parts: Vec<Traced> = evaluator.items(&list, arguments.at)?.iter().map(show).collect();
    let bytes: usize = parts.iter().map(|part| part.text().len() + separator.text().len()).sum();
    evaluator.spend(parts.len() + bytes / 64, arguments.at)?;
    evaluator.text(text::joined(&parts, separator), arguments.at)
}

fn parts(input: &Traced, name: &str, mut arguments: Arguments) -> std::result::Result<Vec<Value>, super::Stop> {
    if name == "splitlines" {
        let keep = arguments.take("keepends").and_then(|keep| keep.truth()) == Some(true);
        return Ok(text::lines(input, keep).into_iter().map(Value::text).collect());
    }
    let separator = arguments.take("sep");
    let times = match arguments.take("maxsplit") {
        Some(Value::Int(times, _)) => usize::try_from(times).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let right = name.starts_with('r');
    let parts = match separator {
        Some(Value::Text(separator)) if separator.is_empty() => {
            return missing("a separator cannot be empty", &arguments);
        }
        Some(Value::Text(separator)) if name.ends_with("partition") => {
            return Ok(partition(input, separator.text(), right));
        }
        Some(Value::Text(separator)) if right => text::split_right(input, separator.text(), times),
        Some(Value::Text(separator)) => text::split(input, separator.text(), times),
        _ => text::split_space(input, times, is_space),
    };
    Ok(parts.into_iter().map(Value::text).collect())
}

fn partition(input: &Traced, separator: &str, right: bool) -> Vec<Value> {
    let whole = input.text();
    let found = if right { whole.rfind(separator) } else { whole.find(separator) };
    let (from, to) = match (found, right) {
        (Some(at), _) => (at, at + separator.len()),
        (None, false) => (whole.len(), whole.len()),
        (None, true) => (0, 0),
    };
    [0..from, from..to, to..whole.len()].into_iter().map(|range| Value::text(input.slice(range))).collect()
}

/// Methods that tell something of a text.
fn question(input: &Traced, name: &str, mut arguments: Arguments) -> Result {
    let whole = input.text();
    let all = |is: fn(char) -> bool| Value::Bool(!whole.is_empty() && whole.chars().all(is));
    match name {
        "isdigit" | "isdecimal" | "isnumeric" => return Ok(all(char::is_numeric)),
        "isalpha" => return Ok(all(char::is_alphabetic)),
        "isalnum" => return Ok(all(char::is_alphanumeric)),
        "isspace" => return Ok(all(is_space)),
        "isupper" => return Ok(Value::Bool(whole.to_uppercase() == whole && whole.to_lowercase() != whole)),
        "islower" => return Ok(Value::Bool(whole.to_lowercase() == whole && whole.to_uppercase() != whole)),
        "isidentifier" => {
            let first = whole.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic());
            return Ok(Value::Bool(first && whole.chars().all(|c| c == '_' || c.is_alphanumeric())));
        }
        _ => {}
    }
    let Some(part) = arguments.take("sub") else { return missing("an argument is missing", &arguments) };
    let several = match &part {
        Value::Tuple(tuple) => tuple.items(),
        other => vec![other.clone()],
    };
    let texts: Vec<Traced> = several.iter().map(show).collect();
    let part = texts.first().map_or("", Traced::text);
    let index = |byte: Option<usize>| byte.map_or(-1, |byte| whole[..byte].chars().count() as i64);
    Ok(match name {
        "startswith" => Value::Bool(texts.iter().any(|part| whole.starts_with(part.text()))),
        "endswith" => Value::Bool(texts.iter().any(|part| whole.ends_with(part.text()))),
        "find" => Value::int(index(whole.find(part))),
        "rfind" => Value::int(index(whole.rfind(part))),
        "count" if part.is_empty() => Value::size(whole.chars().count() + 1),
        "count" => Value::size(whole.matches(part).count()),
        _ => match if name == "rindex" { whole.rfind(part) } else { whole.find(part) } {
            Some(byte) => Value::int(index(Some(byte))),
            None => return missing("the text is not found", &arguments),
        },
    })
}
