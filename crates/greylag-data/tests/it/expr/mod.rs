//! Conformance: the reference evaluator, the compiled program and DuckDB agree on every function and every conversion.

mod cases;
mod duckdb;
mod random;

use self::cases::{EXPRESSIONS, edges, rows, schema};
use self::duckdb::{Question, ask};
use arrow::array::{RecordBatch, RecordBatchOptions};
use greylag_data::arrow_types::to_arrow_schema;
use greylag_data::expr::{Program, array_of, compile, value_at};
use greylag_model::cast::{Conversion, conversion};
use greylag_model::expr::{Dialect, Function, Node, RowError, TypedExpr, parse_and_check};
use greylag_model::mapping::{ColumnMapping, OperationKind};
use greylag_model::schema::{Column, Schema};
use greylag_model::spec::{Loss, Misfit};
use greylag_model::types::DataType;
use greylag_model::value::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Letters whose case is newer than DuckDB's tables (Unicode 16 and 17): where DuckDB cannot be made to agree. Each
/// must go on to disagree, or it needs no excuse.
const NEWER_LETTERS: &[(u32, u32, &str)] = &[
    (0x019B, 0x019B, "Latin, capital added later"),
    (0x0264, 0x0264, "Latin, capital added later"),
    (0x1C89, 0x1C8A, "Cyrillic"),
    (0xA7CB, 0xA7CF, "Latin"),
    (0xA7D2, 0xA7D5, "Latin"),
    (0xA7DA, 0xA7DC, "Latin"),
    (0x1_0D50, 0x1_0D85, "Garay"),
    (0x1_6EA0, 0x1_6ED3, "Beria Erfe"),
];

/// Rows of an expression: what the reference says of each.
fn reference(expr: &TypedExpr, columns: &[Column], rows: &[Vec<Value>]) -> Vec<Result<Value, RowError>> {
    let schema = Schema { columns: columns.to_vec() };
    let bound = expr.bind(&schema).unwrap();
    rows.iter().map(|row| bound.eval(row)).collect()
}

