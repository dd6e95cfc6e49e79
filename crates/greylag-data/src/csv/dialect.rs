//! Which dialect a file is in.
//!
//! What is declared is taken. The rest is found in the first 256 KiB of the dataset's first file:
//!
//! - **encoding**: the byte-order mark, else what is declared, else UTF-8;
//! - **delimiter**: of `,` `;` tab `|` (tab first in `*.tsv`, `|` in `*.psv`) those that cut the first record; of them
//!   those that cut every record alike; of them the one with fewest quotes inside fields, then with most fields. If none cuts all alike, the one that does so
//!   longest, so that the error names the first odd line;
//! - **quote**: `"`, or `'` if there is no `"` and fields do stand in `'`; **escape**: `\` if only that makes sense;
//! - **header**: there is one if the first record names the declared columns. Else there is one if no field of the first
//!   record is a number, date, timestamp or boolean, or if its fields contradict what stands below them: at least one is
//!   of no type that all of its column's values have, and none with a type is;
//! - **null**: the empty field. Others (`NULL`, `\N`) must be declared: they could be values.

use super::infer::{self, classify};
use super::records::{Marks, Records};
use super::text::{Encoding, Text};
use crate::declared::Declared;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{CsvDialect, LineEnding};

/// Bytes of a file that are looked at.
pub const SAMPLE_BYTES: usize = 256 << 10;

/// Checks a dialect that somebody wrote.
pub fn validate(dialect: &CsvDialect) -> Result<Encoding, DriverError> {
    let wrong = |words: String| {
        Err(DriverError::permanent(code::CSV_DIALECT, words).hint("correct the dialect in the layout or annotations"))
    };
    let characters =
        [("delimiter", Some(dialect.delimiter)), ("quote", Some(dialect.quote)), ("escape", dialect.escape)];
    for (what, letter) in characters {
        if let Some(letter) = letter.filter(|letter| !letter.is_ascii() || matches!(letter, '\n' | '\r' | '\0')) {
            return wrong(format!("the {what} `{}` is not an ASCII character inside a line", letter.escape_default()));
        }
    }
    if dialect.delimiter == dialect.quote || dialect.escape == Some(dialect.delimiter) {
        return wrong("the delimiter is also the quote or the escape".to_owned());
    }
    if dialect.null.contains([dialect.delimiter, dialect.quote, '\n', '\r', '\0', '\u{feff}']) {
        return wrong(format!("the null text `{}` would need quotes", dialect.null.escape_default()));
    }
    if dialect.escape.is_some_and(|escape| dialect.null.ends_with(escape)) {
        return wrong(format!("the null text `{}` would escape what follows it", dialect.null.escape_default()));
    }
    let Some(encoding) = Encoding::parse(&dialect.encoding) else {
        return wrong(format!("the encoding `{}` is not known", dialect.encoding));
    };
    if dialect.byte_order_mark && encoding == Encoding::Latin1 {
        return wrong("`latin-1` has no byte-order mark".to_owned());
    }
    Ok(encoding)
}

/// Finds the dialect of a file that begins with `sample` (at most [`SAMPLE_BYTES`]; `whole` if that is all of it).
pub fn detect(sample: &[u8], whole: bool, name: &str, declared: &Declared) -> Result<CsvDialect, DriverError> {
    let mark = Encoding::of_mark(sample);
    let encoding = mark.map(|(encoding, _)| encoding).or(declared.encoding).unwrap_or(Encoding::Utf8);
    let sample = decode(&sample[mark.map_or(0, |(_, length)| length)..], encoding);
    // The last line may be cut.
    let sample = if whole { &sample } else { sample.rsplit_once('\n').map_or(sample.as_str(), |(lines, _)| lines) };
    let found = shape(sample, name, declared);
    let header = declared.header.unwrap_or_else(|| {
        let plain = found.first.iter().all(|field| classify(field.as_bytes()) == 0);
        plain || names_declared(&found.first, declared) || contradicts(sample, &found, null_of(declared))
    });
    let dialect = CsvDialect {
        delimiter: found.marks.delimiter.into(),
        quote: found.marks.quote.into(),
        escape: declared.escape.unwrap_or(found.marks.escape.map(char::from)),
        header,
        null: declared.null.clone().unwrap_or_default(),
        encoding: encoding.name().to_owned(),
        byte_order_mark: mark.is_some(),
        line_ending: match memchr::memchr(b'\n', sample.as_bytes()) {
            Some(end) if end > 0 && sample.as_bytes()[end - 1] == b'\r' => LineEnding::Crlf,
            _ => LineEnding::Lf,
        },
    };
    validate(&dialect)?;
    Ok(dialect)
}

/// Whether a record names the declared columns: it has no others, or (some being declared only) all of them. Partition
/// columns may be declared too and are in no file.
fn names_declared(first: &[String], declared: &Declared) -> bool {
    let declares = |field: &String| declared.columns.iter().any(|(name, _)| name == field);
    let has = |name: &String| first.contains(name);
    !declared.columns.is_empty() && (first.iter().all(declares) || declared.columns.iter().all(|(name, _)| has(name)))
}

