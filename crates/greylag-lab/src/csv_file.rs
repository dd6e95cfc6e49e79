//! Delimited files in every dialect, written and read. The reader is here for the comparison and knows only what the
//! dialect says; it tells quoted from unquoted fields, because only an unquoted one can be null.

use crate::attribute::Column;
use crate::cell::Cell;
use crate::layout::{Dialect, Encoding};

/// The bytes of a file with these columns.
pub(crate) fn bytes(columns: &[(&Column, Vec<&Cell>)], rows: usize, dialect: &Dialect) -> Vec<u8> {
    let mut text = String::new();
    let end = if dialect.crlf { "\r\n" } else { "\n" };
    if dialect.header {
        for (index, (column, _)) in columns.iter().enumerate() {
            if index > 0 {
                text.push(dialect.delimiter);
            }
            field(&column.name, dialect, &mut text);
        }
        text.push_str(end);
    }
    for row in 0..rows {
        for (index, (column, cells)) in columns.iter().enumerate() {
            if index > 0 {
                text.push(dialect.delimiter);
            }
            match cells[row].to_text(&column.data_type) {
                Some(value) => field(&value, dialect, &mut text),
                None => text.push_str(&dialect.null),
            }
        }
        text.push_str(end);
    }
    encode(&text, dialect)
}

/// Writes a field that is not null, quoted if anything in it could be misread.
fn field(value: &str, dialect: &Dialect, out: &mut String) {
    let special = |letter: char| {
        letter == dialect.delimiter
            || letter == dialect.quote
            || letter == '\n'
            || letter == '\r'
            || Some(letter) == dialect.escape
    };
    let blank = value.is_empty() || value.starts_with(' ') || value.ends_with(' ') || value.starts_with('\u{feff}');
    if !blank && value != dialect.null && !value.contains(special) {
        out.push_str(value);
        return;
    }
    out.push(dialect.quote);
    for letter in value.chars() {
        if letter == dialect.quote || Some(letter) == dialect.escape {
            out.push(dialect.escape.unwrap_or(dialect.quote));
        }
        out.push(letter);
    }
    out.push(dialect.quote);
}

/// What windows-1252 has at 0x80 to 0x9f; the rest is Latin-1.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn encode(text: &str, dialect: &Dialect) -> Vec<u8> {
    let mark = if dialect.mark { "\u{feff}" } else { "" };
    let letters = || mark.chars().chain(text.chars());
    match dialect.encoding {
        Encoding::Utf8 => letters().collect::<String>().into_bytes(),
        Encoding::Latin1 => text.chars().map(latin).collect(),
        Encoding::Utf16Le => letters().collect::<String>().encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => letters().collect::<String>().encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

fn latin(letter: char) -> u8 {
    match WINDOWS.iter().position(|other| *other == letter) {
        Some(at) => 0x80 + at as u8,
        None => u8::try_from(u32::from(letter)).unwrap_or(b'?'),
    }
}

/// The text of a file; a byte-order mark wins over the dialect's encoding.
pub(crate) fn decode(bytes: &[u8], encoding: Encoding) -> Result<String, String> {
    let (encoding, bytes) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => (Encoding::Utf8, rest),
        [0xff, 0xfe, rest @ ..] if encoding != Encoding::Latin1 => (Encoding::Utf16Le, rest),
        [0xfe, 0xff, rest @ ..] if encoding != Encoding::Latin1 => (Encoding::Utf16Be, rest),
        _ => (encoding, bytes),
    };
    let units =
        |read: fn([u8; 2]) -> u16| -> Vec<u16> { bytes.chunks_exact(2).map(|unit| read([unit[0], unit[1]])).collect() };
    match encoding {
        Encoding::Utf8 => String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string()),
        Encoding::Utf16Le => String::from_utf16(&units(u16::from_le_bytes)).map_err(|error| error.to_string()),
        Encoding::Utf16Be => String::from_utf16(&units(u16::from_be_bytes)).map_err(|error| error.to_string()),
        Encoding::Latin1 => Ok(bytes
            .iter()
            .map(|byte| if (0x80..0xa0).contains(byte) { WINDOWS[usize::from(byte - 0x80)] } else { char::from(*byte) })
            .collect()),
    }
}

