//! Digests: rows as sorted pairs of hashes. Runs in a reader.

use super::RUN_BYTES;
use super::canonical;
use crate::arrow_types::to_arrow_schema;
use crate::chunk::Chunk;
use crate::convert::{Filter, Source, Window};
use crate::durable::Identity;
use crate::evidence::{ColumnKey, RowHasher};
use crate::expr::Program;
use crate::io_error::io_error;
use crate::listing::Anchor;
use crate::part::PartSource;
use arrow::array::ArrayRef;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::Layout;
use greylag_model::diff::Class;
use greylag_model::mapping::Mapping;
use greylag_model::schema::Schema;
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// One side of a diff, as a reader sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SideOf {
    /// Where it lies.
    pub anchor: Anchor,
    /// How it is laid out.
    pub layout: Layout,
    /// Its columns, those of the partition last.
    pub schema: Schema,
    /// What is made of it before it is compared.
    pub mapping: Option<Box<Mapping>>,
    /// Only these rows; needs a mapping.
    #[serde(default)]
    pub window: Option<Window>,
    /// What is compared.
    pub columns: Vec<ColumnOf>,
}

/// A column of one side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ColumnOf {
    /// Its name.
    pub name: String,
    /// Its place in the side's schema, or in the mapping's target.
    pub place: usize,
    /// As what it is compared.
    pub class: Class,
    /// Whether it is part of the key.
    pub key: bool,
    /// Whether it is compared within a tolerance.
    pub tolerant: bool,
}

/// Chunks to digest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DigestRequest {
    /// Of which side.
    pub side: SideOf,
    /// Which.
    pub chunks: Vec<Chunk>,
    /// The file of runs to write.
    pub output: PathBuf,
    /// Most rows of a batch.
    pub batch_rows: usize,
}

/// What was digested.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DigestReply {
    /// Records of each run in the file, in order.
    pub runs: Vec<u64>,
    /// Rows that the mapping rejected.
    pub rejected: u64,
    /// The files that were read, as they were.
    pub read: Vec<(String, Identity)>,
}

impl SideOf {
    /// Hands every batch's compared columns to `each`; answers how many rows the mapping rejected.
    pub(super) fn each_batch(
        &self,
        chunks: &[Chunk],
        batch_rows: usize,
        mut each: impl FnMut(&[ArrayRef]) -> Result<(), DriverError>,
    ) -> Result<u64, DriverError> {
        let Self { anchor, layout, schema, .. } = self;
        let places: Vec<usize> = self.columns.iter().map(|column| column.place).collect();
        let program = match &self.mapping {
            Some(mapping) => Some(Program::new(&mapping.columns, &to_arrow_schema(schema))?),
            None => None,
        };
        let filter = match (&self.mapping, self.window) {
            (Some(mapping), Some(window)) => Some(Filter::new(mapping, window)?),
            _ => None,
        };
        let columns = if program.is_some() { None } else { Some(places.as_slice()) };
        let source = PartSource { anchor, layout, schema, columns, batch_rows };
        let mut rejected = 0;
        for (part, partition) in chunks.iter().flat_map(|chunk| chunk.parts.iter().map(|part| (part, &chunk.partition)))
        {
            for batch in source.open(part, partition)? {
                let batch = batch?;
                let batch = match &filter {
                    Some(filter) => filter.keep(&batch)?,
                    None => batch,
                };
                match &program {
                    None => each(batch.columns())?,
                    Some(program) => {
                        let evaluated = program.run(&batch)?;
                        rejected += evaluated.rejected.len() as u64;
                        let arrays = places.iter().map(|place| evaluated.batch.column(*place).clone());
                        each(&arrays.collect::<Vec<_>>())?;
                    }
                }
            }
        }
        Ok(rejected)
    }

    /// What the files of chunks are now.
    pub(super) fn identities(&self, chunks: &[Chunk]) -> Result<Vec<(String, Identity)>, DriverError> {
        let Self { anchor, layout, schema, .. } = self;
        Source { anchor, layout, schema, batch_rows: 1 }.identities(chunks)
    }

    /// Fails unless the files of chunks are still what they were.
    pub(super) fn check_unchanged(&self, chunks: &[Chunk], before: &[(String, Identity)]) -> Result<(), DriverError> {
        let after = self.identities(chunks)?;
        match before.iter().zip(&after).find(|(before, after)| before != after) {
            Some(((name, _), _)) => Err(changed(&self.anchor, name)),
            None => Ok(()),
        }
    }
}

/// Somebody writes to a file while it is compared.
pub(super) fn changed(anchor: &Anchor, name: &str) -> DriverError {
    let words = format!("`{}` changed while it was being compared", anchor.absolute_of(name).display());
    DriverError::conflict(code::SOURCE_CHANGED, words).hint("stop what writes to it, then compare again")
}

/// Hashes rows by their keys and as a whole.
pub(super) struct Hashes<'a> {
    columns: &'a [ColumnOf],
    names: Vec<ColumnKey>,
    keyed: bool,
    by_key: RowHasher,
    whole: RowHasher,
    /// Of each column: hashes, or numbers if it is tolerant.
    pub(super) values: Vec<Vec<u64>>,
}

