//! Readers and writers of files, whatever the format: streams of canonical Arrow batches.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use greylag_driver::error::DriverError;

/// A stream of batches of one canonical schema (see [`crate::arrow_types`]). After an error it is at its end.
pub trait BatchReader: Iterator<Item = Result<RecordBatch, DriverError>> + Send {
    /// The schema of every batch.
    fn schema(&self) -> SchemaRef;

    /// How many rows there are in all, if that is known before they are read.
    fn rows(&self) -> Option<u64> {
        None
    }
}

/// What reads a file batch by batch.
pub(crate) trait Batches: Send {
    /// The schema of every batch.
    fn schema(&self) -> SchemaRef;
    /// The next one; `None` at the end. Not asked again after that, or after an error.
    fn batch(&mut self) -> Result<Option<RecordBatch>, DriverError>;
}

/// A stream of them.
pub(crate) struct Stream<B> {
    batches: B,
    done: bool,
}

impl<B> Stream<B> {
    pub(crate) fn new(batches: B) -> Self {
        Self { batches, done: false }
    }
}

impl<B: Batches> Iterator for Stream<B> {
    type Item = Result<RecordBatch, DriverError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let batch = self.batches.batch().transpose();
        self.done = !matches!(batch, Some(Ok(_)));
        batch
    }
}

impl<B: Batches> BatchReader for Stream<B> {
    fn schema(&self) -> SchemaRef {
        self.batches.schema()
    }
}

/// Takes batches of one canonical schema into one file. Nothing is complete before [`BatchWriter::finish`]; making it
/// durable (fsync, rename) is its caller's.
pub trait BatchWriter: Send {
    /// Appends a batch.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), DriverError>;
    /// Bytes given to the file so far.
    fn bytes_written(&self) -> u64;
    /// Ends the file.
    fn finish(self: Box<Self>) -> Result<Written, DriverError>;
}

/// What a finished file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Counts what goes through.
#[derive(Debug)]
pub(crate) struct Counted<W> {
    pub(crate) inner: W,
    pub(crate) bytes: u64,
}

impl<W> Counted<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, bytes: 0 }
    }
}

impl<W: std::io::Write> std::io::Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
