//! UTF-8 → records of fields.
//!
//! A block of text is held in one buffer; a batch of records is a list of ranges of it. Nothing is copied: quotes are
//! taken out in place, once a record is known to be complete.
//!
//! An escape works inside quotes. Only where the null text holds it (`\N`, as MySQL's `SELECT … INTO OUTFILE` writes it)
//! does it work outside too: there a field that is exactly the null text is null before anything is unescaped, `\\N` is
//! the text `\N`, and an escaped delimiter or line break belongs to its field. An escape before a letter or digit could
//! be either that or a control character (`\n`, `\0`), so it is refused.

use super::At;
use super::text::{Text, count_lines};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::CsvDialect;
use std::io::Read;

/// A record of more bytes than this is taken for an open quote.
const LONGEST_RECORD: usize = 128 << 20;

/// The bytes that a scanner looks for.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields.
    pub quote: u8,
    /// Inside quotes.
    pub escape: Option<u8>,
}

impl From<&CsvDialect> for Marks {
    /// Of a dialect that [`super::dialect::validate`] has passed: all characters are ASCII.
    fn from(dialect: &CsvDialect) -> Self {
        let escape = dialect.escape.filter(|escape| *escape != dialect.quote);
        Self {
            delimiter: dialect.delimiter as u8,
            quote: dialect.quote as u8,
            escape: escape.map(|escape| escape as u8),
        }
    }
}

/// One field: a range of the buffer.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    start: u32,
    end: u32,
    /// It stood in quotes, or was unescaped: it is a text, never null.
    pub quoted: bool,
    /// Quotes inside are still doubled or escaped.
    raw: bool,
}

/// Reads records.
pub struct Records<R> {
    text: Text<R>,
    name: String,
    marks: Marks,
    /// The null text, if the escape stands in it.
    escaped_null: Option<Vec<u8>>,
    buffer: Vec<u8>,
    /// Where the next record begins.
    start: usize,
    /// Line of the next record.
    line: u64,
    /// Bytes of text before the buffer.
    before: u64,
    ended: bool,
    /// Fields of every record; 0 until the first is read.
    width: usize,
    fields: Vec<Field>,
    lines: Vec<u32>,
    first_line: u64,
}

enum Scan {
    /// A record ends here.
    Record(usize),
    /// An empty line ends here.
    Blank(usize),
    /// There may be more.
    More,
}

impl<R: Read> Records<R> {
    /// Reads from `text`, whose next line is `line`. `width` is the number of fields, 0 to take it from the first record.
    pub fn new(text: Text<R>, name: &str, marks: Marks, line: u64, width: usize) -> Self {
        Self {
            text,
            name: name.to_owned(),
            marks,
            escaped_null: None,
            buffer: Vec::new(),
            start: 0,
            line,
            before: 0,
            ended: false,
            width,
            fields: Vec::new(),
            lines: Vec::new(),
            first_line: line,
        }
    }

    /// Takes note of the null text, which decides whether the escape works outside quotes.
    #[must_use]
    pub fn with_null(mut self, null: &[u8]) -> Self {
        self.escaped_null = self.marks.escape.filter(|escape| null.contains(escape)).map(|_| null.to_vec());
        self
    }

    /// Reads up to `most` records; `false` at the end. Then [`Self::rows`] and [`Self::field`] tell of them.
    pub fn advance(&mut self, most: usize) -> Result<bool, DriverError> {
        self.fields.clear();
        self.lines.clear();
        self.first_line = self.line;
        while self.lines.len() < most {
            let first_field = self.fields.len();
            match self.scan()? {
                Scan::Record(next) => self.take_record(first_field, next)?,
                Scan::Blank(next) => {
                    self.start = next;
                    self.line += 1;
                }
                Scan::More => {
                    self.fields.truncate(first_field);
                    if !self.lines.is_empty() {
                        return Ok(true);
                    }
                    if self.ended {
                        return Ok(false);
                    }
                    self.refill()?;
                }
            }
        }
        Ok(true)
    }

