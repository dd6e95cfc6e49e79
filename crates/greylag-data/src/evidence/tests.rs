#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Accumulator, ColumnKey, RowHasher, State, hash_column, hash_value, row_hash};
use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType as ArrowType, Field, Int32Type, Schema as ArrowSchema};
use greylag_model::schema::{Column, Schema};
use greylag_model::types::{DataType, TimeUnit};
use greylag_model::value::Value;
use proptest::prelude::*;
use std::sync::Arc;

fn schema() -> Schema {
    let column = |name: &str, data_type| Column { name: name.to_owned(), data_type, nullable: true };
    Schema {
        columns: vec![
            column("id", DataType::Int64),
            column("name", DataType::String),
            column("price", DataType::Decimal { precision: 38, scale: 2 }),
            column("share", DataType::Float64),
            column("seen", DataType::Timestamp { unit: TimeUnit::Us, zone: Some("UTC".to_owned()) }),
            column("flag", DataType::Boolean),
        ],
    }
}

type Row = (Option<i64>, Option<String>, Option<i128>, Option<f64>, Option<i64>, Option<bool>);

fn batch(rows: &[Row]) -> RecordBatch {
    let price: Decimal128Array = rows.iter().map(|row| row.2).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.1.clone()).collect::<StringArray>()),
        Arc::new(price.with_precision_and_scale(38, 2).unwrap()),
        Arc::new(rows.iter().map(|row| row.3).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.4).collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        Arc::new(rows.iter().map(|row| row.5).collect::<BooleanArray>()),
    ];
    let names = ["id", "name", "price", "share", "seen", "flag"];
    RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap()
}

fn state(batches: &[RecordBatch]) -> State {
    let mut accumulator = Accumulator::new(&schema());
    for batch in batches {
        accumulator.update(batch).unwrap();
    }
    accumulator.finish()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let text = proptest::option::of("[a-cä]{0,3}");
    let float = proptest::option::of(proptest::num::f64::ANY);
    let row = (any::<Option<i64>>(), text, any::<Option<i128>>(), float, any::<Option<i64>>(), any::<Option<bool>>());
    proptest::collection::vec(row, 0..40)
}

proptest! {
    #[test]
    fn evidence_does_not_depend_on_order_or_batches(rows in rows(), cuts in proptest::collection::vec(0..40_usize, 0..4), seed in any::<u64>()) {
        let whole = state(&[batch(&rows)]);
        let mut shuffled = rows.clone();
        shuffled.sort_by_key(|row| hash_value(&row.1.clone().map_or(Value::Null, Value::String)) ^ seed);
        prop_assert_eq!(&state(&[batch(&shuffled)]), &whole);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).chain([0, rows.len()]).collect();
        cuts.sort_unstable();
        let parts: Vec<RecordBatch> = cuts.windows(2).map(|cut| batch(&rows[cut[0]..cut[1]])).collect();
        prop_assert_eq!(&state(&parts), &whole);
        // Merged in another order, through the text that travels between processes.
        let mut merged = State::empty(&schema());
        for part in parts.iter().rev() {
            let text = serde_json::to_string(&state(std::slice::from_ref(part))).unwrap();
            merged.merge(&serde_json::from_str(&text).unwrap());
        }
        prop_assert_eq!(merged.evidence(&schema()), whole.evidence(&schema()));
    }

    #[test]
    fn slices_hash_as_what_they_show(rows in rows(), from in 0..40_usize) {
        let from = from.min(rows.len());
        let sliced = batch(&rows).slice(from, rows.len() - from);
        prop_assert_eq!(state(&[sliced]), state(&[batch(&rows[from..])]));
    }

    #[test]
    fn values_hash_as_their_arrays(rows in rows()) {
        let names = schema().columns;
        let batch = batch(&rows);
        let mut expected = 0_u128;
        for (id, name, price, share, seen, flag) in rows {
            let values = [
                id.map_or(Value::Null, |value| Value::Int(value.into())),
                name.map_or(Value::Null, Value::String),
                price.map_or(Value::Null, |value| Value::Decimal(value, 2)),
                share.map_or(Value::Null, Value::Float64),
                seen.map_or(Value::Null, Value::Timestamp),
                flag.map_or(Value::Null, Value::Boolean),
            ];
            let row = names.iter().map(|column| ColumnKey::of(&column.name)).zip(&values);
            expected = expected.wrapping_add(row_hash(row));
        }
        prop_assert_eq!(state(&[batch]).hash.0, expected);
    }
}

