//! What is written reads back as the same values, to the last bit.

use super::*;
use arrow::array::new_null_array;
use arrow::datatypes::DataType as ArrowType;
use proptest::prelude::*;
use std::sync::Arc;

use crate::any::{dice, hashes, types, values};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_type_survives(types in proptest::collection::vec(types(), 1..4), rows in 0..20_usize, seed in any::<u64>()) {
        let mut dice = dice(seed);
        let columns = types.iter().enumerate().map(|(index, data_type)| {
            Column { name: format!("c{index} \\\"\u{1}"), data_type: data_type.clone(), nullable: true }
        });
        let schema = Schema { columns: columns.collect() };
        let arrays = types.iter().map(|data_type| values(data_type, rows, &mut dice)).collect();
        let batch = batch(&schema, arrays);
        let bytes = write(&batch).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let read: Result<serde_json::Value, _> = serde_json::from_str(line);
            prop_assert!(read.is_ok(), "{}", line);
        }
        let back = read(&bytes, &schema).unwrap();
        prop_assert_eq!(hashes(&back), hashes(&batch), "{}", text);
        prop_assert_eq!(write(&back).unwrap(), bytes);
    }
}

#[test]
fn what_is_written() {
    let schema = schema(
        "id: int64; big: uint64; share: float64; price: decimal(9,2); day: date; at: timestamp(ms, UTC); t: time(us); \
         text: string; raw: binary; tags: list<string>; place: struct<x: float32, on: boolean>; counts: map<date, int8>",
    );
    let line = r#"{"id":-9223372036854775808,"big":18446744073709551615,"share":0.1,"price":"-0.07","day":"2024-02-29","at":"2024-02-29T10:00:00.500Z","t":"23:59:59.000001","text":"é\"\\\n","raw":"AP8=","tags":["a",null],"place":{"x":1.5,"on":true},"counts":{"2024-01-01":1}}"#;
    let nulls = r#"{"id":null,"big":null,"share":"NaN","price":null,"day":null,"at":null,"t":null,"text":null,"raw":null,"tags":[],"place":{"x":"-Infinity","on":null},"counts":{}}"#;
    let text = format!("{line}\n{nulls}\n");
    assert_eq!(show(text.as_bytes(), &schema), text);
    // Missing and null are one.
    let sparse = "{\"share\":\"NaN\",\"tags\":[],\"place\":{\"x\":\"-Infinity\"},\"counts\":{}}\n";
    assert_eq!(show(sparse.as_bytes(), &schema), format!("{nulls}\n"));
}

#[test]
fn numbers_never_pass_through_a_double() {
    let of =
        |data_type: &str, text: &str| show(format!("{{\"a\":{text}}}").as_bytes(), &schema(&format!("a: {data_type}")));
    assert_eq!(of("int64", "9007199254740993"), "{\"a\":9007199254740993}\n");
    assert_eq!(of("uint64", "18446744073709551615"), "{\"a\":18446744073709551615}\n");
    let digits = "-12345678901234567890123456789012345678";
    assert_eq!(of("decimal(38,0)", digits), format!("{{\"a\":\"{digits}\"}}\n"));
    assert_eq!(
        of("decimal(38,1)", "1234567890123456789012345678901234567.8"),
        "{\"a\":\"1234567890123456789012345678901234567.8\"}\n"
    );
    assert_eq!(of("float64", "-0.0"), "{\"a\":-0.0}\n");
    for (data_type, text) in [
        ("int64", "1.0"),
        ("int64", "1.9"),
        ("int64", "1e3"),
        ("int64", "9223372036854775808"),
        ("int8", "128"),
        ("uint8", "-1"),
        ("decimal(3,1)", "1.25"),
        ("float64", "1e400"),
        ("int64", "\"1\""),
        ("float64", "\"1\""),
        ("boolean", "1"),
        ("string", "1"),
        ("string", "true"),
        ("date", "20240229"),
        ("list<int8>", "1"),
        ("timestamp(us)", "\"2024-02-29T10:00:00Z\""),
        ("timestamp(s)", "\"2024-02-29T10:00:00.5\""),
    ] {
        assert!(of(data_type, text).starts_with("GL0632 `t.jsonl`, line 1, byte 6: "), "{data_type} {text}");
    }
}

#[test]
fn columns_can_be_left_out_and_reordered() {
    let all = schema("a: int64; b: string; c: boolean");
    let wanted = schema("c: boolean; a: int64");
    let batch = read_as(b"{\"b\":\"x\",\"a\":1,\"c\":true}\n{\"b\":null,\"c\":false}", &wanted, &all).unwrap();
    assert_eq!(String::from_utf8(write(&batch).unwrap()).unwrap(), "{\"c\":true,\"a\":1}\n{\"c\":false,\"a\":null}\n");
    let none = read_as(b"{}\n\n{\"a\":3}\n", &Schema::default(), &all).unwrap();
    assert_eq!(none.num_rows(), 2);
}

#[test]
fn no_rows_leave_a_blank_line() {
    let schema = schema("a: int64");
    let none = batch(&schema, vec![new_null_array(&ArrowType::Int64, 0)]);
    assert_eq!(write(&none).unwrap(), b"\n");
    assert_eq!(read(b"\n", &schema).unwrap().num_rows(), 0);
    let writer = JsonFileWriter::new(Vec::new(), "t", &none.schema(), false).unwrap();
    assert!(writer.finish_into().unwrap().0.is_empty());
}

#[test]
fn keys_that_have_no_text_and_keys_that_are_twice_are_refused() {
    let nested = schema("a: map<list<int8>, int8>");
    let refused = JsonFileWriter::new(Vec::new(), "t", &to_arrow_schema(&nested), true).err().unwrap();
    insta::assert_snapshot!(refused.message, @"column `a` cannot be written as JSON: a key of JSON is text, and this map's keys are nested");
    let twice = {
        use arrow::array::{Int32Builder, MapBuilder, StringBuilder};
        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for value in [1, 2] {
            maps.keys().append_value("k");
            maps.values().append_value(value);
        }
        maps.append(true).unwrap();
        maps.finish()
    };
    let of = schema("a: map<string, int32>");
    let array: ArrayRef = Arc::new(twice);
    let array =
        crate::arrow_types::canonical_array(&array, &crate::arrow_types::to_arrow(&of.columns[0].data_type)).unwrap();
    insta::assert_snapshot!(write(&batch(&of, vec![array])).unwrap_err().message, @"`t.jsonl`: row 1: a map has one key twice, which an object of JSON cannot");
}
