//! What Python does with text, on text that knows its origin: bytes that survive keep theirs.

use crate::trace::Traced;

/// Each stretch through a function that looks at characters one by one: what stays is still a copy.
pub(in super::super) fn mapped(text: &Traced, change: impl Fn(&str) -> String) -> Traced {
    let mut result = Traced::new();
    for (range, _) in text.stretches() {
        let part = text.slice(range);
        let changed = change(part.text());
        result.append(&part.made_into(changed));
    }
    result
}

/// Without the characters that `strip` takes, at the start and the end where it is asked.
pub(in super::super) fn trimmed(text: &Traced, strip: impl Fn(char) -> bool, start: bool, end: bool) -> Traced {
    let whole = text.text();
    let from = if start { whole.len() - whole.trim_start_matches(&strip).len() } else { 0 };
    let to = if end { whole.trim_end_matches(&strip).len() } else { whole.len() };
    if (from, to) == (0, whole.len()) { text.clone() } else { text.slice(from..to.max(from)) }
}

/// With `new` in place of the first `count` times `old`.
pub(in super::super) fn replaced(text: &Traced, old: &str, new: &Traced, count: usize) -> Traced {
    let mut result = Traced::new();
    let mut from = 0;
    if old.is_empty() {
        for (at, (place, c)) in text.text().char_indices().enumerate() {
            if at < count {
                result.append(new);
            }
            result.append(&text.slice(place..place + c.len_utf8()));
        }
        if text.text().chars().count() < count {
            result.append(new);
        }
        return result;
    }
    for (at, _) in text.text().match_indices(old).take(count) {
        result.append(&text.slice(from..at));
        result.append(new);
        from = at + old.len();
    }
    result.append(&text.slice(from..text.text().len()));
    result
}

/// Split at a separator, at most so many times, from the left.
pub(in super::super) fn split(text: &Traced, separator: &str, times: usize) -> Vec<Traced> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, _) in text.text().match_indices(separator).take(times) {
        parts.push(text.slice(from..at));
        from = at + separator.len();
    }
    parts.push(text.slice(from..text.text().len()));
    parts
}

/// Split at a separator, at most so many times, from the right.
pub(in super::super) fn split_right(text: &Traced, separator: &str, times: usize) -> Vec<Traced> {
    let mut parts = Vec::new();
    let mut to = text.text().len();
    for (at, _) in text.text().rmatch_indices(separator).take(times) {
        parts.push(text.slice(at + separator.len()..to));
        to = at;
    }
    parts.push(text.slice(0..to));
    parts.reverse();
    parts
}

/// The words between white space; what is left after so many is one.
pub(in super::super) fn split_space(text: &Traced, times: usize, space: impl Fn(char) -> bool) -> Vec<Traced> {
    let whole = text.text();
    let mut parts = Vec::new();
    let mut at = 0;
    while at < whole.len() {
        let rest = &whole[at..];
        at += rest.len() - rest.trim_start_matches(&space).len();
        let rest = &whole[at..];
        if rest.is_empty() {
            break;
        }
        let len = if parts.len() == times {
            rest.trim_end_matches(&space).len()
        } else {
            rest.find(&space).unwrap_or(rest.len())
        };
        parts.push(text.slice(at..at + len));
        at = if parts.len() > times { whole.len() } else { at + len };
    }
    parts
}

/// The lines, without their ends unless they are kept.
pub(in super::super) fn lines(text: &Traced, keep: bool) -> Vec<Traced> {
    let whole = text.text();
    let mut lines = Vec::new();
    let mut from = 0;
    while from < whole.len() {
        let end = whole[from..].find(['\n', '\r']).map_or(whole.len(), |at| from + at);
        let next = match &whole.as_bytes()[end..] {
            [b'\r', b'\n', ..] => end + 2,
            [] => end,
            _ => end + 1,
        };
        lines.push(text.slice(from..if keep { next } else { end }));
        from = next;
    }
    lines
}

/// Texts with another between each two.
pub(in super::super) fn joined<'a>(parts: impl IntoIterator<Item = &'a Traced>, separator: &Traced) -> Traced {
    let mut result = Traced::new();
    for (at, part) in parts.into_iter().enumerate() {
        if at > 0 {
            result.append(separator);
        }
        result.append(part);
    }
    result
}
