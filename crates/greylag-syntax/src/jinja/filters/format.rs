//! `'%s' % value` and `'{}'.format(value)`: what stands around the values, and the values, keep their origins.

use super::super::value::{Arguments, Value, float_text, repr, show};
use crate::jinja::error::ErrorKind;
use crate::jinja::evaluate::{Evaluator, Stop, fail};
use crate::trace::{Origin, Span, Traced};

/// How wide one value may be padded.
const WIDTH: usize = 10_000;

/// What stands between `%` or `:` and the letter.
#[derive(Debug, Clone, Copy, Default)]
struct Layout {
    align: Option<char>,
    fill: Option<char>,
    plus: Option<char>,
    zero: bool,
    comma: bool,
    width: usize,
    precision: Option<usize>,
}

/// `text % values`.
pub(in super::super) fn percent_format(text: &Traced, values: &Value, at: Span) -> Result<Traced, Stop> {
    let mut given = match values {
        Value::Tuple(tuple) => tuple.items(),
        other => vec![other.clone()],
    }
    .into_iter();
    let mut out = Traced::new();
    let whole = text.text();
    let mut from = 0;
    while let Some(found) = whole[from..].find('%') {
        let start = from + found;
        out.append(&text.slice(from..start));
        let (name, rest) = key(&whole[start + 1..]);
        let (layout, rest) = percent_layout(rest);
        let Some(kind) = rest.chars().next() else { return fail(ErrorKind::Type, "a format ends behind `%`", at) };
        from = whole.len() - rest.len() + kind.len_utf8();
        if kind == '%' {
            out.append(&text.slice(from - 1..from));
            continue;
        }
        let value = match (name, values) {
            (Some(name), Value::Dict(dict)) => dict.get_text(name),
            (Some(_), _) => None,
            (None, _) => given.next(),
        };
        let Some(value) = value else { return fail(ErrorKind::Type, "there are more formats than values", at) };
        out.append(&padded(&shown(&value, kind, layout, at)?, layout, '>'));
    }
    out.append(&text.slice(from..whole.len()));
    if given.next().is_some() && !matches!(values, Value::Dict(_) | Value::List(_)) {
        return fail(ErrorKind::Type, "there are more values than formats", at);
    }
    Ok(out)
}

/// `(name)` before the rest of a format.
fn key(rest: &str) -> (Option<&str>, &str) {
    match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((name, rest)) => (Some(name), rest),
        None => (None, rest),
    }
}

fn percent_layout(rest: &str) -> (Layout, &str) {
    let mut layout = Layout::default();
    let flags = rest.len() - rest.trim_start_matches(['-', '+', ' ', '0', '#']).len();
    for flag in rest[..flags].chars() {
        match flag {
            '-' => layout.align = Some('<'),
            '0' => layout.zero = true,
            '+' | ' ' => layout.plus = Some(flag),
            _ => {}
        }
    }
    let rest = number_prefix(&rest[flags..], &mut layout);
    (layout, rest)
}

/// Width and precision.
fn number_prefix<'a>(rest: &'a str, layout: &mut Layout) -> &'a str {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let width = digits(rest);
    layout.width = rest[..width].parse().unwrap_or(0).min(WIDTH);
    let mut rest = &rest[width..];
    if let Some(after) = rest.strip_prefix(',') {
        layout.comma = true;
        rest = after;
    }
    if let Some(after) = rest.strip_prefix('.') {
        let precision = digits(after);
        layout.precision = Some(after[..precision].parse().unwrap_or(0).min(300));
        rest = &after[precision..];
    }
    rest
}

/// A value by the letter of its format.
fn shown(value: &Value, kind: char, layout: Layout, at: Span) -> Result<Traced, Stop> {
    if let Value::Open(open) = value {
        return Ok(open.placeholder());
    }
    let number = match value {
        Value::Int(number, _) => Some(*number as f64),
        Value::Float(number, _) => Some(*number),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        _ => None,
    };
    let whole = match value {
        Value::Int(number, _) => *number,
        _ => number.unwrap_or(0.0).trunc() as i64,
    };
    let precision = layout.precision.unwrap_or(6);
    let text = match (kind, number) {
        ('s', _) => return Ok(cut(show(value), layout)),
        ('r' | 'a', _) => return Ok(cut(repr(value), layout)),
        ('c', None) => return Ok(show(value)),
        ('d' | 'i' | 'u', Some(_)) => match value {
            Value::Int(..) if layout.plus.is_none() && !layout.comma => return Ok(show(value)),
            _ => whole.to_string(),
        },
        ('f' | 'F', Some(number)) => format!("{number:.precision$}"),
        ('e', Some(number)) => scientific(number, precision),
        ('g' | 'G', Some(number)) => general(number, precision),
        ('x', Some(_)) => format!("{whole:x}"),
        ('X', Some(_)) => format!("{whole:X}"),
        ('o', Some(_)) => format!("{whole:o}"),
        ('b', Some(_)) => format!("{whole:b}"),
        ('%', Some(number)) => format!("{:.precision$}%", number * 100.0),
        ('c', Some(_)) => u32::try_from(whole).ok().and_then(char::from_u32).map_or_else(String::new, String::from),
        _ => {
            let message = format!("the format `{kind}` is not for a value of type `{}`", value.type_name());
            return fail(ErrorKind::Type, message, at);
        }
    };
    let sign = if text.starts_with('-') { None } else { layout.plus.filter(|sign| *sign != '-') };
    let text = if layout.comma { grouped(&text) } else { text };
    Ok(Traced::generated(sign.map_or(String::new(), String::from) + &text))
}

fn cut(text: Traced, layout: Layout) -> Traced {
    let end = layout.precision.and_then(|precision| text.text().char_indices().nth(precision));
    match end {
        Some((at, _)) => text.slice(0..at),
        None => text,
    }
}