fn batch(columns: &[Column], rows: &[Vec<Value>]) -> RecordBatch {
    let schema = to_arrow_schema(&Schema { columns: columns.to_vec() });
    let arrays = columns.iter().enumerate().map(|(at, column)| {
        let values: Vec<Value> = rows.iter().map(|row| row[at].clone()).collect();
        array_of(&values, &column.data_type)
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(schema, arrays.collect(), &options).unwrap()
}

/// The program gives what the reference says, rejects what it rejects; and on rows without errors the compiled
/// expression needs no help.
fn check_program(what: &str, expr: &TypedExpr, columns: &[Column], rows: &[Vec<Value>]) {
    let expected = reference(expr, columns, rows);
    let mapping = ColumnMapping {
        target: "result".into(),
        operation: OperationKind::Expression,
        expr: expr.clone(),
        cast: None,
        misfit: Misfit::Reject,
        default: None,
        tolerance: None,
        judgement: None,
    };
    let source = batch(columns, rows);
    let program = Program::new(&[mapping], &source.schema()).unwrap();
    let evaluated = program.run(&source).unwrap_or_else(|error| panic!("{what}: {error}"));
    let rejected: Vec<usize> = evaluated.rejected.iter().map(|rejected| rejected.row).collect();
    let failing: Vec<usize> = (0..rows.len()).filter(|row| expected[*row].is_err()).collect();
    assert_eq!(rejected, failing, "{what}: rejected rows");
    let good: Vec<&Value> = expected.iter().filter_map(|value| value.as_ref().ok()).collect();
    let array = evaluated.batch.column(0);
    for (at, value) in good.iter().enumerate() {
        assert_eq!(value_at(array, &expr.data_type, at), **value, "{what}: row {at}");
    }
    let sound: Vec<Vec<Value>> =
        rows.iter().zip(&expected).filter(|(_, value)| value.is_ok()).map(|(row, _)| row.clone()).collect();
    let fast = compile(expr, &source.schema()).unwrap().evaluate(&batch(columns, &sound));
    let fast = fast.and_then(|value| value.into_array(sound.len()));
    // Looks at arguments that the reference does not evaluate.
    if !has(expr, Function::Coalesce) {
        fast.unwrap_or_else(|error| panic!("{what}: the compiled expression fails on good rows: {error}"));
    }
}

fn has(expr: &TypedExpr, wanted: Function) -> bool {
    matches!(&expr.node, Node::Call { function, .. } if *function == wanted)
        || expr.children().into_iter().any(|child| has(child, wanted))
}

/// One question for the rows that succeed, one for each of a few that fail.
fn questions(what: &str, expr: &TypedExpr, columns: &[Column], rows: &[Vec<Value>]) -> Vec<Question> {
    let expected = reference(expr, columns, rows);
    let question = |rows: Vec<Vec<Value>>, answer: Option<Vec<Value>>| Question {
        what: what.to_owned(),
        sql: expr.to_sql(Dialect::DuckDb),
        columns: columns.to_vec(),
        rows,
        data_type: expr.data_type.clone(),
        answer,
    };
    let (mut sound, mut answers, mut failing) = (Vec::new(), Vec::new(), Vec::new());
    for (row, value) in rows.iter().zip(expected) {
        match value {
            Ok(value) => {
                sound.push(row.clone());
                answers.push(value);
            }
            Err(_) => failing.push(row.clone()),
        }
    }
    let step = failing.len().div_ceil(8).max(1);
    let mut asked = vec![question(sound, Some(answers))];
    asked.extend(failing.into_iter().step_by(step).map(|row| question(vec![row], None)));
    asked
}

fn used(expr: &TypedExpr, schema: &Schema) -> Vec<Column> {
    let names = expr.columns();
    schema.columns.iter().filter(|column| names.contains(&column.name.as_str())).cloned().collect()
}

fn settle(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn functions_agree() {
    let schema = schema();
    let mut asked = Vec::new();
    let mut functions = BTreeSet::new();
    for text in EXPRESSIONS {
        let expr = parse_and_check(text, &schema).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        collect(&expr, &mut functions);
        let columns = used(&expr, &schema);
        let rows = rows(&columns, 700);
        check_program(text, &expr, &columns, &rows);
        asked.extend(questions(text, &expr, &columns, &rows));
    }
    let missing: Vec<_> = Function::ALL.iter().filter(|function| !functions.contains(function)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
    settle(&ask(&asked));
}

fn collect(expr: &TypedExpr, functions: &mut BTreeSet<Function>) {
    if let Node::Call { function, .. } = &expr.node {
        functions.insert(*function);
    }
    expr.children().into_iter().for_each(|child| collect(child, functions));
}

/// Types that stand for their kind and its widths.
const TYPES: &[&str] = &[
    "boolean",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "decimal(5,2)",
    "decimal(15,2)",
    "decimal(18,0)",
    "decimal(38,10)",
    "date",
    "time(s)",
    "time(ms)",
    "time(us)",
    "time(ns)",
    "timestamp(s)",
    "timestamp(ms)",
    "timestamp(us)",
    "timestamp(ns)",
    "timestamp(s, UTC)",
    "timestamp(us, UTC)",
    "timestamp(ms, Europe/Berlin)",
    "timestamp(us, America/New_York)",
    "timestamp(ns, UTC)",
    "timestamp(us, +05:30)",
    "timestamp(ns, Asia/Kolkata)",
    "string",
    "binary",
    "list<int64>",
    "list<int32>",
    "list<string>",
    "struct<a: int32, \"b c\": string>",
    "struct<a: int64, \"b c\": string>",
    "struct<a: int8, \"b c\": int32>",
    "map<string, int32>",
    "map<string, int64>",
    "map<string, int8>",
];

/// Texts that are values of a type, nearly are, or are not.
const TEXTS: &[&str] = &[
    "",
    " ",
    "0",
    "1",
    "-1",
    "+1",
    "007",
    "1.5",
    "-2.5",
    "2.50",
    ".5",
    "5.",
    "+",
    "-",
    ".",
    "1e3",
    "1_000",
    "1,5",
    " 1",
    "1 ",
    "0x10",
    "128",
    "-129",
    "255",
    "256",
    "32768",
    "65536",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999999999999999",
    "1000000000000000000000000000000000000000",
    "999.99",
    "999.995",
    "999.994",
    "0.005",
    "-0.005",
    "0.0049999",
    "1.000",
    "1.001",
    "true",
    "FALSE",
    "t",
    "yes",
    "No",
    "y",
    "on",
    "nan",
    "NaN",
    "inf",
    "-Infinity",
    "+inf",
    "infin",
    "1e400",
    "1e-400",
    "3.5e38",
    "1E5",
    "1e",
    "-0",
    "-0.0",
    "2024-02-29",
    "2023-02-29",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2024-2-9",
    "2024-02-29T12:30",
    "2024-02-29 12:30:00",
    "2024-02-29 12:30:00.5",
    "2024-02-29 12:30:00.123456",
    "2024-02-29 12:30:00.123456789",
    "2024-02-29 12:30:00.1234560",
    "2024-02-29 12:30:00.000",
    "2024-02-29 24:00:00",
    "2024-02-29 12:60:00",
    "2024-02-29 12:30:60",
    "2024-02-29 12:30:00Z",
    "2024-02-29T12:30:00+05:30",
    "2024-02-29 12:30:00-0800",
    "2024-02-29 12:30:00+02",
    "2024-02-29 12:30:00+19:00",
    "2024-02-29 12:30:00.25Z",
    "2024-02-29 12:30+01:00",
    "2024-03-31 02:30:00",
    "2024-10-27 02:30:00",
    "1969-12-31 23:59:59.9999",
    "1600-01-01 00:00:00",
    "12:30",
    "12:30:00",
    "12:30:00.5",
    "12:30:00.123456789",
    "23:59:59.999999",
    "24:00:00",
    "1:30",
    "12:30:",
    "ä",
    "x",
];

fn sources(data_type: &DataType) -> Vec<Value> {
    let mut values = edges("value", data_type);
    match data_type {
        DataType::String => values.extend(TEXTS.iter().map(|text| Value::String((*text).to_owned()))),
        DataType::Binary => values.push(Value::Binary(vec![0xc3])),
        DataType::Date => values.extend([-100_000_000, 100_000_000, 2_932_897, -719_163, 5_000_000].map(Value::Date)),
        DataType::Float64 | DataType::Float32 => {
            for value in [
                0.1,
                0.25,
                127.5,
                -128.5,
                255.0,
                256.0,
                2_147_483_647.5,
                9.2e18,
                9.3e18,
                1.8e19,
                999.99,
                999.995,
                -0.5,
                1e20,
                1e38,
                123_456_789_012.345,
                0.001,
                16_777_217.0,
            ] {
                values.push(if *data_type == DataType::Float64 {
                    Value::Float64(value)
                } else {
                    Value::Float32(value as f32)
                });
            }
        }
        DataType::Decimal { scale, .. } if *scale > 0 => {
            let unit = 10_i128.pow(u32::from(*scale));
            for value in [unit / 2, -unit / 2, unit * 127 + unit / 2, unit * 128, -unit * 129, unit * 255, 1, -1] {
                values.push(Value::Decimal(value, *scale));
            }
        }
        DataType::Int64 => values
            .extend([(1 << 53) + 1, 1 << 53, 127, 128, -129, 255, 65_536, 99_999, 100_000, 16_777_217].map(Value::Int)),
        DataType::Timestamp { unit, .. } => {
            let second = unit.per_second();
            values.extend([1, -1, second / 2, -(second / 2), second * 43_200, second * 43_199].map(Value::Timestamp));
        }
        DataType::List(item) if **item == DataType::String => {
            values = vec![
                Value::Null,
                Value::List(vec![]),
                Value::List(vec![Value::Null, Value::String("12".into())]),
                Value::List(vec![Value::String("x".into())]),
            ];
        }
        DataType::List(_) => values.push(Value::List(vec![Value::Int(1 << 31), Value::Null])),
        DataType::Struct(fields) if fields[1].1 == DataType::String => {
            values.push(Value::Struct(vec![Value::Int(7), Value::String("12".into())]));
        }
        DataType::Struct(_) => {
            values = vec![
                Value::Null,
                Value::Struct(vec![Value::Int(7), Value::Int(12)]),
                Value::Struct(vec![Value::Null, Value::Null]),
            ];
        }
        DataType::Map(..) => values.push(Value::Map(vec![(Value::String("k".into()), Value::Int(127))])),
        _ => {}
    }
    // Out of some types' range: shared shapes may not hold it.
    values.retain(|value| fits(value, data_type));
    values
}

fn fits(value: &Value, data_type: &DataType) -> bool {
    match (value, data_type) {
        (Value::Decimal(unscaled, _), DataType::Decimal { precision, .. }) => {
            greylag_model::cast::fits_precision(*unscaled, *precision)
        }
        (Value::Int(value), data_type) => {
            data_type.integer_range().is_none_or(|(low, high)| (low..=high).contains(value))
        }
        (Value::List(items), DataType::List(item)) => items.iter().all(|value| fits(value, item)),
        (Value::Struct(values), DataType::Struct(fields)) => {
            values.iter().zip(fields).all(|(value, (_, field))| fits(value, field))
        }
        (Value::Map(entries), DataType::Map(_, item)) => entries.iter().all(|(_, value)| fits(value, item)),
        _ => true,
    }
}

#[test]
fn conversions_agree() {
    let types: Vec<DataType> = TYPES.iter().map(|text| text.parse().unwrap()).collect();
    let mut asked = Vec::new();
    let mut pairs = 0;
    for from in &types {
        let column = Column { name: "value".into(), data_type: from.clone(), nullable: true };
        let rows: Vec<Vec<Value>> = sources(from).into_iter().map(|value| vec![value]).collect();
        for to in types.iter().filter(|to| *to != from) {
            if matches!(conversion(from, to), Conversion::Unsupported { .. }) {
                continue;
            }
            pairs += 1;
            for loss in [None, Some(Loss::Truncate), Some(Loss::Round), Some(Loss::Fail)] {
                let Ok(expr) = TypedExpr::column(&column).cast_to(to, loss) else { continue };
                // Where nothing can be lost the policy means nothing.
                let idle = !matches!(conversion(from, to), Conversion::Lossy { needs_loss: true, .. })
                    && *from != DataType::String;
                if idle && loss.is_some() {
                    continue;
                }
                let what = format!("{from} to {to} {loss:?}");
                check_program(&what, &expr, std::slice::from_ref(&column), &rows);
                asked.extend(questions(&what, &expr, std::slice::from_ref(&column), &rows));
            }
        }
    }
    assert!(pairs > 300, "{pairs}");
    settle(&ask(&asked));
}

/// Every letter of Unicode, one by one: DuckDB's tables of case may be of another version than Rust's.
#[test]
fn case_mapping_agrees_on_every_letter() {
    let column = Column { name: "s".into(), data_type: DataType::String, nullable: true };
    let schema = Schema { columns: vec![column.clone()] };
    let columns = std::slice::from_ref(&column);
    let newer =
        |letter: &char| NEWER_LETTERS.iter().any(|(first, last, _)| (*first..=*last).contains(&u32::from(*letter)));
    let row = |letter: &char| vec![Value::String(letter.to_string())];
    let (mut asked, mut excused) = (Vec::new(), Vec::new());
    for text in ["lower(s)", "upper(s)"] {
        let expr = parse_and_check(text, &schema).unwrap();
        let bound = expr.bind(&schema).unwrap();
        let letters = (1..=0x1_FFFF).filter_map(char::from_u32);
        let changes = |letter: &char| bound.eval(&row(letter)).unwrap() != row(letter)[0];
        let (alone, together): (Vec<char>, Vec<char>) = letters.partition(|letter| newer(letter) && changes(letter));
        for letters in together.chunks(4_096) {
            let rows: Vec<Vec<Value>> = letters.iter().map(row).collect();
            asked.extend(questions(text, &expr, columns, &rows));
        }
        for letter in alone {
            excused.extend(questions(&format!("{text} of {letter}"), &expr, columns, &[row(&letter)]));
        }
    }
    settle(&ask(&asked));
    let wrong = ask(&excused);
    let agreeing: Vec<&String> = excused
        .iter()
        .map(|question| &question.what)
        .filter(|what| !wrong.iter().any(|line| line.starts_with(&format!("{what}: "))))
        .collect();
    assert!(excused.len() > 50, "{}", excused.len());
    assert!(agreeing.is_empty(), "DuckDB knows these letters by now: {agreeing:?}");
}

/// Columns that are carried over are the same array; policies decide of each row.
#[test]
fn policies_decide_of_each_row() {
    let schema = Schema {
        columns: [("id", "int64"), ("text", "string"), ("by", "int64")]
            .map(|(name, data_type)| Column {
                name: name.into(),
                data_type: data_type.parse().unwrap(),
                nullable: true,
            })
            .to_vec(),
    };
    let rows: Vec<Vec<Value>> = [(1, "10", 2), (2, "x", 0), (3, "300", 5), (4, "-4", 0)]
        .map(|(id, text, by)| vec![Value::Int(id), Value::String(text.into()), Value::Int(by)])
        .to_vec();
    let source = batch(&schema.columns, &rows);
    let mapping = |target: &str, text: &str, misfit: Misfit, default: Option<&str>| ColumnMapping {
        target: target.into(),
        operation: OperationKind::Expression,
        expr: parse_and_check(text, &schema).unwrap(),
        cast: None,
        misfit,
        default: default.map(|text| parse_and_check(text, &Schema::default()).unwrap()),
        tolerance: None,
        judgement: None,
    };
    let run = |mappings: &[ColumnMapping]| Program::new(mappings, &source.schema()).unwrap().run(&source);
    let texts = |batch: &RecordBatch, at: usize, data_type: &str| -> Vec<Value> {
        let data_type = data_type.parse().unwrap();
        (0..batch.num_rows()).map(|row| value_at(batch.column(at), &data_type, row)).collect()
    };

    let kept = run(&[mapping("key", "id", Misfit::Fail, None)]).unwrap();
    assert!(Arc::ptr_eq(kept.batch.column(0), source.column(0)));

    let null = run(&[mapping("small", "CAST(text AS int8)", Misfit::Null, Some("CAST(0 AS int8)"))]).unwrap();
    assert_eq!(texts(&null.batch, 0, "int8"), [10, 0, 0, -4].map(Value::Int));
    assert!(null.rejected.is_empty() && !null.batch.schema().field(0).is_nullable());

    let mixed = run(&[
        mapping("id", "id", Misfit::Fail, None),
        mapping("ratio", "100 / by", Misfit::Reject, None),
        mapping("small", "CAST(text AS int8)", Misfit::Reject, None),
    ])
    .unwrap();
    assert_eq!(texts(&mixed.batch, 0, "int64"), [Value::Int(1)]);
    let said: Vec<String> = mixed
        .rejected
        .iter()
        .map(|rejected| format!("{} {}: {}", rejected.row, rejected.column, rejected.reason))
        .collect();
    assert_eq!(
        said,
        ["1 ratio: division by zero", "2 small: value is out of the type's range", "3 ratio: division by zero"]
    );

    let failed = run(&[mapping("ratio", "100 / by", Misfit::Fail, None)]).unwrap_err();
    assert_eq!(failed.message, "row 1 of the batch does not fit column `ratio`: division by zero");
    assert_eq!(failed.code.to_string(), "GL0212");

    let other = batch(&schema.columns[..2], &rows.iter().map(|row| row[..2].to_vec()).collect::<Vec<_>>());
    let missing = Program::new(&[mapping("ratio", "100 / by", Misfit::Fail, None)], &other.schema()).unwrap_err();
    assert_eq!(missing.message, "column `by` is not in the data");
}
