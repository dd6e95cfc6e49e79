//! Bytes of a file → UTF-8, block by block.

use super::At;
use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use std::io::Read;
use std::path::Path;

/// Encodings of CSV files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, little end first.
    Utf16Le,
    /// UTF-16, big end first.
    Utf16Be,
    /// Windows-1252, a superset of the printable part of ISO 8859-1.
    Latin1,
}

impl Encoding {
    /// By the name that dialects use, and a few that people use.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_lowercase().replace('_', "-").as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "utf-16le" => Some(Self::Utf16Le),
            "utf-16be" => Some(Self::Utf16Be),
            "latin-1" | "latin1" | "iso-8859-1" | "windows-1252" | "cp1252" => Some(Self::Latin1),
            _ => None,
        }
    }

    /// The name that dialects use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Latin1 => "latin-1",
        }
    }

    /// The byte-order mark at the start of `bytes`: what it says, and its length.
    pub fn of_mark(bytes: &[u8]) -> Option<(Self, usize)> {
        match bytes {
            [0xEF, 0xBB, 0xBF, ..] => Some((Self::Utf8, 3)),
            [0xFF, 0xFE, ..] => Some((Self::Utf16Le, 2)),
            [0xFE, 0xFF, ..] => Some((Self::Utf16Be, 2)),
            _ => None,
        }
    }

    fn decoder(self) -> Option<Decoder> {
        let encoding = match self {
            Self::Utf8 => return None,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Latin1 => WINDOWS_1252,
        };
        Some(encoding.new_decoder_without_bom_handling())
    }
}

/// Bytes asked of the file at a time.
const BLOCK: usize = 1 << 20;

/// Decodes a stream.
pub struct Text<R> {
    input: R,
    name: String,
    decoder: Option<Decoder>,
    encoding: Encoding,
    /// Bytes read and not yet decoded (only with a decoder).
    raw: Vec<u8>,
    ended: bool,
    /// Lines before what comes next, where text is given out unchecked (UTF-8) or not.
    line: u64,
    /// UTF-8: how many bytes at the end of what was given out begin a character that is not complete.
    pending: usize,
}

impl<R: Read> Text<R> {
    /// Decodes `input`, which stands behind a byte-order mark if there was one, at line `line`.
    pub fn new(input: R, name: &str, encoding: Encoding, line: u64) -> Self {
        let decoder = encoding.decoder();
        Self { input, name: name.to_owned(), decoder, encoding, raw: Vec::new(), ended: false, line, pending: 0 }
    }

    /// Appends about a block of UTF-8 to `out`; `false` at the end. What is appended has no zero bytes; it may end
    /// inside a character, which the next call completes.
    pub fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool, DriverError> {
        if self.ended {
            return Ok(false);
        }
        let before = out.len();
        if self.decoder.is_some() {
            self.decode(out)?;
        } else {
            self.read_into(out)?;
        }
        self.check(out, before)?;
        Ok(!self.ended || out.len() > before)
    }

    fn read_into(&mut self, out: &mut Vec<u8>) -> Result<(), DriverError> {
        let failed = |error: std::io::Error| crate::io_error::io_error("read", Path::new(&self.name), &error);
        let read = (&mut self.input).take(BLOCK as u64).read_to_end(out).map_err(failed)?;
        self.ended = read < BLOCK;
        Ok(())
    }

    fn decode(&mut self, out: &mut Vec<u8>) -> Result<(), DriverError> {
        let mut raw = std::mem::take(&mut self.raw);
        self.read_into(&mut raw)?;
        let Some(decoder) = self.decoder.as_mut() else { return Ok(()) };
        let mut consumed = 0;
        loop {
            let start = out.len();
            let room = decoder.max_utf8_buffer_length_without_replacement(raw.len() - consumed).unwrap_or(BLOCK);
            out.resize(start + room, 0);
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(&raw[consumed..], &mut out[start..], self.ended);
            out.truncate(start + written);
            consumed += read;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let line = self.line + count_lines(&out[start..]);
                    return Err(self.malformed(line));
                }
            }
        }
        raw.clear();
        self.raw = raw;
        Ok(())
    }

    /// Zero bytes and malformed UTF-8 in what was appended.
    fn check(&mut self, out: &[u8], before: usize) -> Result<(), DriverError> {
        let new = &out[before..];
        if let Some(zero) = memchr::memchr(0, new) {
            let at = At { name: &self.name, line: self.line + count_lines(&new[..zero]) };
            return Err(at.error(code::CSV_NUL, "a zero byte").hint(
                "if the file is UTF-16 without a byte-order mark, declare `greylag.dev/csv-encoding: utf-16le`",
            ));
        }
        if self.decoder.is_none() {
            let from = before.saturating_sub(self.pending);
            self.pending = match std::str::from_utf8(&out[from..]) {
                Ok(_) => 0,
                Err(error) if error.error_len().is_none() && !self.ended => out.len() - from - error.valid_up_to(),
                Err(error) => {
                    let valid = &out[from..from + error.valid_up_to()];
                    return Err(self.malformed(self.line + count_lines(valid)));
                }
            };
        }
        self.line += count_lines(new);
        Ok(())
    }

    fn malformed(&self, line: u64) -> DriverError {
        let words = format!("bytes that are not {}", self.encoding.name());
        At { name: &self.name, line }
            .error(code::CSV_ENCODING, &words)
            .hint("declare the file's encoding with `greylag.dev/csv-encoding`, e.g. `latin-1`")
    }
}

/// Line feeds in `bytes`.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
