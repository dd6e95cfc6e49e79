//! Bytes of a file → blocks of whole lines of UTF-8, and where a file can be cut.

use crate::chunk::{Cut, Extent};
use crate::io_error::io_error;
use crate::parquet::source::Positioned;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use std::fs::File;
use std::io::{Read, Take};
use std::path::Path;
use std::sync::Arc;

/// Bytes asked of the file at a time.
const BLOCK: usize = 1 << 20;
/// A longer line is not read.
const LONGEST_LINE: usize = 32 << 20;
/// The byte-order mark of UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// An open file.
pub(crate) struct JsonFile {
    name: String,
    file: Arc<File>,
    /// Bytes of the byte-order mark.
    mark: u64,
}

impl JsonFile {
    /// Opens a file; `name` is for messages.
    pub(crate) fn open(file: File, name: &str) -> Result<Self, DriverError> {
        let file = Arc::new(file);
        let mut start = Vec::new();
        let read = Positioned::new(Arc::clone(&file), 0).take(3).read_to_end(&mut start);
        read.map_err(|error| io_error("read", Path::new(name), &error))?;
        let mark = if start == MARK { MARK.len() as u64 } else { 0 };
        Ok(Self { name: name.to_owned(), file, mark })
    }

    /// The lines of a piece.
    pub(crate) fn lines(&self, extent: &Extent) -> Lines<Take<Positioned>> {
        let (start, end, line) = match extent {
            Extent::Bytes { start, end, line } => (*start, *end, *line),
            _ => (self.mark, u64::MAX, 1),
        };
        let input = Positioned::new(Arc::clone(&self.file), start).take(end - start);
        Lines { input, name: self.name.clone(), buffer: Vec::new(), start: 0, whole: 0, line, ended: false }
    }

    /// Starts of lines about every `every` bytes, the first line's first. A line break never stands inside a value, so
    /// nothing is decoded; the file is read once to know the lines' numbers, which errors name.
    pub(crate) fn cuts(&self, every: u64) -> Result<Vec<Cut>, DriverError> {
        let mut cuts = vec![Cut { offset: self.mark, line: 1 }];
        let (mut offset, mut line, mut next) = (self.mark, 1, self.mark.saturating_add(every));
        let mut input = Positioned::new(Arc::clone(&self.file), offset);
        let mut block = vec![0; BLOCK];
        loop {
            let read = input.read(&mut block).map_err(|error| io_error("read", Path::new(&self.name), &error))?;
            if read == 0 {
                break;
            }
            for end in memchr::memchr_iter(b'\n', &block[..read]) {
                line += 1;
                let behind = offset + end as u64 + 1;
                if behind >= next {
                    cuts.push(Cut { offset: behind, line });
                    next = behind.saturating_add(every);
                }
            }
            offset += read as u64;
        }
        // Nothing lies behind a cut at the very end.
        if cuts.len() > 1 && cuts.last().is_some_and(|last| last.offset >= offset) {
            cuts.pop();
        }
        Ok(cuts)
    }
}

/// Reads lines.
pub(crate) struct Lines<R> {
    input: R,
    name: String,
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Where the last whole line in the buffer ends.
    whole: usize,
    /// Number of the next line.
    line: u64,
    ended: bool,
}

/// Whole lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    text: &'a str,
    line: u64,
}

impl<'a> Block<'a> {
    /// Lines that are not blank, each with its number.
    pub(crate) fn lines(self) -> impl Iterator<Item = (u64, &'a str)> {
        let trimmed = |line: &'a str| line.trim_matches([' ', '\t', '\r']);
        let numbered = self.text.split('\n').enumerate();
        numbered
            .map(move |(number, line)| (self.line + number as u64, trimmed(line)))
            .filter(|(_, line)| !line.is_empty())
    }

    pub(crate) fn bytes(self) -> u64 {
        self.text.len() as u64
    }
}

impl<R: Read> Lines<R> {
    /// Up to `most` lines; `None` at the end.
    pub(crate) fn take(&mut self, most: usize) -> Result<Option<Block<'_>>, DriverError> {
        if self.start == self.whole && !self.refill()? {
            return Ok(None);
        }
        let (start, line) = (self.start, self.line);
        let mut count = 0;
        let mut end = start;
        for at in memchr::memchr_iter(b'\n', &self.buffer[start..self.whole]).take(most.max(1)) {
            count += 1;
            end = start + at + 1;
        }
        // The last line of a file may have no end.
        if count < most.max(1) {
            end = self.whole;
        }
        (self.start, self.line) = (end, line + count as u64);
        match std::str::from_utf8(&self.buffer[start..end]) {
            Ok(text) => Ok(Some(Block { text, line })),
            Err(error) => Err(self.malformed(start, start + error.valid_up_to(), line)),
        }
    }

    /// Reads until there is a whole line; `false` at the end.
    fn refill(&mut self) -> Result<bool, DriverError> {
        self.buffer.drain(..self.start);
        (self.start, self.whole) = (0, 0);
        while !self.ended {
            let before = self.buffer.len();
            let read = (&mut self.input).take(BLOCK as u64).read_to_end(&mut self.buffer);
            let read = read.map_err(|error| io_error("read", Path::new(&self.name), &error))?;
            self.ended = read < BLOCK;
            if let Some(end) = memchr::memrchr(b'\n', &self.buffer[before..]) {
                self.whole = before + end + 1;
                break;
            }
            if self.buffer.len() > LONGEST_LINE {
                let words =
                    format!("`{}`, line {}: a line of more than {} MiB", self.name, self.line, LONGEST_LINE >> 20);
                let hint = "each line must hold one object; `jq -c '.[]'` writes the items of an array so";
                return Err(DriverError::permanent(code::HOSTILE_FILE, words).hint(hint));
            }
        }
        if self.ended {
            self.whole = self.buffer.len();
        }
        Ok(self.whole > 0)
    }

    fn malformed(&self, start: usize, at: usize, line: u64) -> DriverError {
        let before = &self.buffer[start..at];
        let line = line + memchr::memchr_iter(b'\n', before).count() as u64;
        let byte = at - memchr::memrchr(b'\n', before).map_or(start, |end| start + end + 1) + 1;
        let words = format!("`{}`, line {line}, byte {byte}: this is not UTF-8", self.name);
        DriverError::permanent(code::JSON_SYNTAX, words)
            .hint("JSON lines are UTF-8; `iconv -t utf-8` converts from other encodings")
    }
}