/// Whether the first record cannot be one of the others: a field has none of the types that its column has below, and
/// no field with a type has one of them. Where one does, it may be data, and a row must not be lost to a guess.
fn contradicts(sample: &str, found: &Found, null: &[u8]) -> bool {
    let text = Text::new(sample.as_bytes(), "", Encoding::Utf8, 1);
    let mut records = Records::new(text, "", found.marks, 1, 0).with_null(null);
    let mut below = vec![infer::Column::default(); found.first.len()];
    let mut first = true;
    while let Ok(true) = records.advance(1) {
        if std::mem::take(&mut first) {
            continue;
        }
        for (column, seen) in below.iter_mut().enumerate() {
            let (text, quoted) = records.field(0, column);
            if !text.is_empty() && (quoted || text != null) {
                seen.see(text);
            }
        }
    }
    let fields = || found.first.iter().zip(&below).filter(|(field, _)| !field.is_empty());
    let fits = |field: &String, column: &infer::Column| column.fits(field.as_bytes());
    fields().any(|(field, column)| column.has_type() && !fits(field, column))
        && !fields().any(|(field, column)| column.has_type() && fits(field, column))
}

fn null_of(declared: &Declared) -> &[u8] {
    declared.null.as_deref().unwrap_or_default().as_bytes()
}

/// As much as can be made out; what is wrong is found, and named, by the reader.
fn decode(bytes: &[u8], encoding: Encoding) -> String {
    let encoding = match encoding {
        Encoding::Utf8 => encoding_rs::UTF_8,
        Encoding::Utf16Le => encoding_rs::UTF_16LE,
        Encoding::Utf16Be => encoding_rs::UTF_16BE,
        Encoding::Latin1 => encoding_rs::WINDOWS_1252,
    };
    encoding.decode_without_bom_handling(bytes).0.replace('\0', "\u{fffd}")
}

/// How a sample looks under some marks.
struct Found {
    marks: Marks,
    /// Fields of the first record.
    first: Vec<String>,
    /// Records of as many fields.
    records: usize,
    quoted: usize,
    /// Fields with a quote in their middle: signs of a wrong delimiter.
    stray: usize,
    /// All records were.
    even: bool,
    /// A quote was in the wrong place.
    misquoted: bool,
}

fn look(sample: &str, marks: Marks, null: &[u8]) -> Found {
    let text = Text::new(sample.as_bytes(), "", Encoding::Utf8, 1);
    let mut records = Records::new(text, "", marks, 1, 0).with_null(null);
    let mut found = Found { marks, first: Vec::new(), records: 0, quoted: 0, stray: 0, even: true, misquoted: false };
    loop {
        match records.advance(1) {
            Ok(true) => {}
            Ok(false) => return found,
            Err(error) => {
                found.even = false;
                found.misquoted = error.code == code::CSV_QUOTE;
                return found;
            }
        }
        for column in 0..records.width() {
            let (text, quoted) = records.field(0, column);
            found.quoted += usize::from(quoted);
            found.stray += usize::from(!quoted && text.contains(&marks.quote));
            if found.records == 0 {
                found.first.push(String::from_utf8_lossy(text).into_owned());
            }
        }
        found.records += 1;
    }
}

fn shape(sample: &str, name: &str, declared: &Declared) -> Found {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    let mut delimiters = vec![b',', b';', b'\t', b'|'];
    match (declared.delimiter, extension.as_deref()) {
        (Some(declared), _) => delimiters = vec![declared as u8],
        (None, Some("tsv")) => delimiters.rotate_left(2),
        (None, Some("psv")) => delimiters.rotate_left(3),
        _ => {}
    }
    let quote = declared.quote.unwrap_or('"') as u8;
    let escape = declared.escape.flatten().map(|escape| escape as u8);
    let null = null_of(declared);
    let mut found = best(sample, &delimiters, quote, escape, null);
    if declared.escape.is_none() && found.misquoted {
        let escaped = best(sample, &delimiters, quote, Some(b'\\'), null);
        if escaped.even {
            found = escaped;
        }
    }
    if declared.quote.is_none() && !sample.contains('"') && sample.contains('\'') {
        let single = best(sample, &delimiters, b'\'', escape, null);
        if single.even && single.quoted > 0 {
            found = single;
        }
    }
    found
}

fn best(sample: &str, delimiters: &[u8], quote: u8, escape: Option<u8>, null: &[u8]) -> Found {
    let look = |sample, delimiter| look(sample, Marks { delimiter, quote, escape }, null);
    let candidates = delimiters.iter().map(|delimiter| look(sample, *delimiter));
    let rank = |found: &Found| {
        let cuts = found.first.len() > 1;
        let width = if found.even { found.first.len() } else { 0 };
        (cuts, found.even, std::cmp::Reverse(found.stray), width, found.records)
    };
    // The first of equals.
    let better = |best: Found, other: Found| if rank(&other) > rank(&best) { other } else { best };
    candidates.reduce(better).unwrap_or_else(|| look("", b','))
}
