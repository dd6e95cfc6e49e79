//! What is asked: expressions over columns of edge values. Every function has at least one.

use greylag_model::schema::{Column, Schema};
use greylag_model::types::DataType;
use greylag_model::value::Value;

/// Columns that expressions may name, with their edge values; null is added to each.
const COLUMNS: &[(&str, &str)] = &[
    ("i", "int64"),
    ("j", "int64"),
    ("n", "int64"),
    ("k", "int32"),
    ("t", "int8"),
    ("u", "uint64"),
    ("f", "float64"),
    ("g", "float64"),
    ("h", "float32"),
    ("d", "decimal(15,2)"),
    ("e", "decimal(10,4)"),
    ("w", "decimal(38,0)"),
    ("s", "string"),
    ("r", "string"),
    ("p", "string"),
    ("b", "boolean"),
    ("c", "boolean"),
    ("x", "binary"),
    ("day", "date"),
    ("night", "date"),
    ("at", "timestamp(us)"),
    ("sec", "timestamp(s)"),
    ("ms", "timestamp(ms)"),
    ("ns", "timestamp(ns)"),
    ("z", "timestamp(us, UTC)"),
    ("zb", "timestamp(us, Europe/Berlin)"),
    ("zn", "timestamp(ns, America/New_York)"),
    ("clock", "time(us)"),
    ("st", "struct<a: int32, \"b c\": string>"),
    ("li", "list<int64>"),
    ("ma", "map<string, int32>"),
    ("small_year", "int32"),
];