    /// Records read by the last [`Self::advance`].
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// Fields of a record.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A field's text, and whether it was quoted.
    pub fn field(&self, row: usize, column: usize) -> (&[u8], bool) {
        let field = self.fields[row * self.width + column];
        (&self.buffer[field.start as usize..field.end as usize], field.quoted)
    }

    /// Line where a record begins.
    pub fn line(&self, row: usize) -> u64 {
        self.first_line + u64::from(self.lines[row])
    }

    /// Offset in the text, and line, of the record after the last one read.
    pub fn position(&self) -> (u64, u64) {
        (self.before + self.start as u64, self.line)
    }

    fn refill(&mut self) -> Result<(), DriverError> {
        self.buffer.drain(..self.start);
        self.before += self.start as u64;
        self.start = 0;
        if self.buffer.len() > LONGEST_RECORD {
            let words = format!("a record of more than {} MiB; is a quote not closed?", LONGEST_RECORD >> 20);
            return Err(self.at(self.line).error(code::CSV_QUOTE, &words).hint("mend the line, or declare the quote"));
        }
        // A long record is looked at again from its start: read as much again as there is.
        let wanted = self.buffer.len();
        loop {
            self.ended = !self.text.fill(&mut self.buffer)?;
            if self.ended || self.buffer.len() > wanted * 2 {
                return Ok(());
            }
        }
    }

