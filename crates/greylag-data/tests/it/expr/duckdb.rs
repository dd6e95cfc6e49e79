//! DuckDB as the third opinion: one Python process for a whole suite, batches in and out as Parquet.
//!
//! Days and times travel as plain integers, so that what is compared is the expression and not the file format.

#![expect(clippy::disallowed_methods, reason = "tests that start Python, which the environment names")]

use crate::files::python;
use arrow::array::types::{ArrowPrimitiveType, Int64Type};
use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema as ArrowSchema};
use greylag_data::arrow_types::{canonical_array, to_arrow};
use greylag_data::expr::{array_of, value_at};
use greylag_model::schema::Column;
use greylag_model::types::{DataType, TimeUnit};
use greylag_model::value::Value;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// A query over rows of columns, and what it must give.
pub(super) struct Question {
    pub(super) what: String,
    pub(super) sql: String,
    pub(super) columns: Vec<Column>,
    /// Rows, each a value per column.
    pub(super) rows: Vec<Vec<Value>>,
    pub(super) data_type: DataType,
    /// The values, or that the query fails.
    pub(super) answer: Option<Vec<Value>>,
}

/// Whether a type travels as an integer.
fn as_integer(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date | DataType::Time(_) | DataType::Timestamp { .. })
}

/// An integer column as the type, in DuckDB.
fn input(name: &str, data_type: &DataType) -> String {
    let micros = |unit: TimeUnit| format!("make_timestamp({name} * {})", 1_000_000 / unit.per_second().min(1_000_000));
    match data_type {
        DataType::Date => format!("(DATE '1970-01-01' + CAST({name} AS INTEGER))"),
        DataType::Time(TimeUnit::Ns) => format!("CAST(make_timestamp_ns({name}) AS TIME_NS)"),
        DataType::Time(unit) => format!("CAST({} AS TIME)", micros(*unit)),
        DataType::Timestamp { unit: TimeUnit::Ns, zone: None } => format!("make_timestamp_ns({name})"),
        DataType::Timestamp { unit: TimeUnit::Ns, .. } => format!("(make_timestamp_ns({name}) AT TIME ZONE 'UTC')"),
        DataType::Timestamp { unit, zone: Some(_) } => format!("({} AT TIME ZONE 'UTC')", micros(*unit)),
        DataType::Timestamp { unit: TimeUnit::S, .. } => format!("CAST({} AS TIMESTAMP_S)", micros(TimeUnit::S)),
        DataType::Timestamp { unit: TimeUnit::Ms, .. } => format!("CAST({} AS TIMESTAMP_MS)", micros(TimeUnit::Ms)),
        DataType::Timestamp { .. } => format!("make_timestamp({name})"),
        _ => name.to_owned(),
    }
}

/// The type as an integer, in DuckDB: of what the type counts, but never coarser than microseconds.
fn output(sql: &str, data_type: &DataType) -> String {
    match data_type {
        DataType::Date => format!("date_diff('day', DATE '1970-01-01', {sql})"),
        DataType::Time(TimeUnit::Ns) | DataType::Timestamp { unit: TimeUnit::Ns, .. } => format!("epoch_ns({sql})"),
        DataType::Time(_) | DataType::Timestamp { .. } => format!("epoch_us({sql})"),
        _ => sql.to_owned(),
    }
}

fn raw(value: &Value) -> Value {
    match value {
        Value::Date(days) => Value::Int(i128::from(*days)),
        Value::Time(units) | Value::Timestamp(units) => Value::Int(i128::from(*units)),
        other => other.clone(),
    }
}

