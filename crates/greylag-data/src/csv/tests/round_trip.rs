//! What is written reads back as the same values.

use super::*;
use crate::csv::infer;
use arrow::array::{
    Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array, TimestampMicrosecondArray, UInt64Array,
};
use greylag_model::types::TimeUnit;
use proptest::prelude::*;
use std::fmt::Write as _;

fn dialects() -> impl Strategy<Value = CsvDialect> {
    (
        prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')],
        prop_oneof![Just('"'), Just('\'')],
        prop_oneof![Just(None), Just(Some('\\'))],
        any::<bool>(),
        prop_oneof![Just(""), Just("NULL"), Just("\u{2205}"), Just("\\N")],
        prop_oneof![Just("utf-8"), Just("utf-16le"), Just("utf-16be")],
        any::<bool>(),
        prop_oneof![Just(LineEnding::Lf), Just(LineEnding::Crlf)],
    )
        .prop_map(|(delimiter, quote, escape, header, null, encoding, byte_order_mark, line_ending)| CsvDialect {
            delimiter,
            quote,
            escape,
            header,
            null: null.to_owned(),
            encoding: encoding.to_owned(),
            byte_order_mark,
            line_ending,
        })
}

fn texts(columns: usize) -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    let text = prop_oneof![
        Just(None),
        Just(Some(String::new())),
        "[a,;|\t'\"\\\\\r\n é🦢\u{feff}]{0,6}".prop_map(Some),
        prop_oneof![Just("NULL"), Just("\u{2205}"), Just("\\"), Just("\\N"), Just("\\0"), Just("\\\\\""), Just("\r\n")]
            .prop_map(|text| Some(text.to_owned())),
        "[\\PC]{0,10}".prop_map(Some),
    ];
    proptest::collection::vec(proptest::collection::vec(text, columns), 0..20)
}

proptest! {
    #[test]
    fn text_survives_every_dialect(
        dialect in dialects(),
        (columns, rows) in (1..4_usize).prop_flat_map(|columns| (Just(columns), texts(columns))),
    ) {
        let names: Vec<_> = (0..columns).map(|column| format!("column{}", column + 1)).collect();
        let schema = schema(&names.iter().map(|name| (name.as_str(), DataType::String)).collect::<Vec<_>>());
        let column = |column: usize| -> ArrayRef {
            Arc::new(rows.iter().map(|row| row[column].clone()).collect::<StringArray>())
        };
        let batch = RecordBatch::try_new(to_arrow_schema(&schema), (0..columns).map(column).collect()).unwrap();
        let bytes = write(&batch, &dialect).unwrap();
        if !dialect.header && rows.is_empty() {
            // Without a header and rows there are no columns to find.
            return Ok(());
        }
        let back = read(&bytes, &dialect, &schema).unwrap();
        prop_assert_eq!(back, batch, "{:?}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn numbers_and_times_survive(
        ints in proptest::collection::vec(any::<Option<i64>>(), 1..20),
        bits in any::<u64>(),
        small in any::<u32>(),
        days in -800_000_i32..3_000_000,
        unscaled in -(10_i128.pow(38) - 1)..10_i128.pow(38),
    ) {
        let rows = ints.len();
        let float = f64::from_bits(bits);
        let single = f32::from_bits(small);
        let float = if float.is_nan() { f64::NAN } else { float };
        let single = if single.is_nan() { f32::NAN } else { single };
        let zone = Some("UTC".to_owned());
        let schema = schema(&[
            ("i", DataType::Int64),
            ("u", DataType::UInt64),
            ("f", DataType::Float64),
            ("s", DataType::Float32),
            ("d", DataType::Date),
            ("t", DataType::Timestamp { unit: TimeUnit::Us, zone: None }),
            ("z", DataType::Timestamp { unit: TimeUnit::Us, zone }),
            ("m", DataType::Decimal { precision: 38, scale: 10 }),
        ]);
        let instants: Vec<_> = ints.iter().map(|int| int.map(|int| int / 100)).collect();
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(ints.clone())),
            Arc::new(ints.iter().map(|int| int.map(|int| int as u64)).collect::<UInt64Array>()),
            Arc::new(Float64Array::from(vec![float; rows])),
            Arc::new(Float32Array::from(vec![single; rows])),
            Arc::new(Date32Array::from(vec![days; rows])),
            Arc::new(TimestampMicrosecondArray::from(instants.clone())),
            Arc::new(TimestampMicrosecondArray::from(instants).with_timezone("UTC")),
            Arc::new(Decimal128Array::from(vec![unscaled; rows]).with_precision_and_scale(38, 10).unwrap()),
        ];
        let batch = RecordBatch::try_new(to_arrow_schema(&schema), arrays).unwrap();
        let dialect = CsvDialect::default();
        let bytes = write(&batch, &dialect).unwrap();
        prop_assert_eq!(read(&bytes, &dialect, &schema).unwrap(), batch, "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn an_inferred_type_reads_every_value_it_was_inferred_from(values in proptest::collection::vec(
        prop_oneof![
            any::<i64>().prop_map(|int| int.to_string()),
            (-1000_i64..1000).prop_map(|int| int.to_string()),
            any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(|float| format!("{float:?}")),
            "[0-9]{1,3}\\.[0-9]{1,3}",
            "20[0-9]{2}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|\\+01:00)?)?",
            prop_oneof![Just("true"), Just("False"), Just("007"), Just("-0"), Just("1e5"), Just("NaN"), Just("+1")]
                .prop_map(str::to_owned),
        ], 1..4)) {
        let mut column = infer::Column::default();
        for value in &values {
            column.see(value.as_bytes());
        }
        let schema = schema(&[("a", column.data_type())]);
        let bytes = format!("a\n{}\n", values.join("\n"));
        let batch = read(bytes.as_bytes(), &CsvDialect::default(), &schema).unwrap();
        prop_assert_eq!(batch.num_rows(), values.len());
        prop_assert_eq!(batch.column(0).null_count(), 0);
        // And what is written of it has the same type again.
        let again = write(&batch, &CsvDialect::default()).unwrap();
        let mut second = infer::Column::default();
        for value in String::from_utf8(again).unwrap().lines().skip(1) {
            second.see(value.as_bytes());
        }
        prop_assert_eq!(second.data_type(), column.data_type());
    }
}

