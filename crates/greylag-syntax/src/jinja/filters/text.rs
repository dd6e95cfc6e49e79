//! Filters of text.

use super::super::lex::is_space;
use super::super::value::{Arguments, Value, text};
use super::{Result, flag, size, text_of};
use crate::jinja::evaluate::Evaluator;
use crate::trace::{Origin, Traced};

pub(super) fn call(evaluator: &mut Evaluator<'_>, name: &str, value: &Value, mut arguments: Arguments) -> Result {
    let at = arguments.at;
    let input = text_of(value);
    let output = match name {
        "upper" => text::mapped(&input, str::to_uppercase),
        "lower" => text::mapped(&input, str::to_lowercase),
        "capitalize" => capitalized(&input),
        "title" => input.made_into(title(input.text())),
        "trim" => match arguments.take("chars") {
            Some(Value::Text(chars)) => text::trimmed(&input, |c| chars.text().contains(c), true, true),
            _ => text::trimmed(&input, is_space, true, true),
        },
        "replace" => return replace(evaluator, &input, arguments),
        "indent" => return indent(evaluator, &input, arguments),
        "center" => centered(&input, size(arguments.take("width"), 80).min(evaluator.limits().text)),
        "truncate" => truncate(&input, arguments),
        "wordwrap" => wordwrap(&input, size(arguments.take("width"), 79)),
        "escape" | "e" | "forceescape" => text::mapped(&input, escaped),
        "striptags" => input.made_into(without_tags(input.text())),
        "urlencode" => text::mapped(&input, url_encoded),
        "format" => return format(evaluator, &input, arguments),
        "wordcount" => return Ok(Value::size(text::split_space(&input, usize::MAX, is_space).len())),
        _ => return Ok(Value::Text(input)),
    };
    evaluator.text(output, at)
}

/// The first character large, the others small.
pub(in super::super) fn capitalized(input: &Traced) -> Traced {
    let first = input.text().chars().next().map_or(0, char::len_utf8);
    let mut output = text::mapped(&input.slice(0..first), str::to_uppercase);
    output.append(&text::mapped(&input.slice(first..input.text().len()), str::to_lowercase));
    output
}

fn title(text: &str) -> String {
    let mut begins = true;
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        if begins {
            result.extend(c.to_uppercase());
        } else {
            result.extend(c.to_lowercase());
        }
        begins = is_space(c) || matches!(c, '-' | '(' | '{' | '[' | '<');
    }
    result
}

fn replace(evaluator: &mut Evaluator<'_>, input: &Traced, mut arguments: Arguments) -> Result {
    let old = text_of(&arguments.take("s").unwrap_or(Value::None));
    let new = text_of(&arguments.take("new").unwrap_or(Value::None));
    let count = match arguments.take("count") {
        Some(Value::Int(count, _)) => usize::try_from(count).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    replaced(evaluator, input, old.text(), &new, count, arguments.at)
}

/// A text with another in place of a third, if the result is not too long.
pub(in super::super) fn replaced(
    evaluator: &mut Evaluator<'_>,
    input: &Traced,
    old: &str,
    new: &Traced,
    count: usize,
    at: crate::trace::Span,
) -> Result {
    let times = if old.is_empty() { input.text().len() + 1 } else { input.text().matches(old).count() }.min(count);
    let growth = times.saturating_mul(new.text().len());
    if growth.saturating_add(input.text().len()) > evaluator.limits().text {
        let message = format!("a text is longer than {} bytes", evaluator.limits().text);
        return crate::jinja::evaluate::fail(crate::jinja::ErrorKind::Limit, message, at);
    }
    evaluator.text(text::replaced(input, old, new, count), at)
}

fn indent(evaluator: &mut Evaluator<'_>, input: &Traced, mut arguments: Arguments) -> Result {
    let indention = match arguments.take("width") {
        Some(Value::Text(text)) => (*text).clone(),
        width => Traced::generated(" ".repeat(size(width, 4).min(10_000))),
    };
    let (first, blank) = (flag(arguments.take("first").as_ref()), flag(arguments.take("blank").as_ref()));
    let lines = text::split(input, "\n", usize::MAX);
    if lines.len().saturating_mul(indention.text().len()) > evaluator.limits().text {
        return super::fail("the text becomes too long", &arguments);
    }
    let mut output = if first { indention.clone() } else { Traced::new() };
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            output.push("\n", Origin::Generated);
            if blank || !line.is_empty() {
                output.append(&indention);
            }
        }
        output.append(line);
    }
    evaluator.text(output, arguments.at)
}

/// In the middle of so many characters.
pub(in super::super) fn centered(input: &Traced, width: usize) -> Traced {
    let missing = width.saturating_sub(input.text().chars().count());
    let left = missing / 2 + (missing & width & 1);
    let mut output = Traced::generated(" ".repeat(left));
    output.append(input);
    output.push(&" ".repeat(missing - left), Origin::Generated);
    output
}

fn truncate(input: &Traced, mut arguments: Arguments) -> Traced {
    let length = size(arguments.take("length"), 255);
    let kill = flag(arguments.take("killwords").as_ref());
    let end = arguments.take("end").map_or_else(|| Traced::generated("..."), |end| (*text_of(&end)).clone());
    let leeway = size(arguments.take("leeway"), 5);
    if input.text().chars().count() <= length.saturating_add(leeway) {
        return input.clone();
    }
    let kept = length.saturating_sub(end.text().chars().count());
    let byte = input.text().char_indices().nth(kept).map_or(input.text().len(), |(at, _)| at);
    let mut output = input.slice(0..byte);
    if !kill && let Some(blank) = output.text().rfind(' ') {
        output = output.slice(0..blank);
    }
    output.append(&end);
    output
}

fn wordwrap(input: &Traced, width: usize) -> Traced {
    let mut wrapped = Vec::new();
    for line in input.text().lines() {
        let mut current = String::new();
        for word in line.split(' ') {
            if !current.is_empty() && current.chars().count() + 1 + word.chars().count() > width {
                wrapped.push(std::mem::take(&mut current));
            } else if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        wrapped.push(current);
    }
    input.made_into(wrapped.join("\n"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;").replace('"', "&#34;")
}

fn without_tags(text: &str) -> String {
    let mut inside = false;
    let plain: String = text
        .chars()
        .filter(|c| {
            let was = inside;
            inside = if inside { *c != '>' } else { *c == '<' };
            !was && !inside
        })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn url_encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut result = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~' | b'/') {
            result.push(char::from(byte));
        } else {
            let _ = write!(result, "%{byte:02X}");
        }
    }
    result
}

fn format(evaluator: &mut Evaluator<'_>, input: &Traced, arguments: Arguments) -> Result {
    let at = arguments.at;
    let values = if arguments.positional.is_empty() && !arguments.named.is_empty() {
        Value::Dict(arguments.named.into_iter().map(|(name, value)| (Value::generated(&*name), value)).collect())
    } else {
        Value::tuple(arguments.positional.into())
    };
    let output = super::percent_format(input, &values, at)?;
    evaluator.text(output, at)
}
