//! What is wrong is named, with its line; what is odd but right is read.

use super::*;

fn plain(text: &str) -> String {
    show(text.as_bytes(), &CsvDialect::default())
}

#[test]
fn quotes_hold_delimiters_line_breaks_and_quotes() {
    insta::assert_snapshot!(plain("a,b\n\"x,y\",\"line\r\nbreak\"\n\"say \"\"hi\"\"\",\" spaced \"\nmid\"quote,'\n"), @r#"
    "x,y" "line\r\nbreak"
    "say \"hi\"" " spaced "
    "mid\"quote" "'"
    "#);
}

#[test]
fn an_empty_field_is_null_and_empty_quotes_are_an_empty_string() {
    insta::assert_snapshot!(plain("a,b\n,\"\"\n\"\",\n"), @r#"
    ∅ ""
    "" ∅
    "#);
    let dialect = CsvDialect { null: "NULL".to_owned(), ..CsvDialect::default() };
    insta::assert_snapshot!(show(b"a,b\nNULL,\"NULL\"\n,null\n", &dialect), @r#"
    ∅ "NULL"
    "" "null"
    "#);
}

#[test]
fn any_line_ending_and_none_at_the_end() {
    insta::assert_snapshot!(plain("a,b\r\n1,2\r\n\r\n3,4"), @r#"
    "1" "2"
    "3" "4"
    "#);
    insta::assert_snapshot!(plain("a,b\r1,2\r3,4\r"), @r#"
    "1" "2"
    "3" "4"
    "#);
    insta::assert_snapshot!(plain("a,b\n1,"), @r#""1" ∅"#);
    insta::assert_snapshot!(plain("a,b\n1,\"\""), @r#""1" """#);
}

#[test]
fn an_empty_line_is_a_record_only_of_one_column() {
    insta::assert_snapshot!(plain("a\nx\n\n\"\"\n"), @r#"
    "x"
    ∅
    ""
    "#);
}

#[test]
fn no_rows_and_nothing_at_all() {
    assert_eq!(plain("a,b\n"), "");
    assert_eq!(plain(""), "");
}

#[test]
fn ragged_lines_are_named() {
    insta::assert_snapshot!(plain("a,b\n1,2\n1,\"x\ny\"\n1,2,3\n"), @"GL0618 `t.csv`, line 5: 3 fields where there should be 2");
    insta::assert_snapshot!(plain("a,b\n1\n"), @"GL0618 `t.csv`, line 2: 1 fields where there should be 2");
    insta::assert_snapshot!(plain("a,b\n \n"), @"GL0618 `t.csv`, line 2: 1 fields where there should be 2");
}

#[test]
fn open_quotes_are_named_by_their_record() {
    insta::assert_snapshot!(plain("a,b\n1,2\n3,\"open\n4,5\n"), @"GL0619 `t.csv`, line 3: a quote is opened and never closed");
    insta::assert_snapshot!(plain("a,b\n1,\"x\"y\n"), @"GL0619 `t.csv`, line 2: text follows a closing quote");
    insta::assert_snapshot!(plain("a,b\n\"1\n\",\"x\ny\" \n"), @"GL0619 `t.csv`, line 3: text follows a closing quote");
}

#[test]
fn zero_bytes_are_named() {
    insta::assert_snapshot!(plain("a,b\n1,2\n3,\0\n"), @"GL0620 `t.csv`, line 3: a zero byte");
}

#[test]
fn malformed_text_is_named() {
    let mut bytes = b"a,b\n1,2\n\"x\n\xff\",2\n".to_vec();
    insta::assert_snapshot!(show(&bytes, &CsvDialect::default()), @"GL0621 `t.csv`, line 4: bytes that are not utf-8");
    bytes.truncate(bytes.len() - 5);
    bytes.extend("é".bytes().take(1));
    insta::assert_snapshot!(show(&bytes, &CsvDialect::default()), @"GL0621 `t.csv`, line 4: bytes that are not utf-8");
    // An unpaired surrogate.
    let units = [0xFEFF, u16::from(b'a'), u16::from(b'\n'), 0xD800, u16::from(b'\n')];
    let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    insta::assert_snapshot!(show(&bytes, &CsvDialect::default()), @"GL0621 `t.csv`, line 2: bytes that are not utf-16le");
}

#[test]
fn characters_on_the_seam_of_two_blocks_are_whole() {
    for shift in 0..4 {
        let mut text = format!("a,b\n{}1,", "x".repeat(shift));
        while text.len() < 3 << 20 {
            text.push_str("é🦢");
        }
        text.push_str("\n\"2\",\"");
        text.push_str(&"\"\"".repeat(1 << 20));
        text.push_str("\"\n");
        let rows = read_text(text.as_bytes(), &CsvDialect::default()).unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows[0][1].as_ref().unwrap().chars().all(|letter| "é🦢".contains(letter)));
        assert_eq!(rows[1][1].as_ref().unwrap().len(), 1 << 20);
    }
}

#[test]
fn values_that_do_not_fit_are_named() {
    let cases = [
        ("9223372036854775808", DataType::Int64),
        ("1.5", DataType::Int32),
        ("256", DataType::UInt8),
        ("-1", DataType::UInt64),
        ("yes", DataType::Boolean),
        ("2023-02-29", DataType::Date),
        ("1.005", DataType::Decimal { precision: 5, scale: 2 }),
        ("1000.00", DataType::Decimal { precision: 5, scale: 2 }),
        ("24:00:00", DataType::Time(greylag_model::types::TimeUnit::S)),
        ("x", DataType::Float64),
    ];
    for (text, data_type) in cases {
        let schema = schema(&[("a", data_type.clone())]);
        let error = read(format!("a\n\n{text}\n").as_bytes(), &CsvDialect::default(), &schema).unwrap_err();
        let words = format!("`t.csv`, line 3: the field of column `a` is not a value of type `{data_type}`");
        assert_eq!((error.code, error.message), (code::CSV_VALUE, words));
    }
}

#[test]
fn a_zone_needs_an_offset_and_no_zone_none() {
    use greylag_model::types::TimeUnit::Us;
    let instant =
        |zone: Option<&str>| schema(&[("a", DataType::Timestamp { unit: Us, zone: zone.map(str::to_owned) })]);
    let read = |text: &str, zone| {
        let batch = read(format!("a\n{text}\n").as_bytes(), &CsvDialect::default(), &instant(zone));
        batch.map(|batch| batch.column(0).as_primitive::<arrow::datatypes::TimestampMicrosecondType>().value(0)).ok()
    };
    assert_eq!(read("1970-01-01T01:00:00+01:00", Some("UTC")), Some(0));
    assert_eq!(read("1970-01-01 00:00:00.5", Some("UTC")), Some(500_000));
    assert_eq!(read("1969-12-31T23:59:59.999999Z", Some("Europe/Zurich")), Some(-1));
    assert_eq!(read("1970-01-01T00:00:00", Some("Europe/Zurich")), None);
    assert_eq!(read("1970-01-01T00:00:00Z", None), None);
    assert_eq!(read("1970-01-02", None), Some(86_400_000_000));
    assert_eq!(read("1970-01-01T00:00:00.0000001", None), None);
}

#[test]
fn a_header_that_repeats_a_name_is_refused_and_empty_names_are_numbered() {
    insta::assert_snapshot!(plain("a,a\n1,2\n"), @"GL0615 `t.csv`, line 1: the header names column `a` twice");
    let file = CsvFile::open(on_disk(b",\"x\ny\",\n1,2,3\n"), "t", &CsvDialect::default()).unwrap();
    assert_eq!(file.names, ["column1", "x\ny", "column3"]);
}

#[test]
fn bytes_and_nested_values_cannot_be_written() {
    let schema = schema(&[("a", DataType::Binary)]);
    let batch = RecordBatch::new_empty(to_arrow_schema(&schema));
    let error = write(&batch, &CsvDialect::default()).unwrap_err();
    assert_eq!(error.message, "column `a` cannot be written as CSV: delimited text has no form for bytes");
}

#[test]
fn what_an_encoding_lacks_cannot_be_written() {
    let schema = schema(&[("a", DataType::String)]);
    let batch = |text: &str| {
        let array: ArrayRef = Arc::new(StringArray::from(vec![text]));
        RecordBatch::try_new(to_arrow_schema(&schema), vec![array]).unwrap()
    };
    let latin = CsvDialect { encoding: "latin-1".to_owned(), ..CsvDialect::default() };
    assert_eq!(write(&batch("Zürich €"), &latin).unwrap(), b"a\nZ\xfcrich \x80\n");
    let error = write(&batch("Łódź"), &latin).unwrap_err();
    assert_eq!(error.message, "`t.csv`: the character U+0141 is not in latin-1");
    let error = write(&batch("\0"), &CsvDialect::default()).unwrap_err();
    assert_eq!(error.message, "`t.csv`: column `a`, row 1: a text value has a zero byte");
}
