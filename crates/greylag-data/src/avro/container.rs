//! The container: header and blocks, with their sizes held against the file's.

use super::codec::Codec;
use super::input::{Bad, Input};
use super::schema::Avro;
use super::{corrupt, hostile};
use crate::chunk::{Cut, Extent};
use crate::io_error::io_error;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::schema::{Column, Schema};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The first bytes of a file.
pub(crate) const MAGIC: &[u8; 4] = b"Obj\x01";
/// A header has no more bytes than this.
const MOST_HEADER: usize = 16 << 20;
/// A packed block has no more bytes than this.
const MOST_PACKED: u64 = 64 << 20;
/// Bytes in which a block's count and size are looked for.
const BLOCK_HEAD: usize = 20;

/// An open file whose header was read.
#[derive(Debug)]
pub(crate) struct AvroFile {
    pub(crate) name: String,
    file: File,
    length: u64,
    pub(crate) codec: Codec,
    pub(crate) fields: Vec<(String, Avro)>,
    sync: [u8; 16],
    /// Offset of the first block.
    first: u64,
}

/// Where a block lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) offset: u64,
    pub(crate) rows: u64,
    data: u64,
    size: u64,
}

impl Block {
    /// Where the next one begins.
    fn end(self) -> u64 {
        self.data + self.size + 16
    }
}

impl AvroFile {
    /// Opens a file; `name` is for messages.
    pub(crate) fn open(file: File, name: &str) -> Result<Self, DriverError> {
        let failed = |error: std::io::Error| io_error("read", Path::new(name), &error);
        let length = file.metadata().map_err(failed)?.len();
        let mut size = (64 << 10).min(length as usize);
        loop {
            let mut start = vec![0; size];
            file.read_exact_at(&mut start, 0).map_err(failed)?;
            match header(&start) {
                // There may be more of it.
                Err(Bad::Corrupt(_)) if size < MOST_HEADER && (size as u64) < length && start.starts_with(MAGIC) => {
                    size = (size * 16).min(MOST_HEADER).min(length as usize);
                }
                Err(Bad::Corrupt(words)) => return Err(corrupt(name, &format!("its header is damaged: {words}"))),
                Err(Bad::Hostile(words)) => return Err(hostile(name, &words)),
                Ok(header) => return Self::of_header(header, file, name, length),
            }
        }
    }

    fn of_header(header: Header<'_>, file: File, name: &str, length: u64) -> Result<Self, DriverError> {
        let Some(codec) = Codec::parse(header.codec) else {
            let words = format!("`{name}` is packed with `{}`", String::from_utf8_lossy(header.codec));
            return Err(DriverError::permanent(code::UNSUPPORTED_FEATURE, words)
                .hint("write it again with the codec null, deflate, snappy or zstandard"));
        };
        let fields = Avro::parse(header.schema).map_err(|words| {
            if words.contains("claims") || words.contains("deeper") {
                hostile(name, &words)
            } else {
                corrupt(name, &words)
            }
        })?;
        let (sync, first) = (header.sync, header.length as u64);
        Ok(Self { name: name.to_owned(), file, length, codec, fields, sync, first })
    }

    /// The columns.
    pub(crate) fn schema(&self) -> Result<Schema, DriverError> {
        if self.fields.is_empty() {
            return Err(DriverError::permanent(code::NO_COLUMNS, format!("`{}` has no columns", self.name)));
        }
        let column = |(name, avro): &(String, Avro)| {
            let data_type = avro.data_type().map_err(|reason| {
                let words = format!("`{}`: column `{name}`: {reason}", self.name);
                DriverError::permanent(code::UNSUPPORTED_TYPE, words)
                    .hint("rewrite or drop the column where it is written")
            })?;
            Ok(Column { name: name.clone(), data_type, nullable: avro.is_nullable() })
        };
        Ok(Schema { columns: self.fields.iter().map(column).collect::<Result<_, DriverError>>()? })
    }

    /// First byte of a piece, and one past its last.
    pub(crate) fn range(&self, extent: &Extent) -> (u64, u64) {
        match extent {
            Extent::Bytes { start, end, .. } => (*start, (*end).min(self.length)),
            _ => (self.first, self.length),
        }
    }

    /// The block at `next`, which is moved behind it; `None` at the `end`.
    pub(crate) fn next_block(&self, next: &mut u64, end: u64) -> Option<Result<Block, DriverError>> {
        if *next >= end {
            return None;
        }
        let block = self.block_at(*next);
        *next = block.as_ref().map_or(end, |block| block.end());
        Some(block)
    }

