//! Writes Parquet files: fast, small enough, and the same bytes for the same batches.
//!
//! - **Dictionary only where it pays.** Interning costs more than anything else in the encoder. The first batch is
//!   sampled: from the number of values that occur twice in the sample the number of distinct values is estimated, and a
//!   column gets a dictionary if that is small against the rows of a row group.
//! - **Statistics** per column chunk only; no page indexes, no bloom filters.
//! - **Memory** is bounded by [`ParquetOptions::row_group_bytes`]: a row group is flushed when its encoded size reaches
//!   that, whatever its rows. Where the library's contexts for packing, one for each column, would take more than that, the
//!   row group is packed here with one context.
//! - **The Arrow schema** is embedded only for types that Parquet's own do not restore (zones other than UTC, seconds).
//! - Nothing of the time, the machine or the process goes into the file.

use super::failure::write_failure;
use super::pack::Packer;
use crate::reader::{BatchWriter, Counted, Written};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType as ArrowType, SchemaRef, TimeUnit};
use greylag_driver::error::DriverError;
use greylag_model::dataset::Compression;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use std::io::Write;
use std::sync::Arc;

/// Named in every file. Constant, so that files do not change with the release that wrote them.
pub const CREATED_BY: &str = "greylag version 1";

/// How to write.
#[derive(Clone, Copy, Debug)]
pub struct ParquetOptions {
    /// Codec.
    pub compression: Compression,
    /// A row group is ended at about this many encoded bytes.
    pub row_group_bytes: usize,
    /// A row group is ended at this many rows.
    pub row_group_rows: usize,
    /// Rows that are to come, where known: decides what pays.
    pub expected_rows: Option<u64>,
}

impl Default for ParquetOptions {
    fn default() -> Self {
        Self {
            compression: Compression::default(),
            row_group_bytes: 64 << 20,
            row_group_rows: 1 << 20,
            expected_rows: None,
        }
    }
}

/// Writes one file into `W`.
pub struct ParquetFileWriter<W: Write + Send> {
    name: String,
    options: ParquetOptions,
    schema: SchemaRef,
    state: State<W>,
    rows: u64,
}

enum State<W: Write + Send> {
    /// The first batch decides the encodings.
    Waiting(W),
    Open(Box<ArrowWriter<Counted<W>>>),
    /// Encoded in memory first, then packed (see [`super::pack`]).
    Packed(Box<Packed<W>>),
    /// An error left it half-written.
    Broken,
}

struct Packed<W: Write + Send> {
    encoder: ArrowWriter<Vec<u8>>,
    packer: Packer<Counted<W>>,
}

impl<W: Write + Send> Packed<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        self.encoder.write(batch)?;
        if self.packer.groups() < self.encoder.flushed_row_groups().len() {
            self.encoder.sync()?;
            let plain = std::mem::take(self.encoder.inner_mut());
            self.packer.pack(plain.into(), self.encoder.flushed_row_groups())?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Counted<W>, ParquetError> {
        let Self { mut encoder, mut packer } = self;
        let metadata = encoder.finish()?;
        packer.pack(std::mem::take(encoder.inner_mut()).into(), metadata.row_groups())?;
        packer.finish(&metadata)
    }
}

/// Most memory of the one batch of a small file.
const SMALL_BYTES: usize = 8 << 20;
/// Memory that Zstandard takes at this level to pack pages of a usual size and to unpack them, a little more than measured:
/// the library has one of each for every column.
const CONTEXT_BYTES: usize = 3 << 19;

impl<W: Write + Send> ParquetFileWriter<W> {
    /// A file of canonical batches of `schema`; `name` is for messages.
    pub fn new(out: W, name: &str, schema: SchemaRef, options: ParquetOptions) -> Self {
        Self { name: name.to_owned(), options, schema, state: State::Waiting(out), rows: 0 }
    }