/// Functions as they are written; between them they use every function.
pub(super) const EXPRESSIONS: &[&str] = &[
    "i + j",
    "t + k",
    "u + 1",
    "d + e",
    "w + d",
    "f + g",
    "h + 1",
    "day + n",
    "d + 1.005",
    "i - j",
    "d - e",
    "f - g",
    "day - n",
    "day - night",
    "i * j",
    "n * n",
    "d * e",
    "f * g",
    "d * (1 - e)",
    "w * n",
    "i / j",
    "n / 2",
    "f / g",
    "d / e",
    "w / d",
    "i % j",
    "f % g",
    "d % e",
    "w % d",
    "- (i)",
    "- f",
    "- d",
    "i = j",
    "f = g",
    "s = r",
    "d = e",
    "b = c",
    "day = night",
    "at = ns",
    "i = f",
    "x = X'00'",
    "h = g",
    "u = i",
    "i <> j",
    "f <> g",
    "i < j",
    "f < g",
    "s < r",
    "x < X'6100'",
    "d < e",
    "b < c",
    "clock < TIME '12:00:00'",
    "i <= j",
    "f <= g",
    "i > j",
    "f > g",
    "s > r",
    "i >= j",
    "f >= g",
    "at >= day",
    "sec >= ms",
    "i IS DISTINCT FROM j",
    "f IS DISTINCT FROM g",
    "f IS NOT DISTINCT FROM g",
    "s IS NOT DISTINCT FROM r",
    "s IS NULL",
    "s IS NOT NULL",
    "st IS NULL",
    "b AND c",
    "b OR c",
    "NOT b",
    "b AND c AND i = 1",
    "b IS TRUE",
    "n IN (1, 2, 3)",
    "n IN (1, NULL)",
    "n NOT IN (1, i)",
    "f IN (0.0, CAST('nan' AS float64))",
    "n BETWEEN -1 AND 2",
    "f BETWEEN g AND 1.5",
    "s LIKE 'a%'",
    "s LIKE '%b%'",
    "s LIKE '_'",
    "s LIKE '%a_c%'",
    "s LIKE r",
    "s LIKE 'a!%%' ESCAPE '!'",
    "s LIKE r ESCAPE 'a'",
    "s NOT LIKE ''",
    "s || r",
    "s || '-' || r",
    "concat(s, r, 'x')",
    "concat_ws(s, r, p, 'q')",
    "concat_ws(', ', s, NULL, r)",
    "lower(s)",
    "upper(s)",
    "trim(s)",
    "trim(s, r)",
    "ltrim(s)",
    "ltrim(s, 'ab ')",
    "rtrim(s)",
    "rtrim(s, r)",
    "substring(s, 2)",
    "substring(s, 2, 3)",
    "substring(s, n)",
    "substring(s, n, n)",
    "left(s, 2)",
    "left(s, n)",
    "right(s, 2)",
    "right(s, n)",
    "length(s)",
    "replace(s, 'a', 'xy')",
    "replace(s, r, p)",
    "split_part(s, ',', 2)",
    "split_part(s, r, n)",
    "split_part(s, ' ', -1)",
    "starts_with(s, r)",
    "ends_with(s, r)",
    "contains(s, r)",
    "lpad(s, 5, 'xy')",
    "lpad(s, n, r)",
    "lpad(s, 3)",
    "rpad(s, 5, 'ß')",
    "rpad(s, n, r)",
    "strpos(s, r)",
    "reverse(s)",
    "reverse(s || r)",
    "md5(s)",
    "md5(x)",
    "sha256(s)",
    "sha256(x)",
    "coalesce(s, r)",
    "coalesce(i, j, 0)",
    "coalesce(n, 1 / 0)",
    "nullif(i, j)",
    "nullif(f, g)",
    "nullif(s, '')",
    "greatest(i, j)",
    "greatest(f, g)",
    "greatest(s, r, p)",
    "greatest(d, e)",
    "least(i, j)",
    "least(f, g)",
    "least(day, night)",
    "abs(i)",
    "abs(f)",
    "abs(d)",
    "sign(i)",
    "sign(f)",
    "sign(d)",
    "trunc(f)",
    "trunc(d)",
    "trunc(i)",
    "floor(f)",
    "floor(d)",
    "floor(i)",
    "ceil(f)",
    "ceil(d)",
    "ceil(i)",
    "round(f)",
    "round(d)",
    "round(i)",
    "round(f, 2)",
    "round(d, 1)",
    "round(e, 2)",
    "round(d, 5)",
    "round(i, 3)",
    "round(e, 0)",
    "power(f, g)",
    "power(n, 2)",
    "sqrt(f)",
    "ln(f)",
    "exp(f)",
    "date_trunc('year', day)",
    "date_trunc('quarter', day)",
    "date_trunc('month', day)",
    "date_trunc('week', day)",
    "date_trunc('day', day)",
    "date_trunc('year', at)",
    "date_trunc('week', ns)",
    "date_trunc('hour', at)",
    "date_trunc('minute', ms)",
    "date_trunc('second', ns)",
    "date_trunc('month', sec)",
    "date_trunc('day', z)",
    "date_trunc('day', zb)",
    "date_trunc('hour', zn)",
    "date_trunc('month', zb)",
    "date_part('year', day)",
    "date_part('quarter', day)",
    "date_part('month', at)",
    "date_part('week', day)",
    "date_part('day', ns)",
    "date_part('dow', day)",
    "date_part('isodow', day)",
    "date_part('doy', day)",
    "extract(hour FROM at)",
    "extract(minute FROM ns)",
    "extract(second FROM ms)",
    "extract(second FROM clock)",
    "extract(hour FROM zb)",
    "extract(day FROM zn)",
    "extract(second FROM sec)",
    "extract(hour FROM clock)",
    "extract(minute FROM clock)",
    "make_date(small_year, n, n)",
    "make_date(2024, 2, n + 26)",
    "from_unix_seconds(n)",
    "from_unix_seconds(i)",
    "from_unix_millis(n)",
    "from_unix_millis(k)",
    "from_unix_micros(n)",
    "to_unix_seconds(at)",
    "to_unix_seconds(ns)",
    "to_unix_millis(at)",
    "to_unix_millis(zn)",
    "to_unix_micros(at)",
    "to_unix_micros(ns)",
    "to_unix_seconds(sec)",
    "to_unix_micros(ms)",
    "at AT TIME ZONE 'UTC'",
    "at AT TIME ZONE 'Europe/Berlin'",
    "ms AT TIME ZONE 'America/New_York'",
    "ns AT TIME ZONE 'Asia/Kolkata'",
    "sec AT TIME ZONE '+05:30'",
    "z AT TIME ZONE 'Europe/Berlin'",
    "zb AT TIME ZONE 'UTC'",
    "zn AT TIME ZONE 'Australia/Lord_Howe'",
    "z AT TIME ZONE '-08:00'",
    "zn AT TIME ZONE '+01:00'",
    "ns AT TIME ZONE '-03:30'",
    "st.a",
    "st.\"b c\"",
    "li[1]",
    "li[n]",
    "cardinality(li)",
    "cardinality(ma)",
    "CASE WHEN b THEN i WHEN c THEN j ELSE 0 END",
    "CASE n WHEN 1 THEN 'one' WHEN 2 THEN s END",
    "CASE WHEN j <> 0 THEN i / j END",
    "CASE WHEN n > 0 THEN left(s, n) ELSE r END",
    "TRY_CAST(s AS int64)",
    "TRY_CAST(i AS int8)",
    "coalesce(TRY_CAST(s AS decimal(10,2)), d)",
    "CAST(CAST(f AS int64 ROUND) AS string) || s",
    "lower(trim(s)) || upper(r)",
    "abs(i % 10) + length(s)",
];

