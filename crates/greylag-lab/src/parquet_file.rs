//! Parquet files, the same bytes for the same rows on every machine.

use crate::arrays::array;
use crate::attribute::Column;
use crate::cell::Cell;
use crate::design::Writer;
use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, Field, Schema};
use greylag_model::dataset::Compression as Codec;
use greylag_model::types::DataType;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

/// Rows of one row group: small, so that large files have several.
const GROUP: usize = 20_000;

/// How Parquet spells a codec.
pub(crate) fn compression(codec: Codec) -> Compression {
    match codec {
        Codec::Uncompressed => Compression::UNCOMPRESSED,
        Codec::Snappy => Compression::SNAPPY,
        Codec::Lz4 => Compression::LZ4_RAW,
        Codec::Gzip => Compression::GZIP(GzipLevel::default()),
        Codec::Zstd => Compression::ZSTD(ZstdLevel::default()),
    }
}

/// The bytes of a file with these columns.
pub(crate) fn bytes(
    columns: &[(&Column, Vec<&Cell>)],
    rows: usize,
    codec: Codec,
    writer: Writer,
) -> Result<Vec<u8>, ParquetError> {
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays = Vec::with_capacity(columns.len());
    for (column, cells) in columns {
        let mut made = array(&column.data_type, cells)?;
        let other = match writer {
            Writer::Dictionary => ArrowType::Dictionary(Box::new(ArrowType::Int32), Box::new(ArrowType::Utf8)),
            Writer::Large => ArrowType::LargeUtf8,
            Writer::Arrow | Writer::Plain => ArrowType::Utf8,
        };
        if column.data_type == DataType::String && other != ArrowType::Utf8 {
            made = cast(&made, &other)?;
        }
        fields.push(Field::new(&column.name, made.data_type().clone(), true));
        arrays.push(made);
    }
    let schema = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder()
        .set_created_by("greylag lab".to_owned())
        .set_compression(compression(codec))
        .set_max_row_group_row_count(Some(GROUP))
        .build();
    let options =
        ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(writer == Writer::Plain);
    let mut out = ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(&schema), options)?;
    if rows > 0 {
        out.write(&RecordBatch::try_new(schema, arrays)?)?;
    }
    out.into_inner()
}