fn scientific(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
}

fn general(number: f64, precision: usize) -> String {
    let precision = precision.max(1);
    let rounded: f64 = format!("{number:.*e}", precision - 1).parse().unwrap_or(number);
    if rounded != 0.0 && !(-4..precision as i32).contains(&(rounded.abs().log10().floor() as i32)) {
        return scientific(rounded, 0);
    }
    let text = float_text(rounded);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// Digits in groups of three.
fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut result = String::new();
    for (at, c) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if at > 0 && left % 3 == 0 && !result.ends_with('-') {
            result.push(',');
        }
        result.push(c);
    }
    result + rest
}

fn padded(text: &Traced, layout: Layout, default: char) -> Traced {
    let missing = layout.width.saturating_sub(text.text().chars().count());
    if missing == 0 {
        return text.clone();
    }
    let zero = layout.zero && layout.align.is_none();
    let fill = if zero { '0' } else { layout.fill.unwrap_or(' ') };
    let (left, right) = match if zero { '=' } else { layout.align.unwrap_or(default) } {
        '<' => (0, missing),
        '^' => (missing / 2, missing - missing / 2),
        _ => (missing, 0),
    };
    let sign = usize::from(zero && text.text().starts_with(['-', '+']));
    let fill = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
    let mut out = text.slice(0..sign);
    out.push(&fill(left), Origin::Generated);
    out.append(&text.slice(sign..text.text().len()));
    out.push(&fill(right), Origin::Generated);
    out
}

/// `text.format(arguments)`.
pub(in super::super) fn brace_format(
    evaluator: &mut Evaluator<'_>,
    text: &Traced,
    arguments: &Arguments,
) -> Result<Traced, Stop> {
    let at = arguments.at;
    let whole = text.text();
    let mut out = Traced::new();
    let (mut from, mut next) = (0, 0);
    while let Some(found) = whole[from..].find(['{', '}']) {
        let start = from + found;
        out.append(&text.slice(from..start));
        let brace = &whole[start..=start];
        if whole[start + 1..].starts_with(brace) {
            out.append(&text.slice(start..start + 1));
            from = start + 2;
            continue;
        }
        let Some(len) = whole[start..].find('}').filter(|_| brace == "{") else {
            return fail(ErrorKind::Type, format!("a single `{brace}` stands in a format"), at);
        };
        let field = &whole[start + 1..start + len];
        out.append(&formatted(evaluator, field, &mut next, arguments)?);
        evaluator.text(Traced::new(), at)?;
        from = start + len + 1;
    }
    out.append(&text.slice(from..whole.len()));
    Ok(out)
}

/// One `{name!r:layout}`, without its braces.
fn formatted(
    evaluator: &mut Evaluator<'_>,
    field: &str,
    next: &mut usize,
    arguments: &Arguments,
) -> Result<Traced, Stop> {
    let at = arguments.at;
    let (field, spec) = field.split_once(':').unwrap_or((field, ""));
    let (field, conversion) = field.split_once('!').unwrap_or((field, ""));
    let end = field.find(['.', '[']).unwrap_or(field.len());
    let (name, mut path) = field.split_at(end);
    let mut value = if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) {
        let index = name.parse().unwrap_or(*next);
        *next = index + 1;
        arguments.positional.get(index).cloned()
    } else {
        arguments.named.iter().find(|(found, _)| &**found == name).map(|(_, value)| value.clone())
    };
    while let (Some(found), false) = (&value, path.is_empty()) {
        let inner = path.trim_start_matches(['.', '[', ']']);
        let end = inner.find(['.', '[', ']']).unwrap_or(inner.len());
        let key = inner[..end].parse().map_or_else(|_| Value::generated(&inner[..end]), Value::int);
        value = (end > 0).then(|| evaluator.item(found, &key, at));
        path = inner[end..].trim_start_matches(']');
    }
    let Some(value) = value else { return fail(ErrorKind::Type, format!("no value for `{{{field}}}`"), at) };
    if spec.is_empty() {
        return Ok(if conversion == "r" { repr(&value) } else { show(&value) });
    }
    let (layout, kind) = brace_layout(spec);
    let is_number = matches!(value, Value::Int(..) | Value::Float(..));
    let kind = kind.unwrap_or(match value {
        Value::Int(..) => 'd',
        Value::Float(..) => 'g',
        _ => 's',
    });
    let layout = Layout { precision: layout.precision.or((kind == 'g').then_some(17)), ..layout };
    Ok(padded(&shown(&value, kind, layout, at)?, layout, if is_number { '>' } else { '<' }))
}

fn brace_layout(spec: &str) -> (Layout, Option<char>) {
    let mut layout = Layout::default();
    let mut chars = spec.chars();
    let (first, second) = (chars.next(), chars.next());
    let is_align = |c: Option<char>| c.filter(|c| matches!(c, '<' | '>' | '^' | '='));
    let mut rest = spec;
    if is_align(second).is_some() {
        (layout.fill, layout.align) = (first, second);
        rest = chars.as_str();
    } else if is_align(first).is_some() {
        layout.align = first;
        rest = &spec[1..];
    }
    if let Some(sign) = rest.chars().next().filter(|c| matches!(c, '+' | '-' | ' ')) {
        layout.plus = Some(sign);
        rest = &rest[1..];
    }
    if let Some(after) = rest.strip_prefix('0') {
        layout.zero = !after.is_empty();
        layout.fill = layout.fill.or(layout.zero.then_some('0'));
        rest = if after.is_empty() { rest } else { after };
    }
    let rest = number_prefix(rest, &mut layout);
    (layout, rest.chars().next())
}
