//! Packs the pages of a file with Zstandard: what [`super::pages`] does, the other way round.
//!
//! The library makes a context to pack and one to unpack for every column that it writes. Each takes more than a megabyte
//! once it has packed a page, so a row group of a thousand columns, or of a few columns in each of many open files, takes
//! more memory than a reader has. And each asks the processor what it can do; in a virtual machine that question is
//! expensive, and for a small file costs more than packing does. So small and wide files are first encoded in memory without
//! packing; then the pages of each row group are packed with one context of the thread's and written. The file is the
//! same to the byte as the one that the library would have written at once, if its row groups are the same: their size is
//! measured before packing here.

use super::write::{ZSTD_LEVEL, zstd};
use bytes::Bytes;
use parquet::column::page::{CompressedPage, Page, PageReader as _, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::SchemaDescriptor;
use std::cell::RefCell;
use std::io::Write;
use std::sync::Arc;
use zstd::bulk::Compressor;

/// Writes packed row groups.
pub(super) struct Packer<W: Write + Send> {
    place: Place<W>,
    /// Row groups written.
    groups: usize,
    /// Bytes of the plain file that came before those that come next.
    passed: i64,
}

enum Place<W: Write + Send> {
    /// The first row group tells the schema.
    Waiting(W, Box<WriterProperties>),
    Open(Box<SerializedFileWriter<W>>),
    /// An error left it half-written.
    Broken,
}

impl<W: Write + Send> Packer<W> {
    /// Nothing is written before the first row group.
    pub(super) fn new(out: W, properties: WriterProperties) -> Self {
        Self { place: Place::Waiting(out, Box::new(properties)), groups: 0, passed: 0 }
    }

    /// Row groups written.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    fn open(&mut self, schema: &SchemaDescriptor) -> Result<&mut SerializedFileWriter<W>> {
        if let Place::Waiting(..) = self.place
            && let Place::Waiting(out, properties) = std::mem::replace(&mut self.place, Place::Broken)
        {
            let writer = SerializedFileWriter::new(out, schema.root_schema_ptr(), Arc::from(properties))?;
            self.place = Place::Open(Box::new(writer));
        }
        match &mut self.place {
            Place::Open(writer) => Ok(writer),
            _ => Err(ParquetError::General("the file is broken".to_owned())),
        }
    }

    /// Packs the row groups that came since the last call, of all of them so far. `plain` is what the plain file has grown
    /// by since then.
    pub(super) fn pack(&mut self, plain: Bytes, groups: &[RowGroupMetaData]) -> Result<()> {
        let (plain, passed) = (Arc::new(plain), self.passed);
        for group in groups.get(self.groups..).unwrap_or_default() {
            let mut target = self.open(group.schema_descr())?.next_row_group()?;
            for column in group.columns() {
                let rows = group.num_rows();
                let (bytes, metadata) = pack_column(&plain, passed, column, usize::try_from(rows)?)?;
                let close = ColumnCloseResult {
                    bytes_written: bytes.len() as u64,
                    rows_written: rows as u64,
                    metadata,
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                target.append_column(&bytes, close)?;
            }
            target.close()?;
            self.groups += 1;
        }
        self.passed += i64::try_from(plain.len())?;
        Ok(())
    }

    /// Ends the file with what the plain one's footer says beside its row groups.
    pub(super) fn finish(mut self, metadata: &ParquetMetaData) -> Result<W> {
        let file = metadata.file_metadata();
        let writer = self.open(file.schema_descr())?;
        for pair in file.key_value_metadata().into_iter().flatten() {
            writer.append_key_value_metadata(pair.clone());
        }
        match self.place {
            Place::Open(writer) => writer.into_inner(),
            _ => Err(ParquetError::General("the file is broken".to_owned())),
        }
    }
}

/// The pages of a column chunk, packed, and its metadata with offsets from its beginning. `plain` lacks what was `passed`.
fn pack_column(
    plain: &Arc<Bytes>,
    passed: i64,
    column: &ColumnChunkMetaData,
    rows: usize,
) -> Result<(Bytes, ColumnChunkMetaData)> {
    let here = column
        .clone()
        .into_builder()
        .set_data_page_offset(column.data_page_offset() - passed)
        .set_dictionary_page_offset(column.dictionary_page_offset().map(|offset| offset - passed))
        .build()?;
    let mut pages = SerializedPageReader::new(Arc::clone(plain), &here, rows, None)?;
    let mut packed = TrackedWrite::new(Vec::new());
    let (mut dictionary, mut data) = (None, None);
    let (mut packed_size, mut plain_size) = (0, 0);
    while let Some(page) = pages.get_next_page()? {
        let size = page.buffer().len();
        let is_data = page.is_data_page();
        let page = CompressedPage::new(packed_page(page)?, size);
        let written = SerializedPageWriter::new(&mut packed).write_page(page)?;
        let first = if is_data { &mut data } else { &mut dictionary };
        first.get_or_insert(i64::try_from(written.offset)?);
        packed_size += i64::try_from(written.compressed_size)?;
        plain_size += i64::try_from(written.uncompressed_size)?;
    }
    let metadata = column
        .clone()
        .into_builder()
        .set_compression(zstd())
        .set_total_compressed_size(packed_size)
        .set_total_uncompressed_size(plain_size)
        .set_dictionary_page_offset(dictionary)
        .set_data_page_offset(data.unwrap_or_default())
        .build()?;
    Ok((packed.into_inner()?.into(), metadata))
}

fn packed_page(page: Page) -> Result<Page> {
    Ok(match page {
        Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics } => {
            let buf = compress(&buf)?;
            Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics }
        }
        Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
            Page::DictionaryPage { buf: compress(&buf)?, num_values, encoding, is_sorted }
        }
        Page::DataPageV2 { .. } => {
            return Err(ParquetError::General("our files have pages of version 1 only".to_owned()));
        }
    })
}

thread_local! {
    static CONTEXT: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

fn compress(bytes: &[u8]) -> Result<Bytes> {
    CONTEXT.with_borrow_mut(|context| {
        let context = match context {
            Some(context) => context,
            none => none.insert(Compressor::new(ZSTD_LEVEL)?),
        };
        Ok(context.compress(bytes)?.into())
    })
}
