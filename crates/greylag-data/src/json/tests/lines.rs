//! Blocks, lines and cuts.

use super::*;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use std::fmt::Write as _;

#[test]
fn pieces_hold_all_lines_once() {
    let mut text = "\u{feff}".to_owned();
    for row in 0..40_000 {
        let end = if row % 3 == 0 { "\r\n" } else { "\n" };
        let _ = write!(text, "{{\"id\":{row},\"text\":\"{}\\n\"}}{end}", "x".repeat(row % 37));
    }
    let schema = schema("id: int64; text: string");
    let file = JsonFile::open(on_disk(text.as_bytes()), "t").unwrap();
    for every in [1, 100_000, 700_001, 1 << 40] {
        let cuts = file.cuts(every).unwrap();
        assert_eq!(cuts.len() == 1, every == 1 << 40);
        if every == 1 {
            assert_eq!(cuts.len(), 40_000);
            continue;
        }
        let ends = cuts.iter().skip(1).map(|cut| cut.offset).chain([text.len() as u64]);
        let mut ids = Vec::new();
        for (cut, end) in cuts.iter().zip(ends) {
            assert_eq!(text[..cut.offset as usize].matches('\n').count() as u64 + 1, cut.line);
            let extent = Extent::Bytes { start: cut.offset, end, line: cut.line };
            for batch in file.read("t", &schema, &schema, &extent, 1000).unwrap() {
                let batch = batch.unwrap();
                assert!(batch.num_rows() <= 1000);
                ids.extend_from_slice(batch.column(0).as_primitive::<Int64Type>().values());
            }
        }
        assert_eq!(ids, (0..40_000).collect::<Vec<i64>>());
    }
}

#[test]
fn documents_are_told_from_lines_by_their_first_line() {
    let looks = |text: &str| crate::json::looks_like_lines(text.as_bytes(), true);
    for lines in ["{\"a\":1}\n{\"a\":2}\n", "\n \n{\"a\":1}", "\u{feff}{}\n", "", "\n"] {
        assert!(looks(lines), "{lines:?}");
    }
    for document in ["{\n  \"a\": 1\n}\n", "[{\"a\":1}]", "[\n", "1\n", "{\"a\":1", "{\"a\":1} x"] {
        assert!(!looks(document), "{document:?}");
    }
    // The line goes on behind what was read.
    assert!(crate::json::looks_like_lines(b"{\"a\":", false));
    assert!(!crate::json::looks_like_lines(b"{\n\"a\":", false));
}

#[test]
fn a_line_may_be_longer_than_a_block() {
    let long = "x".repeat(3 << 20);
    let text = format!("{{\"a\":\"{long}\"}}\n{{\"a\":\"y\"}}\n{{\"a\":\"{long}\"}}");
    let batch = read(text.as_bytes(), &schema("a: string")).unwrap();
    let lengths: Vec<usize> = batch.column(0).as_string::<i32>().iter().map(|text| text.unwrap().len()).collect();
    assert_eq!(lengths, [3 << 20, 1, 3 << 20]);
    let broken = format!("{{\"a\":\"{long}\"}}\n\n{{\"a\":\"{long}\"}}x");
    let at = 3 << 20;
    let error = read(broken.as_bytes(), &schema("a: string")).unwrap_err();
    assert_eq!(error.message, format!("`t.jsonl`, line 3, byte {}: this is not JSON: trailing characters", at + 9));
}
