//! JSON as Python writes it.

use super::super::value::{Value, float_text, show};
use crate::trace::{Origin, Traced};

/// How deep values are written.
const DEPTH: usize = 64;

/// A value as JSON, with blanks behind `,` and `:`; `None` if it is none. `sorted` orders keys, `html` escapes what HTML would read.
pub fn json(value: &Value, sorted: bool, html: bool) -> Option<Traced> {
    let mut out = Traced::new();
    write(value, &mut out, sorted, html, DEPTH)?;
    Some(out)
}

fn write(value: &Value, out: &mut Traced, sorted: bool, html: bool, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let mut plain = |text: &str| out.push(text, Origin::Generated);
    match value {
        Value::None => plain("null"),
        Value::Bool(true) => plain("true"),
        Value::Bool(false) => plain("false"),
        Value::Int(..) => out.append(&show(value)),
        Value::Float(number, _) => plain(&float_text(*number)),
        Value::Text(text) => quoted(text, out, html),
        Value::List(_) | Value::Tuple(_) | Value::Range(..) => {
            out.push("[", Origin::Generated);
            for (at, item) in value.items()?.iter().enumerate() {
                out.push(if at == 0 { "" } else { ", " }, Origin::Generated);
                write(item, out, sorted, html, depth)?;
            }
            out.push("]", Origin::Generated);
        }
        Value::Dict(dict) => {
            let mut entries: Vec<(Traced, Value)> =
                dict.entries().into_iter().map(|(key, value)| Some((key_text(&key)?, value))).collect::<Option<_>>()?;
            if sorted {
                entries.sort_by(|(one, _), (two, _)| one.text().cmp(two.text()));
            }
            out.push("{", Origin::Generated);
            for (at, (key, value)) in entries.iter().enumerate() {
                out.push(if at == 0 { "" } else { ", " }, Origin::Generated);
                quoted(key, out, html);
                out.push(": ", Origin::Generated);
                write(value, out, sorted, html, depth)?;
            }
            out.push("}", Origin::Generated);
        }
        Value::Object(object) if object.is_text() => quoted(&object.print(), out, html),
        Value::Open(open) => quoted(&open.placeholder(), out, html),
        _ => return None,
    }
    Some(())
}

fn key_text(key: &Value) -> Option<Traced> {
    Some(match key {
        Value::Text(text) => (**text).clone(),
        Value::None => Traced::generated("null"),
        Value::Bool(value) => Traced::generated(value.to_string()),
        Value::Int(..) | Value::Float(..) => show(key),
        _ => return None,
    })
}

fn quoted(text: &Traced, out: &mut Traced, html: bool) {
    out.push("\"", Origin::Generated);
    let mut from = 0;
    for (at, c) in text.text().char_indices() {
        let Some(escaped) = escape(c, html) else { continue };
        out.append(&text.slice(from..at));
        from = at + c.len_utf8();
        out.append(&text.slice(at..from).made_into(escaped));
    }
    out.append(&text.slice(from..text.text().len()));
    out.push("\"", Origin::Generated);
}

fn escape(c: char, html: bool) -> Option<String> {
    Some(match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '<' | '>' | '&' | '\'' if html => format!("\\u{:04x}", u32::from(c)),
        ' '..='~' => return None,
        c => c.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |text, unit| format!("{text}\\u{unit:04x}")),
    })
}
