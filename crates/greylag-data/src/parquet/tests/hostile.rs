//! Files that lie. None may crash the test process with memory or time; panics of decoders are what the reader
//! process catches, so they count as refused here.

use super::*;
use crate::pool::guarded;
use arrow::array::{ArrayRef, Int64Array, StringArray};

fn victim() -> (Schema, Vec<u8>) {
    let schema = schema(&[("a", DataType::Int64), ("b", DataType::String)]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..100)),
        Arc::new(StringArray::from_iter_values((0..100).map(|row| format!("row {row}")))),
    ];
    let batch = RecordBatch::try_new(to_arrow_schema(&schema), arrays).unwrap();
    let bytes = write(&schema, &[batch]);
    (schema, bytes)
}

/// Opens and reads everything; a decoder's panic is a coded error as it is in a reader process.
fn read_all(bytes: &[u8]) -> Result<usize, DriverError> {
    guarded(|| {
        let file = open(bytes)?;
        let rows = read(&file, &file.schema()?)?.iter().map(RecordBatch::num_rows).sum();
        Ok(rows)
    })
    .unwrap_or_else(Err)
}

fn footer_start(bytes: &[u8]) -> usize {
    let tail = bytes.len() - 8;
    tail - u32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap()) as usize
}

#[test]
fn a_file_cut_off_anywhere_is_corrupt() {
    let (_, bytes) = victim();
    for length in 0..bytes.len() {
        let error = read_all(&bytes[..length]).unwrap_err();
        assert!([code::CORRUPT_PARQUET, code::HOSTILE_FILE].contains(&error.code), "{length}: {error:?}");
    }
}

#[test]
fn every_flipped_bit_of_the_footer_is_contained() {
    let (_, bytes) = victim();
    let mut refused = 0;
    for index in footer_start(&bytes)..bytes.len() {
        for bit in 0..8 {
            let mut bent = bytes.clone();
            bent[index] ^= 1 << bit;
            match read_all(&bent) {
                // Flips in statistics, names and other words that nothing depends on.
                Ok(rows) => assert_eq!(rows, 100, "byte {index} bit {bit}"),
                Err(error) => {
                    assert!((600..650).contains(&error.code.0), "byte {index} bit {bit}: {error:?}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn every_flipped_byte_of_the_data_is_contained() {
    let (_, bytes) = victim();
    for index in 0..footer_start(&bytes) {
        let mut bent = bytes.clone();
        bent[index] ^= 0xff;
        if let Err(error) = read_all(&bent) {
            assert!((600..650).contains(&error.code.0), "byte {index}: {error:?}");
        }
    }
}

#[test]
fn ten_bytes_that_claim_billions() {
    // A footer of 8 bytes: field 4 is a list of 2^32 - 1 structures.
    let mut bomb = b"PAR1".to_vec();
    bomb.extend([0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]);
    bomb.extend(8_u32.to_le_bytes());
    bomb.extend(b"PAR1");
    let error = read_all(&bomb).unwrap_err();
    assert_eq!(error.code, code::HOSTILE_FILE);
    assert_eq!(error.message, "`test` is not read: the footer claims more elements than it has bytes");
}

#[test]
fn a_footer_longer_than_the_file() {
    let mut lie = vec![b'x'; 100];
    lie.extend(4_000_000_000_u32.to_le_bytes());
    lie.extend(b"PAR1");
    let error = read_all(&lie).unwrap_err();
    assert_eq!(error.message, "`test` is corrupt: its footer of 4000000000 bytes is longer than the file");
}

#[test]
fn limits_hold() {
    let (_, bytes) = victim();
    let open = |limits: Limits| ParquetFile::from_source(Source::Memory(bytes.clone().into()), "test", &limits);
    let tight = [
        Limits { footer_bytes: 10, ..Limits::default() },
        Limits { columns: 1, ..Limits::default() },
        Limits { row_groups: 0, ..Limits::default() },
    ];
    for limits in tight {
        assert_eq!(open(limits).unwrap_err().code, code::HOSTILE_FILE, "{limits:?}");
    }
}

#[test]
fn a_decompression_bomb_is_refused_by_its_ratio() {
    // 160 MB of zeros, in one page of a few kilobytes.
    let schema = schema(&[("a", DataType::String)]);
    let zeros: ArrayRef = Arc::new(StringArray::from_iter_values((0..20).map(|_| "0".repeat(8 << 20))));
    let batch = RecordBatch::try_new(to_arrow_schema(&schema), vec![zeros]).unwrap();
    let bytes = write(&schema, &[batch]);
    let error = read_all(&bytes).unwrap_err();
    assert_eq!(error.code, code::HOSTILE_FILE, "{error}");
}

#[test]
fn encrypted_files_are_named_as_such() {
    let mut bytes = victim().1;
    let end = bytes.len();
    bytes[end - 1] = b'E';
    assert_eq!(read_all(&bytes).unwrap_err().code, code::UNSUPPORTED_FEATURE);
}