    fn blocks(&self) -> impl Iterator<Item = Result<Block, DriverError>> {
        let (mut next, end) = self.range(&Extent::Whole);
        std::iter::from_fn(move || self.next_block(&mut next, end))
    }

    /// Rows, by what the blocks say.
    pub(crate) fn rows(&self) -> Result<u64, DriverError> {
        self.blocks().try_fold(0_u64, |rows, block| Ok(rows.saturating_add(block?.rows)))
    }

    /// Blocks about every `every` bytes, the first one first; a cut's line is its first row, counted from 1.
    pub(crate) fn cuts(&self, every: u64) -> Result<Vec<Cut>, DriverError> {
        let (mut cuts, mut row, mut next) = (Vec::new(), 1, 0);
        for block in self.blocks() {
            let block = block?;
            if block.offset >= next {
                cuts.push(Cut { offset: block.offset, line: row });
                next = block.offset.saturating_add(every);
            }
            row += block.rows;
        }
        Ok(cuts)
    }

    fn block_at(&self, offset: u64) -> Result<Block, DriverError> {
        let damaged = |words: &str| corrupt(&self.name, &format!("the block at byte {offset} is damaged: {words}"));
        let mut head = [0; BLOCK_HEAD];
        let length = (self.length - offset).min(BLOCK_HEAD as u64) as usize;
        self.read_at(&mut head[..length], offset)?;
        let mut input = Input { left: &head[..length] };
        let read = input.long().and_then(|rows| Ok((rows, input.long()?)));
        let (rows, size) = match read {
            Ok(read) => read,
            Err(Bad::Corrupt(words) | Bad::Hostile(words)) => return Err(damaged(&words)),
        };
        let data = offset + (length - input.left.len()) as u64;
        let (Ok(rows), Ok(size)) = (u64::try_from(rows), u64::try_from(size)) else {
            return Err(damaged("a count is negative"));
        };
        if size.saturating_add(16) > self.length - data {
            return Err(damaged(&format!("it has {size} bytes, and the file ends before")));
        }
        if size > MOST_PACKED {
            let words =
                format!("the block at byte {offset} has {size} bytes, at most {} MiB are read", MOST_PACKED >> 20);
            return Err(hostile(&self.name, &words));
        }
        Ok(Block { offset, rows, data, size })
    }

    /// Reads and unpacks a block.
    pub(crate) fn unpack(&self, block: Block, out: &mut Vec<u8>) -> Result<(), DriverError> {
        let mut packed = vec![0; block.size as usize + 16];
        self.read_at(&mut packed, block.data)?;
        let (packed, sync) = packed.split_at(block.size as usize);
        if sync != self.sync {
            return Err(self.bad(block, &Bad::corrupt("it does not end with the file's sync marker")));
        }
        self.codec.unpack(packed, out).map_err(|bad| self.bad(block, &bad))?;
        if block.rows > out.len() as u64 {
            return Err(self.bad(block, &Bad::Hostile("it claims more rows than it has bytes".to_owned())));
        }
        Ok(())
    }

    /// What is wrong with a block.
    pub(crate) fn bad(&self, block: Block, bad: &Bad) -> DriverError {
        let at = format!("the block at byte {}", block.offset);
        match bad {
            Bad::Corrupt(words) => corrupt(&self.name, &format!("{at} is damaged: {words}")),
            Bad::Hostile(words) => hostile(&self.name, &format!("{at}: {words}")),
        }
    }

    fn read_at(&self, out: &mut [u8], offset: u64) -> Result<(), DriverError> {
        self.file.read_exact_at(out, offset).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => corrupt(&self.name, "it became shorter while it was read"),
            _ => io_error("read", Path::new(&self.name), &error),
        })
    }
}

struct Header<'a> {
    schema: &'a [u8],
    codec: &'a [u8],
    sync: [u8; 16],
    length: usize,
}

fn header(start: &[u8]) -> Result<Header<'_>, Bad> {
    let mut input = Input { left: start };
    if input.take(4).ok() != Some(&MAGIC[..]) {
        return Err(Bad::corrupt("it does not begin as an Avro file does"));
    }
    let (mut schema, mut codec) = (None, &b"null"[..]);
    input.items(|input| {
        let key = input.bytes()?;
        let value = input.bytes()?;
        match key {
            b"avro.schema" => schema = Some(value),
            b"avro.codec" => codec = value,
            _ => {}
        }
        Ok(())
    })?;
    let schema = schema.ok_or_else(|| Bad::corrupt("it has no schema"))?;
    let mut sync = [0; 16];
    sync.copy_from_slice(input.take(16)?);
    Ok(Header { schema, codec, sync, length: start.len() - input.left.len() })
}
