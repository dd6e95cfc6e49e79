//! Pages of column chunks, those packed with Zstandard unpacked here.
//!
//! The library makes a context to pack and one to unpack for every column chunk that it reads. For a small file that costs
//! more than all that it reads. So a thread has one context to unpack, for all chunks of all files: a chunk packed with
//! Zstandard is shown to the library as one that is not packed, and its pages are unpacked on their way.
//!
//! What a page claims to unpack to is held against what its whole chunk claims, which the footer's check has found
//! plausible ([`super::footer::Limits`]).

use super::source::Source;
use parquet::basic::Compression;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::serialized_reader::SerializedPageReader;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

/// Row groups of one file.
pub(super) struct RowGroups {
    pub(super) source: Arc<Source>,
    pub(super) metadata: Arc<ParquetMetaData>,
    pub(super) groups: Range<usize>,
}

impl parquet::arrow::arrow_reader::RowGroups for RowGroups {
    fn num_rows(&self) -> usize {
        self.row_groups().map(|group| usize::try_from(group.num_rows()).unwrap_or_default()).sum()
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>> {
        let (source, metadata) = (Arc::clone(&self.source), Arc::clone(&self.metadata));
        Ok(Box::new(Chunks { source, metadata, column, groups: self.groups.clone() }))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(self.groups.clone().map(|group| self.metadata.row_group(group)))
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

/// The chunks of one column.
struct Chunks {
    source: Arc<Source>,
    metadata: Arc<ParquetMetaData>,
    column: usize,
    groups: Range<usize>,
}

impl Chunks {
    fn open(&self, group: usize) -> Result<Box<dyn PageReader>> {
        let group = self.metadata.row_group(group);
        let chunk = group.column(self.column);
        let rows = usize::try_from(group.num_rows())?;
        let open = |chunk: &ColumnChunkMetaData| SerializedPageReader::new(Arc::clone(&self.source), chunk, rows, None);
        if !matches!(chunk.compression(), Compression::ZSTD(_)) {
            return Ok(Box::new(open(chunk)?));
        }
        let most = usize::try_from(chunk.uncompressed_size())?;
        let as_it_is = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        Ok(Box::new(Unpacked { packed: open(&as_it_is)?, most }))
    }
}

impl Iterator for Chunks {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        let group = self.groups.next()?;
        Some(self.open(group))
    }
}

impl PageIterator for Chunks {}

/// The pages of a chunk that is packed with Zstandard.
struct Unpacked {
    packed: SerializedPageReader<Source>,
    /// Bytes that the chunk unpacks to.
    most: usize,
}

impl Unpacked {
    fn unpack(&self, page: Page) -> Result<Page> {
        Ok(match page {
            Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics } => {
                let buf = unpack(&buf, 0, self.most)?.into();
                Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics }
            }
            Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
                Page::DictionaryPage { buf: unpack(&buf, 0, self.most)?.into(), num_values, encoding, is_sorted }
            }
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                num_nulls,
                num_rows,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                statistics,
            } => {
                // The levels lie before the values and are never packed.
                let levels = (def_levels_byte_len as usize).saturating_add(rep_levels_byte_len as usize);
                let buf = if is_compressed { unpack(&buf, levels, self.most)?.into() } else { buf };
                Page::DataPageV2 {
                    buf,
                    num_values,
                    encoding,
                    num_nulls,
                    num_rows,
                    def_levels_byte_len,
                    rep_levels_byte_len,
                    is_compressed: false,
                    statistics,
                }
            }
        })
    }
}

impl PageReader for Unpacked {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        self.packed.get_next_page()?.map(|page| self.unpack(page)).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.packed.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.packed.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.packed.at_record_boundary()
    }
}

impl Iterator for Unpacked {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

thread_local! {
    static CONTEXT: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The first `plain` bytes as they are, the rest unpacked.
fn unpack(bytes: &[u8], plain: usize, most: usize) -> Result<Vec<u8>> {
    let corrupt = |words: String| ParquetError::General(words);
    let Some((levels, packed)) = bytes.split_at_checked(plain) else {
        return Err(corrupt("a page is shorter than its levels".to_owned()));
    };
    let mut out = levels.to_vec();
    // A page of nulls alone has no values to pack.
    if packed.is_empty() {
        return Ok(out);
    }
    let claimed = match get_frame_content_size(packed) {
        Ok(Some(claimed)) => usize::try_from(claimed)?,
        // A writer that streams does not say.
        Ok(None) => most,
        Err(_) => return Err(corrupt("a page is not packed with Zstandard".to_owned())),
    };
    if claimed > most {
        return Err(corrupt(format!("a page claims to unpack to {claimed} bytes, its column to {most}")));
    }
    let values = CONTEXT.with_borrow_mut(|context| {
        let context = match context {
            Some(context) => context,
            none => none.insert(Decompressor::new()?),
        };
        context.decompress(packed, claimed)
    });
    let values = values.map_err(|error| corrupt(format!("a page cannot be unpacked: {error}")))?;
    if out.is_empty() {
        return Ok(values);
    }
    out.extend_from_slice(&values);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::unpack;

    #[test]
    fn levels_stay_and_values_unpack() {
        let packed = zstd::bulk::compress(&[7; 1000], 3).unwrap();
        let page = [&[1, 2, 3][..], &packed].concat();
        let out = unpack(&page, 3, 2000).unwrap();
        assert_eq!((&out[..3], out.len()), (&[1, 2, 3][..], 1003));
        assert_eq!(unpack(&[1, 2], 2, 2000).unwrap(), [1, 2], "a page of nulls");
    }

    #[test]
    fn a_page_does_not_get_more_room_than_its_column_has() {
        let packed = zstd::bulk::compress(&[7; 1000], 3).unwrap();
        let error = unpack(&packed, 0, 999).unwrap_err().to_string();
        assert!(error.contains("claims to unpack to 1000 bytes, its column to 999"), "{error}");
        assert!(unpack(&packed[..9], 0, 2000).is_err());
        assert!(unpack(b"not packed", 0, 2000).is_err());
        assert!(unpack(&packed, packed.len() + 1, 2000).is_err());
    }

    #[test]
    fn a_stream_without_a_size_unpacks_too() {
        let packed = zstd::stream::encode_all(&[7; 1000][..], 3).unwrap();
        assert_eq!(zstd::zstd_safe::get_frame_content_size(&packed).unwrap(), None);
        assert_eq!(unpack(&packed, 0, 4096).unwrap(), [7; 1000]);
    }
}
