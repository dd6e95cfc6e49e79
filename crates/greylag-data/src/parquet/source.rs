//! Where Parquet bytes come from: a small file is read into memory in one call; a large one is read where needed by
//! position, without moving (and sharing) a file offset.

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Files up to this size are read at once.
const SMALL: u64 = 4 << 20;
/// Read-ahead of large files, for page headers.
const READ_AHEAD: usize = 32 << 10;

/// An open Parquet file.
#[derive(Clone, Debug)]
pub enum Source {
    /// All of it.
    Memory(Bytes),
    /// The file and its length.
    File(Arc<File>, u64),
}

impl Source {
    /// Takes a file; reads it if it is small and `whole` is wanted (footers alone do not want it).
    pub fn open(file: File, whole: bool) -> std::io::Result<Self> {
        let length = file.metadata()?.len();
        if !whole || length > SMALL {
            return Ok(Self::File(Arc::new(file), length));
        }
        let mut bytes = vec![0; length as usize];
        // By position: whoever opened it may have moved the file's own offset.
        file.read_exact_at(&mut bytes, 0)?;
        Ok(Self::Memory(bytes.into()))
    }

    /// Reads exactly `length` bytes at `start`.
    pub fn at(&self, start: u64, length: usize) -> std::io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => {
                let start = start as usize;
                let end = start.checked_add(length).filter(|end| *end <= bytes.len());
                end.map(|end| bytes.slice(start..end)).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
            }
            Self::File(file, _) => {
                let mut buffer = vec![0; length];
                file.read_exact_at(&mut buffer, start)?;
                Ok(buffer.into())
            }
        }
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, length) => *length,
        }
    }
}

impl ChunkReader for Source {
    type T = SourceReader;

    fn get_read(&self, start: u64) -> Result<SourceReader> {
        Ok(match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
                SourceReader::Memory(bytes.slice(start..))
            }
            Self::File(file, _) => {
                let positioned = Positioned::new(Arc::clone(file), start);
                SourceReader::File(BufReader::with_capacity(READ_AHEAD, positioned))
            }
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        Ok(self.at(start, length)?)
    }
}

/// Reads on from a position.
#[derive(Debug)]
pub enum SourceReader {
    /// What is left.
    Memory(Bytes),
    /// Buffered.
    File(BufReader<Positioned>),
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Memory(bytes) => {
                let length = bytes.len().min(buffer.len());
                buffer[..length].copy_from_slice(&bytes.split_to(length));
                Ok(length)
            }
            Self::File(file) => file.read(buffer),
        }
    }
}

/// A file with an offset of its own.
#[derive(Debug)]
pub struct Positioned {
    file: Arc<File>,
    offset: u64,
}

impl Positioned {
    /// Reads `file` from `offset` on.
    pub fn new(file: Arc<File>, offset: u64) -> Self {
        Self { file, offset }
    }
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