    fn at(&self, line: u64) -> At<'_> {
        At { name: &self.name, line }
    }

    fn take_record(&mut self, first_field: usize, next: usize) -> Result<(), DriverError> {
        let found = self.fields.len() - first_field;
        if self.width == 0 {
            self.width = found;
        }
        if found != self.width {
            let words = format!("{found} fields where there should be {}", self.width);
            return Err(self
                .at(self.line)
                .error(code::CSV_RAGGED, &words)
                .hint("mend the line, or declare the delimiter"));
        }
        let mut breaks = 0;
        for field in &mut self.fields[first_field..] {
            let text = &self.buffer[field.start as usize..field.end as usize];
            if field.quoted || field.raw {
                breaks += count_lines(text);
            }
            if !field.raw || (!field.quoted && self.escaped_null.as_deref() == Some(text)) {
                continue;
            }
            if self.escaped_null.is_some()
                && let Some(letter) = unclear_escape(text, self.marks.escape, field.quoted)
            {
                let words = format!("an escape stands before `{letter}`, which may stand for itself or for a control");
                let at = At { name: &self.name, line: self.line };
                return Err(at.error(code::CSV_QUOTE, &words).hint("write the character itself behind the escape"));
            }
            unescape(&mut self.buffer, field, self.marks);
        }
        self.lines.push((self.line - self.first_line) as u32);
        self.start = next;
        self.line += 1 + breaks;
        Ok(())
    }

    /// Looks for one record at `start`, pushing its fields.
    fn scan(&mut self) -> Result<Scan, DriverError> {
        let end = self.buffer.len();
        let mut at = self.start;
        if at == end {
            return Ok(Scan::More);
        }
        if matches!(self.buffer[at], b'\n' | b'\r') && self.width != 1 {
            return Ok(self.line_end(at).map_or(Scan::More, Scan::Blank));
        }
        loop {
            let quoted = at < end && self.buffer[at] == self.marks.quote;
            let stop = if quoted { self.quoted(at)? } else { self.unquoted(at) };
            let Some(stop) = stop else { return Ok(Scan::More) };
            if stop == end {
                return Ok(Scan::Record(end));
            }
            if self.buffer[stop] != self.marks.delimiter {
                return Ok(self.line_end(stop).map_or(Scan::More, Scan::Record));
            }
            at = stop + 1;
            if at == end && !self.ended {
                return Ok(Scan::More);
            }
        }
    }

    /// Where the line that ends at `at` is over; `None` if that cannot be known yet.
    fn line_end(&self, at: usize) -> Option<usize> {
        if self.buffer[at] == b'\n' {
            return Some(at + 1);
        }
        match self.buffer.get(at + 1) {
            Some(b'\n') => Some(at + 2),
            Some(_) => Some(at + 1),
            None => self.ended.then_some(at + 1),
        }
    }

    /// The field that begins at `at`, and where it stops; `None` if that cannot be known yet.
    fn unquoted(&mut self, at: usize) -> Option<usize> {
        let (mut from, mut raw) = (at, false);
        loop {
            let stop = memchr::memchr3(self.marks.delimiter, b'\n', b'\r', &self.buffer[from..]);
            let stop = stop.map(|length| from + length);
            let escape = self.escaped_null.as_ref().and(self.marks.escape);
            let before = &self.buffer[from..stop.unwrap_or(self.buffer.len())];
            if let Some(hit) = escape.and_then(|escape| memchr::memchr(escape, before)) {
                from = self.behind_escape(from + hit)?;
                raw = true;
                continue;
            }
            let stop = stop.or_else(|| self.ended.then_some(self.buffer.len()))?;
            self.push(at, stop, false, raw);
            return Some(stop);
        }
    }

    /// Where the text goes on behind the escape at `at` and what it escapes; `None` if that cannot be known yet.
    fn behind_escape(&self, at: usize) -> Option<usize> {
        let length = match (self.buffer.get(at + 1), self.buffer.get(at + 2)) {
            (Some(b'\r'), Some(b'\n')) => 3,
            (Some(b'\r'), None) | (None, _) if !self.ended => return None,
            _ => 2,
        };
        Some((at + length).min(self.buffer.len()))
    }

    fn quoted(&mut self, open: usize) -> Result<Option<usize>, DriverError> {
        let Marks { quote, escape, delimiter } = self.marks;
        let mut at = open + 1;
        let mut raw = false;
        loop {
            let rest = &self.buffer[at..];
            let hit = match escape {
                Some(escape) => memchr::memchr2(quote, escape, rest),
                None => memchr::memchr(quote, rest),
            };
            let Some(hit) = hit.map(|hit| at + hit) else {
                let unclosed = || self.at(self.line).error(code::CSV_QUOTE, "a quote is opened and never closed");
                return if self.ended { Err(unclosed().hint("close the quote")) } else { Ok(None) };
            };
            let next = self.buffer.get(hit + 1).copied();
            match (self.buffer[hit] == quote, next) {
                (_, None) if !self.ended => return Ok(None),
                (true, Some(byte)) if byte == quote => (raw, at) = (true, hit + 2),
                (true, next) => {
                    if next.is_some_and(|byte| byte != delimiter && byte != b'\n' && byte != b'\r') {
                        let line = self.line + count_lines(&self.buffer[open..hit]);
                        let error = self.at(line).error(code::CSV_QUOTE, "text follows a closing quote");
                        return Err(error.hint("double the quotes inside quoted fields, or declare an escape"));
                    }
                    self.push(open + 1, hit, true, raw);
                    return Ok(Some(hit + 1));
                }
                (false, _) => (raw, at) = (true, (hit + 2).min(self.buffer.len())),
            }
        }
    }

    fn push(&mut self, start: usize, end: usize, quoted: bool, raw: bool) {
        self.fields.push(Field { start: start as u32, end: end as u32, quoted, raw });
    }
}

/// What follows an escape and may stand for a control character: outside quotes a letter or digit, inside them a zero.
fn unclear_escape(text: &[u8], escape: Option<u8>, quoted: bool) -> Option<char> {
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        if Some(*byte) == escape
            && let Some(next) =
                rest.next().filter(|next| if quoted { **next == b'0' } else { next.is_ascii_alphanumeric() })
        {
            return Some((*next).into());
        }
    }
    None
}

/// Takes doubled quotes and escapes out of a field, in place.
fn unescape(buffer: &mut [u8], field: &mut Field, marks: Marks) {
    let (mut read, mut write, end) = (field.start as usize, field.start as usize, field.end as usize);
    while read < end {
        let byte = buffer[read];
        let doubled = byte == marks.quote && read + 1 < end && buffer[read + 1] == marks.quote;
        if (doubled || Some(byte) == marks.escape) && read + 1 < end {
            read += 1;
        }
        buffer[write] = buffer[read];
        read += 1;
        write += 1;
    }
    field.end = write as u32;
    field.raw = false;
    field.quoted = true;
}