fn write(path: &Path, columns: &[Column], rows: &[Vec<Value>]) {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let values: Vec<Value> = rows.iter().map(|row| raw(&row[at])).collect();
        let stored = if as_integer(&column.data_type) { DataType::Int64 } else { column.data_type.clone() };
        fields.push(Field::new(&column.name, to_arrow(&stored), true));
        arrays.push(array_of(&values, &stored));
    }
    // A file has at least one column.
    fields.push(Field::new("row", Int64Type::DATA_TYPE, false));
    arrays.push(Arc::new(Int64Array::from_iter_values(0..rows.len() as i64)));
    let schema = Arc::new(ArrowSchema::new(fields));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn read(path: &Path, data_type: &DataType) -> Vec<Value> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let mut values = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let stored = if as_integer(data_type) { DataType::Int64 } else { data_type.clone() };
        let array = canonical_array(batch.column(0), &to_arrow(&stored)).unwrap();
        values.extend((0..array.len()).map(|at| back(&array, &stored, data_type, at)));
    }
    values
}

fn back(array: &ArrayRef, stored: &DataType, data_type: &DataType, at: usize) -> Value {
    let value = value_at(array, stored, at);
    let Value::Int(number) = value else { return value };
    let units = |unit: TimeUnit| {
        let by = i128::from(1_000_000 / unit.per_second().min(1_000_000));
        assert_eq!(number % by, 0, "DuckDB gave a fraction of the type's unit");
        (number / by) as i64
    };
    match data_type {
        DataType::Date => Value::Date(number as i32),
        DataType::Time(unit) => Value::Time(units(*unit)),
        DataType::Timestamp { unit, .. } => Value::Timestamp(units(*unit)),
        _ => value,
    }
}

/// Asks all questions in one process; gives what is not as it must be.
pub(super) fn ask(questions: &[Question]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for (id, question) in questions.iter().enumerate() {
        let source = folder.path().join(format!("{id}.in"));
        write(&source, &question.columns, &question.rows);
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let columns: Vec<String> = question
            .columns
            .iter()
            .map(|column| format!("{} AS {}", input(&quoted(&column.name), &column.data_type), quoted(&column.name)))
            .chain(["row".to_owned()])
            .collect();
        let sql = format!(
            "COPY (SELECT {} AS result FROM (SELECT {} FROM read_parquet('{}')) ORDER BY row) TO '{}' (FORMAT parquet)",
            output(&question.sql, &question.data_type),
            columns.join(", "),
            source.display(),
            folder.path().join(format!("{id}.out")).display(),
        );
        writeln!(lines, "{}", serde_json::json!({"id": id, "sql": sql})).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/expr/answer.py");
    let command = Command::new(python()).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = command.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let answered = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    let text = String::from_utf8(answered.stdout).unwrap();
    assert_eq!(text.lines().count(), questions.len(), "DuckDB did not answer every question");
    let mut wrong = Vec::new();
    for (question, line) in questions.iter().zip(text.lines()) {
        let answer: serde_json::Value = serde_json::from_str(line).unwrap();
        let error = answer["error"].as_str();
        let result = || read(&folder.path().join(format!("{}.out", answer["id"])), &question.data_type);
        judge(question, error, result, &mut wrong);
    }
    wrong
}

fn judge(question: &Question, error: Option<&str>, result: impl Fn() -> Vec<Value>, wrong: &mut Vec<String>) {
    match (&question.answer, error) {
        (None, Some(_)) => {}
        (None, None) => wrong.push(format!(
            "{}: DuckDB gives {:?} where row {:?} fails\n    {}",
            question.what,
            result(),
            question.rows,
            question.sql
        )),
        (Some(_), Some(error)) => wrong.push(format!("{}: DuckDB fails: {error}\n    {}", question.what, question.sql)),
        (Some(expected), None) => {
            let given = result();
            assert_eq!(given.len(), expected.len(), "{}", question.what);
            for at in (0..given.len()).filter(|at| given[*at] != expected[*at]).take(12) {
                wrong.push(format!(
                    "{}: DuckDB gives {:?} for {:?}, the reference {:?}\n    {}",
                    question.what, given[at], question.rows[at], expected[at], question.sql
                ));
            }
        }
    }
}