    /// Begins the file, unless it has begun.
    fn open(&mut self, first: Option<&RecordBatch>) -> Result<(), DriverError> {
        let State::Waiting(_) = self.state else { return Ok(()) };
        let State::Waiting(out) = std::mem::replace(&mut self.state, State::Broken) else { return Ok(()) };
        let properties = properties(&self.options, first);
        let skip = !self.schema.fields().iter().any(|field| needs_arrow_schema(field.data_type()));
        let with = |properties| ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(skip);
        let schema = Arc::clone(&self.schema);
        let failed = |error| write_failure(&self.name, &error);
        self.state = if self.is_packed_here(first) {
            let plain = properties.clone().into_builder().set_compression(Codec::UNCOMPRESSED).build();
            let encoder = ArrowWriter::try_new_with_options(Vec::new(), schema, with(plain)).map_err(failed)?;
            State::Packed(Box::new(Packed { encoder, packer: Packer::new(Counted::new(out), properties) }))
        } else {
            let writer = ArrowWriter::try_new_with_options(Counted::new(out), schema, with(properties));
            State::Open(Box::new(writer.map_err(failed)?))
        };
        Ok(())
    }

    /// Whether the first batch is all there is, and little; or the library's contexts would take too much memory.
    fn is_packed_here(&self, first: Option<&RecordBatch>) -> bool {
        if self.options.compression != Compression::Zstd {
            return false;
        }
        let all = first.is_some_and(|batch| self.options.expected_rows == Some(batch.num_rows() as u64));
        let is_small = all && first.is_some_and(|batch| batch.get_array_memory_size() <= SMALL_BYTES);
        let columns = self.schema.flattened_fields().len();
        is_small || columns.saturating_mul(CONTEXT_BYTES) > self.options.row_group_bytes
    }

    fn broken(&self) -> DriverError {
        write_failure(&self.name, &ParquetError::General("the file is broken".to_owned()))
    }

    /// Appends a batch.
    pub fn append(&mut self, batch: &RecordBatch) -> Result<(), DriverError> {
        self.open(Some(batch))?;
        let written = match &mut self.state {
            State::Open(writer) => writer.write(batch),
            State::Packed(packed) => packed.write(batch),
            _ => return Err(self.broken()),
        };
        if let Err(error) = written {
            self.state = State::Broken;
            return Err(write_failure(&self.name, &error));
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the file and gives back what it was written to, flushed but not synced.
    pub fn finish_into(mut self) -> Result<(W, Written), DriverError> {
        self.open(None)?;
        let failed = |error| write_failure(&self.name, &error);
        let mut out = match std::mem::replace(&mut self.state, State::Broken) {
            State::Open(writer) => writer.into_inner().map_err(failed)?,
            State::Packed(packed) => packed.finish().map_err(failed)?,
            _ => return Err(self.broken()),
        };
        out.flush().map_err(|error| crate::io_error::io_error("write", std::path::Path::new(&self.name), &error))?;
        Ok((out.inner, Written { rows: self.rows, bytes: out.bytes }))
    }
}

impl<W: Write + Send> BatchWriter for ParquetFileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), DriverError> {
        self.append(batch)
    }

    fn bytes_written(&self) -> u64 {
        match &self.state {
            State::Open(writer) => (writer.bytes_written() + writer.in_progress_size()) as u64,
            State::Packed(packed) => (packed.encoder.bytes_written() + packed.encoder.in_progress_size()) as u64,
            _ => 0,
        }
    }

    fn finish(self: Box<Self>) -> Result<Written, DriverError> {
        self.finish_into().map(|(_, written)| written)
    }
}

/// Whether Parquet's own types lose something that the Arrow schema keeps.
fn needs_arrow_schema(data_type: &ArrowType) -> bool {
    match data_type {
        ArrowType::Timestamp(TimeUnit::Second, _) | ArrowType::Time32(TimeUnit::Second) => true,
        ArrowType::Timestamp(_, Some(zone)) => &**zone != "UTC",
        ArrowType::List(item) => needs_arrow_schema(item.data_type()),
        ArrowType::Struct(fields) => fields.iter().any(|field| needs_arrow_schema(field.data_type())),
        ArrowType::Map(entries, _) => needs_arrow_schema(entries.data_type()),
        _ => false,
    }
}

/// The codec of the library.
fn codec(compression: Compression) -> Codec {
    match compression {
        Compression::Uncompressed => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::Gzip => Codec::GZIP(GzipLevel::default()),
        Compression::Zstd => zstd(),
    }
}

/// Effort of Zstandard.
pub(super) const ZSTD_LEVEL: i32 = 3;

