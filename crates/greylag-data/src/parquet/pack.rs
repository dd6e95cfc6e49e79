//! Packs the pages of a small file with Zstandard: what [`super::pages`] does, the other way round.
//!
//! The library makes a context to pack and one to unpack for every column that it writes, each of which asks the processor
//! what it can do; in a virtual machine that question is expensive, and for a small file costs more than packing does. So a
//! small file is first encoded in memory without packing; then its pages are packed with one context of the thread's and
//! written. The file is the same to the byte as the one that the library would have written at once.

use super::write::{ZSTD_LEVEL, zstd};
use bytes::Bytes;
use parquet::column::page::{CompressedPage, Page, PageReader as _, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use std::cell::RefCell;
use std::io::Write;
use std::sync::Arc;
use zstd::bulk::Compressor;

/// Writes `plain`, an encoded file that is not packed and has this `metadata`, to `out`, packed.
pub(super) fn pack<W: Write + Send>(
    plain: Bytes,
    metadata: &ParquetMetaData,
    out: W,
    properties: WriterProperties,
) -> Result<W> {
    let plain = Arc::new(plain);
    let file = metadata.file_metadata();
    let keys = file.key_value_metadata().cloned();
    let properties = properties.into_builder().set_key_value_metadata(keys).build();
    let schema = file.schema_descr().root_schema_ptr();
    let mut writer = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    for group in metadata.row_groups() {
        let mut target = writer.next_row_group()?;
        for column in group.columns() {
            let rows = group.num_rows();
            let (bytes, metadata) = pack_column(&plain, column, usize::try_from(rows)?)?;
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
    }
    writer.into_inner()
}

/// The pages of a column chunk, packed, and its metadata with offsets from its beginning.
fn pack_column(plain: &Arc<Bytes>, column: &ColumnChunkMetaData, rows: usize) -> Result<(Bytes, ColumnChunkMetaData)> {
    let mut pages = SerializedPageReader::new(Arc::clone(plain), column, rows, None)?;
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
