//! Numbers and texts as they are written.

use super::super::error::{Error, ErrorKind};
use crate::trace::{Origin, Span, Traced};

/// A whole number; `None` if it is too large to calculate with.
pub(super) fn int(text: &str) -> Option<i64> {
    let plain = text.replace('_', "").to_ascii_lowercase();
    let (digits, radix) = match plain.get(..2) {
        Some("0x") => (&plain[2..], 16),
        Some("0o") => (&plain[2..], 8),
        Some("0b") => (&plain[2..], 2),
        _ => (plain.as_str(), 10),
    };
    i64::from_str_radix(digits, radix).ok()
}

/// Another number.
pub(super) fn float(text: &str, at: Span) -> Result<f64, Error> {
    text.replace('_', "").parse().map_err(|_| Error::at(ErrorKind::Syntax, format!("`{text}` is no number"), at))
}

/// A text in quotes: what stands between them, copied where no escape is in the way.
pub(super) fn text(source: &str, at: Span) -> Traced {
    let inner = source.get(1..source.len().saturating_sub(1)).unwrap_or_default();
    let start = at.start + 1;
    let span = |from: usize, to: usize| Span { start: start + from as u32, end: start + to as u32, file: at.file };
    let mut value = Traced::new();
    let (mut from, mut search) = (0, 0);
    while let Some(found) = inner[search..].find(['\\', '\r']) {
        let place = search + found;
        let (made, len) = if inner.as_bytes()[place] == b'\r' {
            (if inner[place + 1..].starts_with('\n') { String::new() } else { "\n".to_owned() }, 1)
        } else if let Some(escape) = escape(&inner[place + 1..]) {
            (escape.0, escape.1 + 1)
        } else {
            search = place + 1 + inner[place + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        };
        value.push(&inner[from..place], Origin::Copied(span(from, place)));
        value.push(&made, Origin::Made { of: [span(place, place + len)].into(), mark: None });
        (from, search) = (place + len, place + len);
    }
    value.push(&inner[from..], Origin::Copied(span(from, inner.len())));
    value
}

/// What an escape stands for, and its length behind the backslash; `None` if the backslash is one itself.
fn escape(rest: &str) -> Option<(String, usize)> {
    let first = rest.chars().next()?;
    let simple = match first {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'v' => '\x0b',
        '\\' | '\'' | '"' => first,
        '\n' => return Some((String::new(), 1)),
        '0'..='7' => {
            let len = rest.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            return code(&rest[..len], 8).map(|c| (c, len));
        }
        'x' => return hex(rest, 2),
        'u' => return hex(rest, 4),
        'U' => return hex(rest, 8),
        _ => return None,
    };
    Some((simple.to_string(), 1))
}

fn hex(rest: &str, digits: usize) -> Option<(String, usize)> {
    code(rest.get(1..=digits)?, 16).map(|c| (c, digits + 1))
}

fn code(digits: &str, radix: u32) -> Option<String> {
    char::from_u32(u32::from_str_radix(digits, radix).ok()?).map(|c| c.to_string())
}