/// The codec that [`super::pack`] does itself.
pub(super) fn zstd() -> Codec {
    Codec::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default())
}

/// What all files of ours have in common.
pub(super) fn base_properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_column_index_truncate_length(Some(64))
        .set_statistics_truncate_length(Some(64))
}

fn properties(options: &ParquetOptions, first: Option<&RecordBatch>) -> WriterProperties {
    let mut builder = base_properties()
        .set_compression(codec(options.compression))
        .set_max_row_group_row_count(Some(options.row_group_rows.max(1)))
        .set_max_row_group_bytes(Some(options.row_group_bytes.max(1)))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(WRITE_ROWS);
    let Some(first) = first else { return builder.build() };
    let rows = first.num_rows() as u64;
    // A short first batch is most likely the only one.
    let expected = options.expected_rows.unwrap_or(if rows < 4096 { rows } else { u64::MAX });
    let expected = expected.min(options.row_group_rows as u64);
    for (field, array) in first.schema().fields().iter().zip(first.columns()) {
        if !field.data_type().is_nested() && !dictionary_pays(array, expected) {
            builder = builder.set_column_dictionary_enabled(ColumnPath::new(vec![field.name().clone()]), false);
        }
    }
    builder.build()
}

/// Most rows of a page, so that a page of a narrow column is worth a call of the codec.
const PAGE_ROWS: usize = 1 << 17;
/// Rows between two looks at the size of a page.
const WRITE_ROWS: usize = 4096;
/// Values looked at per column, at least and at most.
const SAMPLE: std::ops::RangeInclusive<u64> = 64..=1024;
/// Bytes of a dictionary beyond which the encoder gives it up.
const DICTIONARY_BYTES: u64 = 1 << 20;

/// Whether a dictionary saves more than it costs, for `rows` rows like those of `array`.
fn dictionary_pays(array: &ArrayRef, rows: u64) -> bool {
    let Some((distinct, width)) = estimate(array, rows) else { return true };
    distinct.saturating_mul(width) <= DICTIONARY_BYTES && distinct.saturating_mul(4) <= rows
}

/// Estimated number of distinct values and their average width, among `expected` rows like these. The birthday problem
/// turned round: `n` draws from `d` equally likely values agree in about `n²/2d` pairs. What is to be told is whether `d`
/// is below a quarter of the rows, so `n` is what then gives 32 pairs.
fn estimate(array: &ArrayRef, expected: u64) -> Option<(u64, u64)> {
    let rows = array.len();
    if rows < 16 || matches!(array.data_type(), ArrowType::Boolean) {
        return None;
    }
    let draws = expected.saturating_mul(16).isqrt().clamp(*SAMPLE.start(), *SAMPLE.end()) as usize;
    let step = rows.div_ceil(draws);
    let mut hashes = Vec::with_capacity(draws);
    let mut bytes = 0;
    let mut take = |value: &[u8]| {
        bytes += value.len() as u64;
        hashes.push(xxhash_rust::xxh3::xxh3_64(value));
    };
    if let Some(texts) = array.as_string_opt::<i32>() {
        (0..rows).step_by(step).filter(|row| texts.is_valid(*row)).for_each(|row| take(texts.value(row).as_bytes()));
    } else if let Some(binary) = array.as_binary_opt::<i32>() {
        (0..rows).step_by(step).filter(|row| binary.is_valid(*row)).for_each(|row| take(binary.value(row)));
    } else {
        let width = array.data_type().primitive_width()?;
        let data = array.to_data();
        let values = data.buffers().first()?.as_slice().get(data.offset() * width..)?;
        let rows = (0..rows).step_by(step).filter(|row| array.is_valid(*row));
        rows.filter_map(|row| values.get(row * width..(row + 1) * width)).for_each(take);
    }
    let drawn = hashes.len() as u64;
    hashes.sort_unstable();
    let equal_pairs: u64 = hashes.chunk_by(|left, right| left == right).map(|run| pairs(run.len() as u64)).sum();
    let distinct = pairs(drawn).checked_div(equal_pairs).unwrap_or(u64::MAX);
    Some((distinct.max(1), bytes.checked_div(drawn).unwrap_or(0).max(1)))
}

fn pairs(count: u64) -> u64 {
    count * count.saturating_sub(1) / 2
}