/// The value of a text in a type.
pub(super) fn read(text: &str, data_type: &DataType) -> Value {
    greylag_model::cast::convert(Value::String(text.to_owned()), &DataType::String, data_type, None)
        .unwrap_or_else(|unfit| panic!("`{text}` as `{data_type}`: {unfit:?}"))
}

/// Edge values of a type, null first.
pub(super) fn edges(name: &str, data_type: &DataType) -> Vec<Value> {
    let texts = |texts: &[&str]| texts.iter().map(|text| read(text, data_type)).collect::<Vec<_>>();
    let mut values = vec![Value::Null];
    values.extend(match data_type {
        _ if name == "n" => texts(&["-9", "-2", "-1", "0", "1", "2", "3", "29"]),
        _ if name == "small_year" => texts(&["-4", "0", "1", "2023", "2024", "9999", "10000"]),
        _ if name == "p" => texts(&["", "zz"]),
        _ if name == "r" => texts(&["", "a", "b", "ä%", ",", "%", "a_", "日本"]),
        DataType::Boolean => vec![Value::Boolean(false), Value::Boolean(true)],
        DataType::Float64 | DataType::Float32 => {
            let mut all = texts(&[
                "0.0",
                "-0.0",
                "1.0",
                "-1.5",
                "2.5",
                "-2.5",
                "0.285",
                "1.005",
                "nan",
                "inf",
                "-inf",
                "1e-5",
                "123456789.125",
            ]);
            let wide: &[&str] = if *data_type == DataType::Float64 {
                &["1e300", "-1e308", "4.5035996273704965e15", "9007199254740993.0", "5e-324"]
            } else {
                &["3.4028235e38", "1e-45"]
            };
            all.extend(texts(wide));
            all
        }
        DataType::Decimal { precision, scale } => {
            let nines = "9".repeat(usize::from(precision - scale)) + "." + &"9".repeat(usize::from(*scale));
            let nines = nines.trim_end_matches('.').to_owned();
            let mut all = texts(&["0", "1", "-1", &nines, &format!("-{nines}")]);
            if *scale >= 2 {
                all.extend(texts(&["0.05", "-0.05", "1.25", "-99.95", "12.34"]));
            }
            all
        }
        data_type if data_type.integer().is_some() => {
            let (low, high) = data_type.integer_range().unwrap();
            [low, low + 1, high, high - 1, 1, 0, 7, 100]
                .into_iter()
                .chain((low < 0).then_some(-1))
                .map(Value::Int)
                .collect()
        }
        DataType::String => texts(&[
            "",
            "a",
            "abc",
            " ab c ",
            "äöÜß",
            "日本語",
            "a,b,,c",
            "%",
            "a%c",
            "e\u{301}",
            "👩‍👧",
            "\t x\u{a0}",
            "12",
            "-1.50",
            "ŉǅİıΣς",
            "AbC\0d",
        ]),
        DataType::Binary => vec![
            Value::Binary(vec![]),
            Value::Binary(vec![0, 255, 97]),
            Value::Binary(b"abc".to_vec()),
            Value::Binary("ä".into()),
        ],
        DataType::Date => texts(&[
            "1970-01-01",
            "1969-12-31",
            "2000-02-29",
            "2024-02-29",
            "2024-12-30",
            "2021-01-03",
            "0001-01-01",
            "9999-12-31",
            "1900-03-01",
        ]),
        DataType::Time(unit) => {
            let last = unit.per_second() * 86_400 - 1;
            [0, 1, last, unit.per_second() * 45_296].into_iter().map(Value::Time).collect()
        }
        DataType::Timestamp { unit: TimeUnit::Ns, .. } => instants(
            data_type,
            &[
                "1677-09-22 00:12:44",
                "2262-04-11 23:47:16",
                "2024-10-27 02:30:00.123456789",
                "1969-12-31 23:59:59.999999999",
            ],
        ),
        DataType::Timestamp { .. } => instants(data_type, &["0001-01-01 00:00:00", "9999-12-31 23:59:59"]),
        DataType::Struct(_) => vec![
            Value::Struct(vec![Value::Int(1), Value::String("x".into())]),
            Value::Struct(vec![Value::Null, Value::String(String::new())]),
            Value::Struct(vec![Value::Int(-5), Value::Null]),
        ],
        DataType::List(_) => vec![
            Value::List(vec![]),
            Value::List(vec![Value::Int(10)]),
            Value::List(vec![Value::Null, Value::Int(-20), Value::Int(100)]),
        ],
        DataType::Map(..) => vec![
            Value::Map(vec![]),
            Value::Map(vec![(Value::String("k".into()), Value::Int(1)), (Value::String("l".into()), Value::Null)]),
        ],
        _ => Vec::new(),
    });
    values
}