fn row(id: i64, name: &str) -> Row {
    (Some(id), Some(name.to_owned()), Some(1), Some(1.0), Some(1), Some(true))
}

#[test]
fn duplicates_do_not_cancel() {
    let base = [row(1, "a"), row(2, "b")];
    let doubled = [row(1, "a"), row(2, "b"), row(3, "c"), row(3, "c")];
    assert_ne!(state(&[batch(&base)]).hash, state(&[batch(&doubled)]).hash);
    let swapped_pair = [row(1, "a"), row(1, "a"), row(2, "b")];
    let other_pair = [row(1, "a"), row(2, "b"), row(2, "b")];
    assert_ne!(state(&[batch(&swapped_pair)]).hash, state(&[batch(&other_pair)]).hash);
}

#[test]
fn values_that_change_places_between_rows_are_found() {
    let straight = state(&[batch(&[row(1, "a"), row(2, "b")])]);
    let crossed = state(&[batch(&[row(1, "b"), row(2, "a")])]);
    assert_ne!(straight.hash, crossed.hash);
    assert_eq!(straight.columns, crossed.columns, "only the hash can tell");
}

#[test]
fn contents_that_change_columns_are_found_but_not_their_order() {
    let one: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let two: ArrayRef = Arc::new(Int32Array::from(vec![3, 4]));
    let hash = |columns: [(&str, &ArrayRef); 2]| {
        let (mut rows, mut values) = (RowHasher::default(), Vec::new());
        rows.begin(2);
        for (name, array) in columns {
            hash_column(array, &mut values).unwrap();
            rows.add(ColumnKey::of(name), &values);
        }
        rows.finish()
    };
    assert_ne!(hash([("a", &one), ("b", &two)]), hash([("a", &two), ("b", &one)]));
    assert_eq!(hash([("a", &one), ("b", &two)]), hash([("b", &two), ("a", &one)]));
}

#[test]
fn one_value_has_one_hash_in_every_encoding() {
    let plain = StringArray::from(vec![Some("x"), None, Some(""), Some("a text that is longer than a view holds")]);
    let expected = hashes(&plain);
    assert_ne!(expected[1], expected[2], "null differs from empty");
    for to in [
        ArrowType::LargeUtf8,
        ArrowType::Utf8View,
        ArrowType::Binary,
        ArrowType::BinaryView,
        ArrowType::Dictionary(Box::new(ArrowType::Int8), Box::new(ArrowType::Utf8)),
    ] {
        assert_eq!(hashes(&cast(&plain, &to).unwrap()), expected, "{to}");
    }
    let narrow = Int32Array::from(vec![Some(-1), None, Some(i32::MAX)]);
    assert_eq!(hashes(&narrow), hashes(&cast(&narrow, &ArrowType::Int64).unwrap()));
    let garbage = Int32Array::new(vec![7, 8].into(), Some(NullBuffer::from(vec![true, false])));
    assert_eq!(hashes(&garbage), hashes(&Int32Array::from(vec![Some(7), None])));
}

#[test]
fn floats_are_canonical() {
    let quiet = f64::from_bits(0xfff8_0000_0000_0001);
    let hashes = hashes(&Float64Array::from(vec![f64::NAN, quiet, 0.0, -0.0]));
    assert_eq!(hashes[0], hashes[1]);
    assert_ne!(hashes[2], hashes[3]);
}