/// One field: its text, or null.
pub(crate) type Field = Option<String>;

/// Calls `line` for every record. Lines end with `\n` or `\r\n`; an empty line is no record.
pub(crate) fn records(
    text: &str,
    dialect: &Dialect,
    mut line: impl FnMut(Vec<Field>) -> Result<(), String>,
) -> Result<(), String> {
    let mut letters = text.chars().peekable();
    let mut fields: Vec<Field> = Vec::new();
    while letters.peek().is_some() {
        let (field, last) = one_field(&mut letters, dialect)?;
        fields.push(field);
        if last {
            let blank = fields.len() == 1 && fields[0].is_none() && dialect.null.is_empty();
            let record = std::mem::take(&mut fields);
            if !blank {
                line(record)?;
            }
        } else if letters.peek().is_none() {
            // The file ends behind a delimiter.
            fields.push(if dialect.null.is_empty() { None } else { Some(String::new()) });
            line(std::mem::take(&mut fields))?;
        }
    }
    Ok(())
}

/// Reads one field and what ends it: true for the end of a line (or of the file).
fn one_field(
    letters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    dialect: &Dialect,
) -> Result<(Field, bool), String> {
    let mut text = String::new();
    let mut quoted = false;
    if letters.next_if_eq(&dialect.quote).is_some() {
        quoted = true;
        loop {
            match letters.next() {
                None => return Err("a quote is not closed".to_owned()),
                Some(letter) if Some(letter) == dialect.escape => text.extend(letters.next()),
                Some(letter) if letter == dialect.quote => {
                    if dialect.escape.is_none() && letters.next_if_eq(&dialect.quote).is_some() {
                        text.push(dialect.quote);
                    } else {
                        break;
                    }
                }
                Some(letter) => text.push(letter),
            }
        }
    }
    let last = loop {
        match letters.next() {
            None | Some('\n') => break true,
            Some('\r') if letters.next_if_eq(&'\n').is_some() => break true,
            Some(letter) if letter == dialect.delimiter => break false,
            Some(letter) if quoted => return Err(format!("`{letter}` follows a closing quote")),
            Some(letter) => text.push(letter),
        }
    };
    let null = !quoted && text == dialect.null;
    Ok(((!null).then_some(text), last))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{bytes, decode, records};
    use crate::attribute::Column;
    use crate::cell::Cell;
    use crate::layout::{Dialect, Encoding};
    use greylag_model::types::DataType;

    #[test]
    fn every_dialect_goes_there_and_back() {
        let column = Column { name: "a;b".to_owned(), data_type: DataType::String };
        let texts = ["", "NULL", "x;y", "say \"hi\"", "back\\slash", "line\r\nbreak", "Größe – 5 €", " blank "];
        for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Latin1] {
            for (null, escape, mark) in [("", None, true), ("NULL", Some('\\'), false)] {
                let mark = mark && encoding != Encoding::Latin1;
                let null = null.to_owned();
                let dialect =
                    Dialect { delimiter: ';', null, escape, encoding, mark, crlf: mark, ..Dialect::default() };
                let cells: Vec<Cell> = texts.iter().map(|text| Cell::text(text)).chain([Cell::Null]).collect();
                let cells: Vec<&Cell> = cells.iter().collect();
                let written = bytes(&[(&column, cells.clone()), (&column, cells)], texts.len() + 1, &dialect);
                let mut read = Vec::new();
                records(&decode(&written, encoding).unwrap(), &dialect, |fields| {
                    read.push(fields[1].clone());
                    Ok(())
                })
                .unwrap();
                assert_eq!(read.remove(0).as_deref(), Some("a;b"));
                assert_eq!(read.pop(), Some(None));
                assert_eq!(read.iter().map(|text| text.as_deref().unwrap()).collect::<Vec<_>>(), texts);
            }
        }
    }
}
