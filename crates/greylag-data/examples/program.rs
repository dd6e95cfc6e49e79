//! How fast mappings compile and run, without files: a `lineitem`-like batch over and over.
//!
//! `cargo run --release -p greylag-data --example program`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]

use arrow::array::{ArrayRef, RecordBatch};
use greylag_data::arrow_types::to_arrow_schema;
use greylag_data::expr::{Program, array_of};
use greylag_model::expr::parse_and_check;
use greylag_model::mapping::{ColumnMapping, OperationKind};
use greylag_model::schema::{Column, Schema};
use greylag_model::spec::Misfit;
use greylag_model::types::DataType;
use greylag_model::value::Value;
use std::time::Instant;

const ROWS: usize = 65_536;
const RUNS: usize = 30;

fn value(data_type: &DataType, row: usize) -> Value {
    match data_type {
        DataType::Int64 => Value::Int(row as i128),
        DataType::Decimal { scale, .. } => Value::Decimal((row as i128 * 7_919) % 10_000_000, *scale),
        DataType::Date => Value::Date(8_000 + (row % 2_500) as i32),
        DataType::Boolean => Value::Boolean(row.is_multiple_of(2)),
        _ => Value::String(format!("{}", row % 1_000)),
    }
}

fn main() {
    let columns = [
        ("orderkey", "int64"),
        ("quantity", "decimal(15,2)"),
        ("price", "decimal(15,2)"),
        ("discount", "decimal(15,2)"),
        ("tax", "decimal(15,2)"),
        ("shipped", "date"),
        ("comment", "string"),
    ];
    let columns = columns.map(|(name, data_type)| Column {
        name: name.into(),
        data_type: data_type.parse().unwrap(),
        nullable: true,
    });
    let schema = Schema { columns: columns.to_vec() };
    let arrays: Vec<ArrayRef> = columns
        .iter()
        .map(|column| {
            let values: Vec<Value> = (0..ROWS).map(|row| value(&column.data_type, row)).collect();
            array_of(&values, &column.data_type)
        })
        .collect();
    let batch = RecordBatch::try_new(to_arrow_schema(&schema), arrays).unwrap();
    for text in [
        "orderkey",
        "CAST(price AS float64)",
        "CAST(shipped AS timestamp(us))",
        "price * (1 - discount)",
        "price * (1 - discount) * (1 + tax)",
        "CAST(comment AS int32)",
        "lower(comment) || '-' || comment",
        "CASE WHEN price > 100.0 THEN 'dear' ELSE comment END",
        "date_part('year', shipped)",
        "coalesce(nullif(comment, '7'), 'x')",
        "substring(comment, 2, 1)",
        "round(price, 1)",
        "md5(comment)",
    ] {
        let mapping = ColumnMapping {
            target: "result".into(),
            operation: OperationKind::Expression,
            expr: parse_and_check(text, &schema).unwrap(),
            cast: None,
            misfit: Misfit::Reject,
            default: None,
            tolerance: None,
            judgement: None,
        };
        let begun = Instant::now();
        for _ in 0..100 {
            parse_and_check(text, &schema).unwrap();
        }
        let parsed = begun.elapsed().as_secs_f64() * 1e4;
        let begun = Instant::now();
        for _ in 0..100 {
            Program::new(std::slice::from_ref(&mapping), &batch.schema()).unwrap();
        }
        let compiled = begun.elapsed().as_secs_f64() * 1e4;
        let program = Program::new(&[mapping], &batch.schema()).unwrap();
        let begun = Instant::now();
        for _ in 0..RUNS {
            program.run(&batch).unwrap();
        }
        let rows = (ROWS * RUNS) as f64 / begun.elapsed().as_secs_f64() / 1e6;
        println!("{text:55} parse+check {parsed:6.1} us  compile {compiled:6.1} us  {rows:9.1} M rows/s");
    }
}