#[test]
fn nested_values_are_told_apart() {
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
        Some(vec![Some(1), Some(2)]),
        Some(vec![Some(2), Some(1)]),
        Some(vec![]),
        None,
        Some(vec![None]),
        Some(vec![Some(1)]),
        Some(vec![Some(2)]),
    ]);
    let all = hashes(&lists);
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 7);
    assert_eq!(hashes(&lists.slice(1, 3)), all[1..4]);
    assert_eq!(all[1], hash_value(&Value::List(vec![Value::Int(2), Value::Int(1)])));

    let fields =
        vec![Arc::new(Field::new("a", ArrowType::Int32, true)), Arc::new(Field::new("b", ArrowType::Utf8, true))];
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![Some(1), None])), Arc::new(StringArray::from(vec![Some("x"), Some("y")]))];
    let structs = StructArray::new(fields.into(), columns, Some(NullBuffer::from(vec![true, false])));
    let expected = [Value::Struct(vec![Value::Int(1), Value::String("x".to_owned())]), Value::Null];
    assert_eq!(hashes(&structs), expected.map(|value| hash_value(&value)));

    let entries = StructArray::from(vec![
        (Arc::new(Field::new("key", ArrowType::Utf8, false)), Arc::new(StringArray::from(vec!["k", "l"])) as ArrayRef),
        (
            Arc::new(Field::new("value", ArrowType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(1), None])) as ArrayRef,
        ),
    ]);
    let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    let maps = MapArray::new(field, OffsetBuffer::new(vec![0, 0, 2].into()), entries, None, false);
    let pair = |key: &str, value| (Value::String(key.to_owned()), value);
    let expected = [Value::Map(vec![]), Value::Map(vec![pair("k", Value::Int(1)), pair("l", Value::Null)])];
    assert_eq!(hashes(&maps), expected.map(|value| hash_value(&value)));
}

#[test]
fn figures_are_texts_of_the_type_and_lengths_for_text() {
    let rows = [
        (Some(i64::MIN), Some("ä".to_owned()), Some(i128::MAX), Some(f64::NAN), Some(0), Some(true)),
        (Some(7), Some(String::new()), Some(i128::MAX), Some(-0.5), None, None),
        (None, None, Some(-5), Some(f64::INFINITY), Some(1), Some(true)),
    ];
    let evidence = state(&[batch(&rows)]).evidence(&schema());
    let lines: Vec<String> = evidence
        .columns
        .iter()
        .map(|column| {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!(
                "{} {} {} {} {}",
                column.name,
                column.nulls,
                text(&column.min),
                text(&column.max),
                text(&column.sum)
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    id 1 -9223372036854775808 7 -9223372036854775801
    name 1 0 2 2
    price 0 -0.05 1701411834604692317316873037158841057.27 3402823669209384634633746074317682114.49
    share 0 -0.5 Infinity -0.5
    seen 1 1970-01-01T00:00:00.000000Z 1970-01-01T00:00:00.000001Z -
    flag 1 - - 2
    ");
}

#[test]
fn no_rows_still_have_sums() {
    let none = state(&[]).evidence(&schema());
    assert_eq!(none, state(&[batch(&[])]).evidence(&schema()));
    assert_eq!((none.rows, none.hash.as_str()), (0, "00000000000000000000000000000000"));
    assert_eq!(none.columns[0].sum.as_deref(), Some("0"));
    let widths = RecordBatch::new_empty(Arc::new(ArrowSchema::empty()));
    assert!(Accumulator::new(&schema()).update(&widths).is_err());
}

#[test]
fn permuted_batches_are_equal_and_one_changed_value_is_not() {
    let whole = batch(&(0..100).map(|id| row(id, "n")).collect::<Vec<_>>());
    let order = UInt32Array::from((0..100).map(|at| (at * 37) % 100).collect::<Vec<u32>>());
    let permuted = take_record_batch(&whole, &order).unwrap();
    assert_eq!(state(&[permuted]), state(std::slice::from_ref(&whole)));
    let mut changed: Vec<Row> = (0..100).map(|id| row(id, "n")).collect();
    changed[50].3 = Some(f64::from_bits(1.0_f64.to_bits() + 1));
    assert_ne!(state(&[batch(&changed)]).hash, state(std::slice::from_ref(&whole)).hash);
    let twice = concat_batches(&whole.schema(), [&whole, &whole]).unwrap();
    assert_ne!(state(&[twice]).hash, state(&[whole]).hash);
}

fn hashes(array: &dyn Array) -> Vec<u64> {
    let mut out = Vec::new();
    hash_column(array, &mut out).unwrap();
    out
}