impl<'a> Hashes<'a> {
    pub(super) fn new(columns: &'a [ColumnOf]) -> Self {
        Self {
            columns,
            names: columns.iter().map(|column| ColumnKey::of(&column.name)).collect(),
            keyed: columns.iter().any(|column| column.key),
            by_key: RowHasher::default(),
            whole: RowHasher::default(),
            values: vec![Vec::new(); columns.len()],
        }
    }

    /// Calls `each` with every row's key hash in the upper half and its hash in the lower.
    pub(super) fn each(&mut self, arrays: &[ArrayRef], mut each: impl FnMut(u128)) -> Result<(), DriverError> {
        let rows = arrays.first().map_or(0, |array| array.len());
        self.whole.begin(rows);
        self.by_key.begin(rows);
        let columns = self.columns.iter().zip(&self.names).zip(arrays).zip(&mut self.values);
        for (((column, name), array), values) in columns {
            if column.tolerant {
                canonical::numbers(array, values)?;
                continue;
            }
            canonical::hash(array, column.class, values)?;
            self.whole.add(*name, values);
            if column.key {
                self.by_key.add(*name, values);
            }
        }
        if !self.keyed {
            self.whole.finish_each(each);
            return Ok(());
        }
        let mut keys = Vec::with_capacity(rows);
        self.by_key.finish_each(|key| keys.push(key));
        let mut keys = keys.into_iter();
        self.whole.finish_each(|row| each(keys.next().unwrap_or_default() & UPPER | u128::from(row as u64)));
        Ok(())
    }
}

const UPPER: u128 = !(u64::MAX as u128);

/// Digests chunks.
pub(crate) fn digest(request: &DigestRequest) -> Result<DigestReply, DriverError> {
    let DigestRequest { side, chunks, output, .. } = request;
    let read = side.identities(chunks)?;
    let create = OpenOptions::new().write(true).create(true).truncate(true).open(output);
    let file = create.map_err(|error| io_error("create", output, &error))?;
    let tolerant: Vec<usize> = (0..side.columns.len()).filter(|at| side.columns[*at].tolerant).collect();
    let mut runs = RunWriter::new(BufWriter::with_capacity(1 << 18, file), output, tolerant.len());
    let mut hashes = Hashes::new(&side.columns);
    let mut records = Vec::new();
    let rejected = side.each_batch(chunks, request.batch_rows, |arrays| {
        records.clear();
        hashes.each(arrays, |record| records.push(record))?;
        for (row, record) in records.iter().enumerate() {
            runs.push(*record, tolerant.iter().map(|at| hashes.values[*at][row]))?;
        }
        Ok(())
    })?;
    let runs = runs.finish()?;
    side.check_unchanged(chunks, &read)?;
    Ok(DigestReply { runs, rejected, read })
}

/// Sorts records and writes them run by run: of each its 16 bytes, upper half first, and its numbers, as little-endian
/// words.
struct RunWriter<'a, W: Write> {
    out: W,
    path: &'a PathBuf,
    most: usize,
    extras: usize,
    records: Vec<u128>,
    numbers: Vec<u64>,
    runs: Vec<u64>,
}

impl<'a, W: Write> RunWriter<'a, W> {
    fn new(out: W, path: &'a PathBuf, extras: usize) -> Self {
        let most = RUN_BYTES / (16 + if extras == 0 { 0 } else { 4 + 8 * extras });
        Self { out, path, most, extras, records: Vec::new(), numbers: Vec::new(), runs: Vec::new() }
    }

    fn push(&mut self, record: u128, numbers: impl Iterator<Item = u64>) -> Result<(), DriverError> {
        self.records.push(record);
        self.numbers.extend(numbers);
        if self.records.len() >= self.most { self.end_run() } else { Ok(()) }
    }

    fn end_run(&mut self) -> Result<(), DriverError> {
        if self.records.is_empty() {
            return Ok(());
        }
        let failed = |error: &std::io::Error| io_error("write", self.path, error);
        let mut put = |record: u128, numbers: &[u64]| -> std::io::Result<()> {
            self.out.write_all(&((record >> 64) as u64).to_le_bytes())?;
            self.out.write_all(&(record as u64).to_le_bytes())?;
            numbers.iter().try_for_each(|number| self.out.write_all(&number.to_le_bytes()))
        };
        if self.extras == 0 {
            self.records.sort_unstable();
            self.records.iter().try_for_each(|record| put(*record, &[])).map_err(|error| failed(&error))?;
        } else {
            let mut order: Vec<u32> = (0..self.records.len() as u32).collect();
            order.sort_unstable_by_key(|at| self.records[*at as usize]);
            let written = order.iter().try_for_each(|at| {
                let at = *at as usize;
                put(self.records[at], &self.numbers[at * self.extras..(at + 1) * self.extras])
            });
            written.map_err(|error| failed(&error))?;
        }
        self.runs.push(self.records.len() as u64);
        self.records.clear();
        self.numbers.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u64>, DriverError> {
        self.end_run()?;
        self.out.flush().map_err(|error| io_error("write", self.path, &error))?;
        Ok(self.runs)
    }
}
