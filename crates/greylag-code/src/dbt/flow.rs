//! Lists and maps in brackets that go on at a column where YAML forbids it and others read on.
//!
//! Their line breaks and comments become blanks, byte for byte, so that every place stays what it was.

/// The text with each collection in brackets on one line; `None` if there is none on several.
pub(super) fn on_one_line(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let mut changed = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'#' if at == 0 || bytes[at - 1].is_ascii_whitespace() => at = line_end(&bytes, at),
            quote @ (b'\'' | b'"') if begins_value(&bytes, at) => at = quote_end(&bytes, at, quote),
            b'[' | b'{' if begins_value(&bytes, at) => {
                if let Some(end) = collection_end(&bytes, at) {
                    changed |= blank(&mut bytes, at, end);
                    at = end;
                } else {
                    at += 1;
                }
            }
            _ => at += 1,
        }
    }
    changed.then(|| String::from_utf8(bytes).ok())?
}

/// The text with what is in quotes from a byte on written on one line; `None` if it is.
pub(super) fn quoted_on_one_line(text: &str, from: usize) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let quote = bytes.get(from).copied().filter(|byte| matches!(byte, b'\'' | b'"'))?;
    let end = quote_end(&bytes, from, quote);
    let mut breaks = bytes[from..end].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).peekable();
    breaks.peek()?;
    breaks.for_each(|byte| *byte = b' ');
    String::from_utf8(bytes).ok()
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| from + at)
}

/// Whether a value may begin here: behind a key, a dash, or at the start of a line.
fn begins_value(bytes: &[u8], at: usize) -> bool {
    let before = bytes[..at].iter().rev().find(|byte| **byte != b' ');
    before.is_none_or(|byte| matches!(byte, b':' | b'-' | b'\n' | b',' | b'[' | b'{'))
}

/// The byte behind a text in quotes.
fn quote_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\\' if quote == b'"' => at += 1,
            b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&quote) => at += 1,
            byte if byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The byte behind the bracket that closes the one at a place.
fn collection_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            quote @ (b'\'' | b'"') if begins_value(bytes, at) => {
                at = quote_end(bytes, at, quote);
                continue;
            }
            b'#' if bytes[at - 1].is_ascii_whitespace() => {
                at = line_end(bytes, at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Puts blanks in the place of line breaks and comments.
fn blank(bytes: &mut [u8], from: usize, to: usize) -> bool {
    let mut changed = false;
    let mut at = from;
    while at < to {
        match bytes[at] {
            b'\n' | b'\r' => {
                bytes[at] = b' ';
                changed = true;
            }
            quote @ (b'\'' | b'"') if begins_value(bytes, at) => {
                at = quote_end(bytes, at, quote);
                continue;
            }
            b'#' if bytes[at - 1].is_ascii_whitespace() => {
                let end = line_end(bytes, at);
                bytes[at..end].fill(b' ');
            }
            _ => {}
        }
        at += 1;
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::{on_one_line, quoted_on_one_line};

    #[test]
    fn collections_in_brackets_stand_on_one_line_and_every_byte_in_its_place() {
        let text = "a:\n  - b: [\n \"x # y\", # z\n 'q'\n]\n  # [ no\n  - c: [1]\n";
        let expected = "a:\n  - b: [  \"x # y\",      'q' ]\n  # [ no\n  - c: [1]\n";
        assert_eq!(on_one_line(text).as_deref(), Some(expected));
        assert_eq!(text.len(), expected.len());
        assert_eq!(on_one_line("a: [1]\nb: it's [open\n"), None);
    }

    #[test]
    fn what_is_in_quotes_stands_on_one_line() {
        let text = "a: 'it''s\r\nso'\nb: \"x\\\"\ny\"\n";
        let first = quoted_on_one_line(text, 3).unwrap_or_default();
        assert_eq!(first, "a: 'it''s  so'\nb: \"x\\\"\ny\"\n");
        assert_eq!(quoted_on_one_line(&first, 18).as_deref(), Some("a: 'it''s  so'\nb: \"x\\\" y\"\n"));
        assert_eq!(quoted_on_one_line(&first, 3), None);
        assert_eq!(quoted_on_one_line(text, 0), None);
    }
}