use greylag_model::types::TimeUnit;

/// Around the epoch, around changes of clocks, and some more; as wall clocks or instants in UTC.
fn instants(data_type: &DataType, more: &[&str]) -> Vec<Value> {
    let DataType::Timestamp { unit, .. } = data_type else { return Vec::new() };
    let common = [
        "1970-01-01 00:00:00",
        "1969-12-31 23:59:59",
        "2024-02-29 12:34:56",
        "2024-03-31 00:30:00",
        "2024-03-31 01:30:00",
        "2024-03-31 02:00:00",
        "2024-03-31 02:30:00",
        "2024-03-31 03:00:00",
        "2024-10-27 00:30:00",
        "2024-10-27 01:30:00",
        "2024-10-27 02:30:00",
        "2024-10-27 03:00:00",
        "2024-03-10 02:30:00",
        "2024-11-03 01:30:00",
        "1900-01-01 00:00:00",
    ];
    let plain = DataType::Timestamp { unit: *unit, zone: None };
    let mut values: Vec<Value> = common.iter().chain(more).map(|text| read(text, &plain)).collect();
    if *unit != TimeUnit::S {
        values.push(read("1969-12-31 23:59:59.5", &plain));
        values.push(read("2024-02-29 23:59:59.999", &plain));
    }
    values
}

/// The schema that expressions are checked against.
pub(super) fn schema() -> Schema {
    let column = |(name, data_type): &(&str, &str)| Column {
        name: (*name).to_owned(),
        data_type: data_type.parse().unwrap(),
        nullable: true,
    };
    Schema { columns: COLUMNS.iter().map(column).collect() }
}

/// Every combination of the edge values of some columns, thinned out evenly to at most `most` rows.
pub(super) fn rows(columns: &[Column], most: usize) -> Vec<Vec<Value>> {
    let edges: Vec<Vec<Value>> = columns.iter().map(|column| edges(&column.name, &column.data_type)).collect();
    let all: usize = edges.iter().map(Vec::len).product();
    let step = all.div_ceil(most).max(1);
    // A step that shares no factor with the lengths meets every value of every column.
    let step = (step..step + 1_000)
        .find(|step| edges.iter().all(|edge| *step == 1 || edge.len() % step != 0 && step % edge.len() != 0))
        .unwrap();
    (0..all)
        .step_by(step)
        .map(|mut index| {
            edges
                .iter()
                .map(|edge| {
                    let value = edge[index % edge.len()].clone();
                    index /= edge.len();
                    value
                })
                .collect()
        })
        .collect()
}
