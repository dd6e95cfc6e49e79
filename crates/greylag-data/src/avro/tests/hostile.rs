//! Files that are cut off, changed or made to harm end in an error: never in another dataset, a panic or a loop.

use super::*;
use crate::any::{dice, hashes, values};
use crate::avro::encode::{bytes as put_bytes, long};

const COLUMNS: &str = "a: int64; b: string; c: list<decimal(9,2)>; d: struct<x: boolean, y: map<string, time(us)>>";

fn sample() -> RecordBatch {
    let schema = schema(COLUMNS);
    let mut dice = dice(11);
    batch(&schema, schema.columns.iter().map(|column| values(&column.data_type, 40, &mut dice)).collect())
}

#[test]
fn every_cut_is_noticed() {
    let batch = sample();
    for codec in CODECS {
        let whole = write(&batch, codec).unwrap();
        let header = {
            let writer = AvroFileWriter::new(Vec::new(), "t", &batch.schema(), codec, true).unwrap();
            writer.finish_into().unwrap().0.len()
        };
        for length in 0..whole.len() {
            let read = read(&whole[..length], &schema(COLUMNS));
            // The header alone is a file without rows.
            assert_eq!(read.is_ok(), length == header, "{codec} {length}");
        }
    }
}

#[test]
fn a_changed_byte_is_noticed_or_changes_a_value() {
    let batch = sample();
    let expected = hashes(&batch);
    for codec in CODECS {
        let whole = write(&batch, codec).unwrap();
        let mut noticed = 0;
        for at in 0..whole.len() {
            for bit in [0, 3, 7] {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                match read(&changed, &schema(COLUMNS)) {
                    Err(error) => {
                        assert!(!error.message.is_empty());
                        noticed += 1;
                    }
                    // Never fewer or more rows in silence.
                    Ok(read) => assert!(read.num_rows() == 40 || hashes(&read) != expected, "{codec} {at}"),
                }
            }
        }
        assert!(noticed > whole.len(), "{codec}: {noticed} of {}", whole.len() * 3);
    }
}

/// A file of one block, made by hand.
fn file(schema: &str, codec: &str, rows: i64, block: &[u8]) -> Vec<u8> {
    let mut out = b"Obj\x01".to_vec();
    long(&mut out, 2);
    put_bytes(&mut out, b"avro.schema");
    put_bytes(&mut out, schema.as_bytes());
    put_bytes(&mut out, b"avro.codec");
    put_bytes(&mut out, codec.as_bytes());
    long(&mut out, 0);
    out.extend_from_slice(&[9; 16]);
    long(&mut out, rows);
    put_bytes(&mut out, block);
    out.extend_from_slice(&[9; 16]);
    out
}

