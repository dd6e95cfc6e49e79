//! `str()` and `repr()`, which keep the origins of what they show.

use super::{Value, float_text};
use crate::trace::{Origin, Span, Traced};

/// How deep containers are shown.
const DEPTH: usize = 24;

/// How long what is shown may become before it is cut: what is longer runs into the limit of a text anyway.
const LENGTH: usize = 16 << 20;

/// `str(value)`.
pub fn show(value: &Value) -> Traced {
    match value {
        Value::Undefined(_) => Traced::new(),
        Value::Text(text) => (**text).clone(),
        Value::Object(object) => object.print(),
        other => repr(other),
    }
}

/// `repr(value)`.
pub fn repr(value: &Value) -> Traced {
    let mut out = Traced::new();
    write(value, &mut out, DEPTH);
    out
}

fn write(value: &Value, out: &mut Traced, depth: usize) {
    let Some(depth) = depth.checked_sub(1).filter(|_| out.text().len() < LENGTH) else {
        return out.push("...", Origin::Generated);
    };
    let plain = |out: &mut Traced, text: &str| out.push(text, Origin::Generated);
    match value {
        Value::None => plain(out, "None"),
        Value::Undefined(_) => plain(out, "Undefined"),
        Value::Bool(true) => plain(out, "True"),
        Value::Bool(false) => plain(out, "False"),
        Value::Int(number, at) => written(out, &number.to_string(), *at),
        Value::Float(number, at) => written(out, &float_text(*number), *at),
        Value::Text(text) => quoted(text, out),
        Value::List(list) => several(&list.items(), out, depth, "[", "]"),
        Value::Tuple(tuple) => {
            let close = if tuple.len() == 1 { ",)" } else { ")" };
            several(&tuple.items(), out, depth, "(", close);
        }
        Value::Dict(dict) | Value::Namespace(dict) => {
            out.push("{", Origin::Generated);
            for (at, (key, value)) in dict.entries().iter().enumerate() {
                out.push(if at == 0 { "" } else { ", " }, Origin::Generated);
                write(key, out, depth);
                out.push(": ", Origin::Generated);
                write(value, out, depth);
            }
            out.push("}", Origin::Generated);
        }
        Value::Range(start, stop, 1) => plain(out, &format!("range({start}, {stop})")),
        Value::Range(start, stop, step) => plain(out, &format!("range({start}, {stop}, {step})")),
        Value::Macro(found) => plain(out, &format!("<Macro '{}'>", found.definition.name)),
        Value::Object(object) => out.append(&object.print()),
        Value::Open(open) => out.append(&open.placeholder()),
    }
}

/// A number that was written: its bytes are a copy if they say just that.
fn written(out: &mut Traced, text: &str, at: Option<Span>) {
    let origin = match at {
        Some(at) if at.len() as usize == text.len() => Origin::Copied(at),
        Some(at) => Origin::Made { of: [at].into(), mark: None },
        None => Origin::Generated,
    };
    out.push(text, origin);
}

fn several(items: &[Value], out: &mut Traced, depth: usize, open: &str, close: &str) {
    out.push(open, Origin::Generated);
    for (at, item) in items.iter().enumerate() {
        out.push(if at == 0 { "" } else { ", " }, Origin::Generated);
        write(item, out, depth);
    }
    out.push(close, Origin::Generated);
}

/// A text in quotes, as Python chooses and escapes them.
fn quoted(text: &Traced, out: &mut Traced) {
    let quote = if text.text().contains('\'') && !text.text().contains('"') { "\"" } else { "'" };
    out.push(quote, Origin::Generated);
    let mut from = 0;
    for (at, c) in text.text().char_indices() {
        let escaped = match c {
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\'' if quote == "'" => "\\'".to_owned(),
            c if c.is_control() => format!("\\x{:02x}", u32::from(c)),
            _ => continue,
        };
        out.append(&text.slice(from..at));
        from = at + c.len_utf8();
        out.append(&text.slice(at..from).made_into(escaped));
    }
    out.append(&text.slice(from..text.text().len()));
    out.push(quote, Origin::Generated);
}
