//! Sorted runs in files, and reading them in the order of their records.

use crate::io_error::io_error;
use greylag_driver::error::DriverError;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 16;

/// A file of runs.
#[derive(Debug)]
pub(super) struct RunFile {
    file: File,
    path: PathBuf,
    /// Words of a record.
    words: usize,
}

impl RunFile {
    pub(super) fn open(path: PathBuf, extras: usize) -> Result<Arc<Self>, DriverError> {
        let file = File::open(&path).map_err(|error| io_error("open", &path, &error))?;
        Ok(Arc::new(Self { file, path, words: 2 + extras }))
    }

    fn read(&self, bytes: &mut [u8], record: u64) -> Result<(), DriverError> {
        let at = record * self.words as u64 * 8;
        self.file.read_exact_at(bytes, at).map_err(|error| io_error("read", &self.path, &error))
    }
}

/// Sorted records of a file.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) file: Arc<RunFile>,
    /// First record.
    pub(super) start: u64,
    /// One past the last.
    pub(super) end: u64,
}

impl Run {
    /// The part whose keys are in `keys`, the upper end excluded unless it is the highest.
    pub(super) fn range(&self, from: u64, to: u64) -> Result<Self, DriverError> {
        let start = if from == 0 { self.start } else { self.first_at_least(from)? };
        let end = if to == u64::MAX { self.end } else { self.first_at_least(to)? };
        Ok(Self { file: Arc::clone(&self.file), start, end: end.max(start) })
    }

    fn first_at_least(&self, key: u64) -> Result<u64, DriverError> {
        let (mut low, mut high) = (self.start, self.end);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut bytes = [0; 8];
            self.file.read(&mut bytes, middle)?;
            if u64::from_le_bytes(bytes) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// A place in a run.
struct Cursor {
    run: Run,
    /// Bytes of the records from `at` on.
    buffer: Vec<u8>,
    at: usize,
}

impl Cursor {
    fn new(run: Run) -> Self {
        Self { run, buffer: Vec::new(), at: 0 }
    }

    fn record_bytes(&self) -> usize {
        self.run.file.words * 8
    }

    /// The record here; `None` at the end.
    fn record(&mut self) -> Result<Option<u128>, DriverError> {
        if self.at == self.buffer.len() {
            let bytes = self.record_bytes();
            let records = (self.run.end - self.run.start).min((BUFFER / bytes).max(1) as u64);
            if records == 0 {
                return Ok(None);
            }
            self.buffer.resize(records as usize * bytes, 0);
            self.run.file.read(&mut self.buffer, self.run.start)?;
            self.run.start += records;
            self.at = 0;
        }
        Ok(Some(u128::from(self.word(0)) << 64 | u128::from(self.word(1))))
    }

    fn word(&self, number: usize) -> u64 {
        let at = self.at + number * 8;
        self.buffer.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
    }

    /// Moves on, adding the record's numbers.
    fn pass(&mut self, numbers: &mut Vec<u64>) {
        numbers.extend((2..self.run.file.words).map(|number| self.word(number)));
        self.at += self.record_bytes();
    }
}

/// Several runs as one.
pub(super) struct Merged {
    cursors: Vec<Cursor>,
    heads: BinaryHeap<Reverse<(u128, usize)>>,
}

impl Merged {
    pub(super) fn new(runs: Vec<Run>) -> Result<Self, DriverError> {
        let mut cursors: Vec<Cursor> = runs.into_iter().map(Cursor::new).collect();
        let mut heads = BinaryHeap::with_capacity(cursors.len());
        for (index, cursor) in cursors.iter_mut().enumerate() {
            heads.extend(cursor.record()?.map(|record| Reverse((record, index))));
        }
        Ok(Self { cursors, heads })
    }

    /// The smallest record.
    pub(super) fn peek(&self) -> Option<u128> {
        self.heads.peek().map(|Reverse((record, _))| *record)
    }

    /// Passes the smallest record, adding its numbers.
    pub(super) fn pass(&mut self, numbers: &mut Vec<u64>) -> Result<(), DriverError> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(()) };
        let Some(cursor) = self.cursors.get_mut(head.0.1) else { return Ok(()) };
        cursor.pass(numbers);
        match cursor.record()? {
            Some(record) => head.0.0 = record,
            None => drop(PeekMut::pop(head)),
        }
        Ok(())
    }
}