fn of(field: &str) -> String {
    format!(r#"{{"type":"record","name":"r","fields":[{{"name":"a","type":{field}}}]}}"#)
}

fn wrong(bytes: &[u8], columns: &str) -> String {
    match read(bytes, &schema(columns)) {
        Ok(batch) => format!("{} rows", batch.num_rows()),
        Err(error) => format!("{} {}", error.code, error.message),
    }
}

#[test]
fn claims() {
    let longs = |values: &[i64]| {
        let mut out = Vec::new();
        for value in values {
            long(&mut out, *value);
        }
        out
    };
    let int = of("\"int\"");
    let start = file(&int, "null", 1, &[2]).len() - 16 - 3;
    let block = |words: &str| format!("GL0636 `t.avro`: the block at byte {start} is damaged: {words}");
    assert_eq!(wrong(&file(&int, "null", 1, &[2]), "a: int32"), "1 rows");
    assert_eq!(wrong(&file(&int, "null", 1, &[2, 4]), "a: int32"), block("it has bytes behind its last row"));
    assert_eq!(
        wrong(&file(&int, "null", 2, &[0x82, 1]), "a: int32"),
        block("a value is cut off").replace("a value", "a number")
    );
    assert_eq!(wrong(&file(&int, "null", -1, &[2]), "a: int32"), block("a count is negative"));
    assert!(wrong(&file(&int, "null", i64::MAX, &[2]), "a: int32").starts_with("GL0617 "));
    assert_eq!(wrong(&file(&int, "null", 1, &longs(&[1 << 40])), "a: int32"), block("an `int` has more than 32 bits"));
    assert_eq!(
        wrong(&file(&of("\"long\""), "null", 1, &[0xFF; 11]), "a: int64").split(": ").last(),
        Some("a number has more than 64 bits")
    );
    assert!(
        wrong(&file(&of("\"null\""), "null", 1 << 40, &[]), "a: string")
            .ends_with("it claims more rows than it has bytes")
    );
    let list = of(r#"{"type":"array","items":"null"}"#);
    assert!(wrong(&file(&list, "null", 1, &longs(&[1 << 60, 0])), "a: list<string>").starts_with("GL0617 "));
    assert!(wrong(&file(&list, "null", 1, &longs(&[i64::MIN, 0, 0])), "a: list<string>").starts_with("GL0617 "));
    let text = of("\"string\"");
    assert!(wrong(&file(&text, "null", 1, &longs(&[1 << 60])), "a: string").ends_with("a value is cut off"));
    assert!(wrong(&file(&text, "null", 1, &longs(&[-1])), "a: string").ends_with("a length is negative"));
    assert!(wrong(&file(&text, "null", 1, &[2, 0xFF]), "a: string").ends_with("a string is not UTF-8"));
    assert!(
        wrong(&file(&of(r#"["null","int"]"#), "null", 1, &[4]), "a: int32").ends_with("a union has no such branch")
    );
    assert!(
        wrong(&file(&of(r#"{"type":"enum","name":"e","symbols":["A"]}"#), "null", 1, &[2]), "a: string")
            .ends_with("an enum has no such symbol")
    );
    assert!(
        wrong(&file(&of("\"boolean\""), "null", 1, &[2]), "a: boolean")
            .ends_with("a boolean is neither true nor false")
    );
    let decimal = of(r#"{"type":"bytes","logicalType":"decimal","precision":3,"scale":1}"#);
    assert!(
        wrong(&file(&decimal, "null", 1, &[4, 3, 0xE8]), "a: decimal(3,1)")
            .ends_with("a decimal has more digits than its type")
    );
    assert_eq!(wrong(&file(&decimal, "null", 1, &[4, 3, 0xE7]), "a: decimal(3,1)"), "1 rows");
    let time = of(r#"{"type":"int","logicalType":"time-millis"}"#);
    assert!(wrong(&file(&time, "null", 1, &longs(&[86_400_000])), "a: time(ms)").ends_with("a time of day is none"));
    // A block that is no longer than it says, and a marker that is another.
    let mut other = file(&int, "null", 1, &[2]);
    *other.last_mut().unwrap() = 8;
    assert_eq!(wrong(&other, "a: int32"), block("it does not end with the file's sync marker"));
    assert!(wrong(b"Obj\x01", "a: int32").starts_with("GL0636 `t.avro`: its header is damaged"));
    assert!(wrong(b"PAR1PAR1", "a: int32").ends_with("it does not begin as an Avro file does"));
    assert!(wrong(&file("{", "null", 0, &[]), "a: int32").contains("its schema is not JSON"));
    assert_eq!(wrong(&file(&int, "bzip2", 1, &[2]), "a: int32"), "GL0629 `t.avro` is packed with `bzip2`");
}

#[test]
fn blocks_that_unpack_to_too_much() {
    let zeros = vec![0_u8; 140 << 20];
    let int = of("\"int\"");
    for codec in [Compression::Gzip, Compression::Zstd, Compression::Snappy] {
        let codec = super::super::codec::Codec::of(codec);
        let packed = codec.pack(&zeros).unwrap();
        let said = wrong(&file(&int, codec.name(), 1, &packed), "a: int32");
        assert!(said.starts_with("GL0617 ") && said.ends_with("a block unpacks to more than 128 MiB"), "{said}");
    }
    // Snappy tells a length beforehand.
    let mut claim = vec![0xFF, 0xFF, 0xFF, 0x3F];
    claim.extend_from_slice(&[0; 8]);
    assert!(wrong(&file(&int, "snappy", 1, &claim), "a: int32").starts_with("GL0617 "));
    assert!(wrong(&file(&int, "snappy", 1, &[1, 2]), "a: int32").ends_with("a block has no checksum"));
    assert!(wrong(&file(&int, "deflate", 1, &[0xFF, 2]), "a: int32").contains("a block does not unpack"));
}