#[test]
fn what_is_written_is_minimal() {
    let schema = schema(&[("i\"d", DataType::Int64), ("t", DataType::String), ("f", DataType::Float64)]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(-1), None, Some(3), Some(4)])),
        Arc::new(StringArray::from(vec![Some("plain text"), Some(""), None, Some("a,b\n\"")])),
        Arc::new(Float64Array::from(vec![1.0, 0.1, 1e300, f64::NAN])),
    ];
    let batch = RecordBatch::try_new(to_arrow_schema(&schema), arrays).unwrap();
    insta::assert_snapshot!(String::from_utf8(write(&batch, &CsvDialect::default()).unwrap()).unwrap(), @r#"
    "i""d",t,f
    -1,plain text,1.0
    ,"",0.1
    3,,1e300
    4,"a,b
    """,NaN
    "#);
}

#[test]
fn a_first_field_that_looks_like_a_byte_order_mark_stays_a_field() {
    let schema = schema(&[("column1", DataType::String)]);
    for (encoding, text) in [
        ("utf-8", "\u{feff}"),
        ("utf-16le", "\u{feff}x"),
        ("utf-16be", "\u{feff}"),
        ("utf-16le", "\u{bbef}\u{30bf}"),
        ("latin-1", "\u{ff}\u{fe}"),
        ("latin-1", "\u{ef}\u{bb}\u{bf}"),
    ] {
        let dialect = CsvDialect { encoding: encoding.to_owned(), header: false, ..CsvDialect::default() };
        let array: ArrayRef = Arc::new(StringArray::from(vec![text]));
        let batch = RecordBatch::try_new(to_arrow_schema(&schema), vec![array]).unwrap();
        assert_eq!(read(&write(&batch, &dialect).unwrap(), &dialect, &schema).unwrap(), batch, "{encoding} {text:?}");
    }
}

#[test]
fn types_are_inferred_exactly() {
    let infer = |values: &[&str]| {
        let mut column = infer::Column::default();
        for value in values {
            column.see(value.as_bytes());
        }
        column.data_type().to_string()
    };
    let cases: &[(&[&str], &str)] = &[
        (&["1", "-2", "0"], "int64"),
        (&["1", "2.5"], "float64"),
        (&["007"], "string"),
        (&["+1"], "string"),
        (&["9223372036854775807"], "int64"),
        (&["9223372036854775808"], "string"),
        (&["9007199254740993", "0.5"], "string"),
        (&["0.1234567890123456789"], "string"),
        (&["1e400"], "string"),
        (&["1e5", "NaN", "-inf", ".5", "5."], "float64"),
        (&["2024-02-29"], "date"),
        (&["2024-02-30"], "string"),
        (&["2024-02-29", "2024-02-29 10:00:00"], "timestamp(us)"),
        (&["2024-02-29T10:00:00.123456789"], "timestamp(ns)"),
        (&["2024-02-29T10:00:00Z", "2024-02-29T10:00:00+02:00"], "timestamp(us, UTC)"),
        (&["2024-02-29T10:00:00Z", "2024-02-29T10:00:00"], "string"),
        (&["true", "FALSE"], "boolean"),
        (&["true", "1"], "string"),
        (&["2024", "2024-02-29"], "string"),
        (&[], "string"),
        (&["a"], "string"),
    ];
    for (values, expected) in cases {
        assert_eq!(infer(values), *expected, "{values:?}");
    }
}

#[test]
fn pieces_hold_all_records_once() {
    let mut text = "id,text\n".to_owned();
    for row in 0..20_000 {
        let _ = writeln!(text, "{row},\"line\n{}\"", "x".repeat(row % 37));
    }
    let schema = schema(&[("id", DataType::Int64), ("text", DataType::String)]);
    let file = CsvFile::open(on_disk(text.as_bytes()), "t", &CsvDialect::default()).unwrap();
    let cuts = file.cuts(50_000).unwrap();
    assert!(cuts.len() > 5, "{cuts:?}");
    let ends = cuts.iter().skip(1).map(|cut| cut.offset).chain([text.len() as u64]);
    let mut ids = Vec::new();
    for (cut, end) in cuts.iter().zip(ends) {
        assert_eq!(text[..cut.offset as usize].matches('\n').count() as u64 + 1, cut.line);
        let extent = Extent::Bytes { start: cut.offset, end, line: cut.line };
        for batch in file.read(&schema, &schema, &extent, 1000).unwrap() {
            let batch = batch.unwrap();
            ids.extend_from_slice(batch.column(0).as_primitive::<arrow::datatypes::Int64Type>().values());
        }
    }
    assert_eq!(ids, (0..20_000).collect::<Vec<i64>>());
}
