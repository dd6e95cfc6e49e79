//! Output formats: data on standard output, in the form the caller asked for.

use crate::failure::{Failure, shown};
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use greylag_model::code;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, IsTerminal, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Version of the JSON that commands print: a new minor only adds keys.
const FORMAT_VERSION: &str = "1.0";

/// How a command prints its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// More columns for people.
    Wide,
    /// One JSON document.
    Json,
    /// One JSON value a line, the first line names the version.
    Ndjson,
    /// Names only, one a line.
    Name,
}

impl Format {
    /// Whether programs read it.
    pub(crate) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson)
    }
}

/// A column of a listing.
pub(crate) struct Heading {
    title: &'static str,
    wide: bool,
}

/// A column that is always shown.
pub(crate) const fn heading(title: &'static str) -> Heading {
    Heading { title, wide: false }
}

/// A column that only `-o wide` shows.
pub(crate) const fn wide(title: &'static str) -> Heading {
    Heading { title, wide: true }
}

/// One row of a listing.
pub(crate) struct Row {
    /// What `-o name` prints.
    pub(crate) name: String,
    /// One per heading.
    pub(crate) cells: Vec<String>,
    /// What the JSON forms print.
    pub(crate) value: Value,
}

impl Row {
    /// A row whose JSON form is `value`.
    pub(crate) fn new(name: impl Into<String>, cells: Vec<String>, value: &impl Serialize) -> Self {
        Self { name: name.into(), cells, value: serde_json::to_value(value).unwrap_or(Value::Null) }
    }
}

/// Prints a listing; `kind` is the plural of the glossary's word, e.g. `runs`.
pub(crate) fn list(format: Format, kind: &str, headings: &[Heading], rows: Vec<Row>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = match format {
        Format::Table | Format::Wide if rows.is_empty() => {
            // Nobody may be there to be told.
            let _ = writeln!(io::stderr(), "no {kind}");
            Ok(())
        }
        Format::Table => {
            let text = aligned(headings, &rows, false);
            match terminal_width() {
                Some(width) => text.lines().try_for_each(|line| writeln!(out, "{}", fitted(line, width))),
                None => write!(out, "{text}"),
            }
        }
        Format::Wide => write!(out, "{}", aligned(headings, &rows, true)),
        Format::Json => {
            let items: Vec<Value> = rows.into_iter().map(|row| row.value).collect();
            let document = serde_json::json!({ "version": FORMAT_VERSION, "kind": kind, "items": items });
            write_json(&mut out, &document)
        }
        Format::Ndjson => {
            version_line(&mut out, kind).and_then(|()| rows.iter().try_for_each(|row| writeln!(out, "{}", row.value)))
        }
        Format::Name => rows.iter().try_for_each(|row| writeln!(out, "{}", shown(&row.name))),
    };
    finish(written.and_then(|()| out.flush()))
}

/// Prints one document in a JSON form.
pub(crate) fn document(format: Format, kind: &str, value: &impl Serialize) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    let written = if format == Format::Ndjson {
        version_line(&mut out, kind).and_then(|()| writeln!(out, "{value}"))
    } else {
        let mut document = serde_json::json!({ "version": FORMAT_VERSION, "kind": kind });
        match (value, document.as_object_mut()) {
            (Value::Object(fields), Some(document)) => document.extend(fields),
            (other, Some(document)) => {
                document.insert("value".to_owned(), other);
            }
            _ => {}
        }
        write_json(&mut out, &document)
    };
    finish(written.and_then(|()| out.flush()))
}

/// Prints text lines.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    finish(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints bytes as they are; on a terminal as text that it may have.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        return text(&shown(&String::from_utf8_lossy(bytes)));
    }
    let mut out = io::stdout().lock();
    finish(out.write_all(bytes).and_then(|()| out.flush()))
}

/// The first line of a stream of JSON lines.
pub(crate) fn version_line(out: &mut impl Write, kind: &str) -> io::Result<()> {
    writeln!(out, "{}", serde_json::json!({ "type": "version", "version": FORMAT_VERSION, "kind": kind }))
}

fn write_json(out: &mut impl Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// A reader that went away (`| head`) is no failure.
pub(crate) fn finish(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::error(code::cli::OUTPUT_UNWRITABLE, format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

fn aligned(headings: &[Heading], rows: &[Row], all: bool) -> String {
    let keep: Vec<usize> =
        headings.iter().enumerate().filter(|(_, heading)| all || !heading.wide).map(|(index, _)| index).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(keep.iter().map(|&index| headings[index].title.to_uppercase()));
    for row in rows {
        let one_line = |cell: &String| shown(cell).replace(['\n', '\t'], " ");
        table.add_row(keep.iter().map(|&index| row.cells.get(index).map(one_line).unwrap_or_default()));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Columns of the terminal that standard output goes to, if it goes to one.
fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0)
}

/// A line cut to the width of a terminal, so that a table keeps one line a row; `-o wide` and pipes get all of it.
fn fitted(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let mut used = 0;
    let fits = |letter: &char| {
        used += letter.width().unwrap_or(0);
        used < width
    };
    let kept: String = line.chars().take_while(fits).collect();
    format!("{}…", kept.trim_end())
}

/// `1.2 GB`: decimal units, three significant digits.
pub(crate) fn bytes(count: u64) -> String {
    scaled(count, &["B", "kB", "MB", "GB", "TB", "PB"], " ")
}

/// `1.2M`: rows and other counts.
pub(crate) fn count(count: u64) -> String {
    scaled(count, &["", "k", "M", "G", "T", "P"], "")
}

fn scaled(count: u64, units: &[&str], gap: &str) -> String {
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        return format!("{count}{}", if units[0].is_empty() { String::new() } else { format!("{gap}{}", units[0]) });
    }
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$}{gap}{}", units[unit])
}

/// `950 ms`, `12.3 s`, `4 min 10 s`, `3 h 5 min`.
pub(crate) fn duration(millis: i64) -> String {
    let millis = millis.max(0);
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", millis as f64 / 1000.0),
        60_000..3_600_000 => format!("{} min {} s", millis / 60_000, millis / 1000 % 60),
        _ => format!("{} h {} min", millis / 3_600_000, millis / 60_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, duration, fitted};

    #[test]
    fn lines_are_cut_by_what_a_terminal_shows() {
        assert_eq!(fitted("users_v2  ready", 15), "users_v2  ready");
        assert_eq!(fitted("users_v2  ready", 14), "users_v2  rea…");
        assert_eq!(fitted("users_v2  ready", 10), "users_v2…");
        assert_eq!(fitted("金額金額  ready", 5), "金額…", "a wide letter takes two columns");
        assert_eq!(fitted("users", 1), "…");
    }

    #[test]
    fn sizes_read_well() {
        let shown: Vec<String> = [0, 999, 1_000, 12_345, 999_600, 5_400_000_000].map(bytes).to_vec();
        assert_eq!(shown, ["0 B", "999 B", "1.00 kB", "12.3 kB", "1.00 MB", "5.40 GB"]);
        assert_eq!(count(1_234_567), "1.23M");
        assert_eq!(duration(250_000), "4 min 10 s");
    }
}
