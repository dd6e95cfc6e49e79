//! Types and values as DuckDB spells them.

use greylag_model::cast::convert;
use greylag_model::types::{DataType, TimeUnit};
use greylag_model::value::Value;

/// A type as DuckDB writes it.
pub(super) fn of(data_type: &DataType) -> String {
    let plain = match data_type {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::UInt8 => "UTINYINT",
        DataType::UInt16 => "USMALLINT",
        DataType::UInt32 => "UINTEGER",
        DataType::UInt64 => "UBIGINT",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Decimal { precision, scale } => return format!("DECIMAL({precision},{scale})"),
        DataType::Date => "DATE",
        DataType::Time(_) => "TIME",
        DataType::Timestamp { zone: Some(_), .. } => "TIMESTAMP WITH TIME ZONE",
        DataType::Timestamp { unit: TimeUnit::S, .. } => "TIMESTAMP_S",
        DataType::Timestamp { unit: TimeUnit::Ms, .. } => "TIMESTAMP_MS",
        DataType::Timestamp { unit: TimeUnit::Us, .. } => "TIMESTAMP",
        DataType::Timestamp { unit: TimeUnit::Ns, .. } => "TIMESTAMP_NS",
        DataType::String => "VARCHAR",
        DataType::Binary => "BLOB",
        DataType::List(item) => return format!("{}[]", of(item)),
        DataType::Struct(fields) => {
            let quote = crate::proof::step::quote;
            let fields = fields.iter().map(|(name, field)| format!("{} {}", quote(name), of(field)));
            return format!("STRUCT({})", fields.collect::<Vec<_>>().join(", "));
        }
        DataType::Map(key, value) => return format!("MAP({}, {})", of(key), of(value)),
    };
    plain.to_owned()
}

/// What a type of DuckDB is here; nothing for those whose values are compared by their text. Whole numbers of 128 bits are decimals.
pub(super) fn read(text: &str) -> Option<DataType> {
    let instant = |unit, zone: Option<&str>| DataType::Timestamp { unit, zone: zone.map(str::to_owned) };
    Some(match text {
        "BOOLEAN" => DataType::Boolean,
        "TINYINT" => DataType::Int8,
        "SMALLINT" => DataType::Int16,
        "INTEGER" => DataType::Int32,
        "BIGINT" => DataType::Int64,
        "UTINYINT" => DataType::UInt8,
        "USMALLINT" => DataType::UInt16,
        "UINTEGER" => DataType::UInt32,
        "UBIGINT" => DataType::UInt64,
        "HUGEINT" | "UHUGEINT" => DataType::Decimal { precision: 38, scale: 0 },
        "FLOAT" => DataType::Float32,
        "DOUBLE" => DataType::Float64,
        "DATE" => DataType::Date,
        "TIME" => DataType::Time(TimeUnit::Us),
        "TIMESTAMP" => instant(TimeUnit::Us, None),
        "TIMESTAMP_S" => instant(TimeUnit::S, None),
        "TIMESTAMP_MS" => instant(TimeUnit::Ms, None),
        "TIMESTAMP_NS" => instant(TimeUnit::Ns, None),
        "TIMESTAMP WITH TIME ZONE" => instant(TimeUnit::Us, Some("UTC")),
        "VARCHAR" => DataType::String,
        "BLOB" => DataType::Binary,
        other => {
            let (precision, scale) = other.strip_prefix("DECIMAL(")?.strip_suffix(')')?.split_once(',')?;
            DataType::Decimal { precision: precision.trim().parse().ok()?, scale: scale.trim().parse().ok()? }
        }
    })
}

/// A value of its text. One that has no equal here stays text.
pub(super) fn value(text: &str, data_type: &DataType) -> Value {
    let read = match data_type {
        DataType::String => None,
        DataType::Float32 => text.parse().ok().map(Value::Float32),
        DataType::Float64 => text.parse().ok().map(Value::Float64),
        DataType::Decimal { scale: 0, .. } => text.parse().ok().map(|whole| Value::Decimal(whole, 0)),
        DataType::Binary => bytes(text).map(Value::Binary),
        DataType::Timestamp { zone: Some(_), .. } => {
            let utc = text.strip_suffix("+00").map_or_else(|| text.to_owned(), |wall| format!("{wall}Z"));
            convert(Value::String(utc), &DataType::String, data_type, None).ok()
        }
        _ => convert(Value::String(text.to_owned()), &DataType::String, data_type, None).ok(),
    };
    read.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Bytes, of which those that are no letters are written `\x00`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.bytes().next() {
        let length = if rest.starts_with("\\x") {
            found.push(u8::from_str_radix(rest.get(2..4)?, 16).ok()?);
            4
        } else {
            found.push(first);
            1
        };
        rest = rest.get(length..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{of, read, value};
    use greylag_model::types::DataType;
    use greylag_model::value::Value;

    #[test]
    fn types_come_back() {
        let types = "boolean int8 uint64 float32 decimal(9,2) date time(us) timestamp(ns) timestamp(s) string binary";
        for text in types.split(' ').chain(["timestamp(us, UTC)"]) {
            let Ok(data_type) = text.parse::<DataType>() else { panic!("{text}") };
            assert_eq!(read(&of(&data_type)), Some(data_type), "{text}");
        }
        let Ok(nested) = "struct<a: list<int32>, b: map<string, date>>".parse::<DataType>() else { panic!() };
        assert_eq!(of(&nested), "STRUCT(\"a\" INTEGER[], \"b\" MAP(VARCHAR, DATE))");
        assert_eq!(read("INTEGER[]"), None);
    }

    #[test]
    fn values_are_read() {
        for (data_type, text, expected) in [
            ("int8", "-5", Value::Int(-5)),
            ("decimal(9,2)", "1.50", Value::Decimal(150, 2)),
            ("decimal(38,0)", "7", Value::Decimal(7, 0)),
            ("float64", "1e+30", Value::Float64(1e30)),
            ("float64", "-inf", Value::Float64(f64::NEG_INFINITY)),
            ("date", "2024-01-02", Value::Date(19_724)),
            ("date", "infinity", Value::String("infinity".to_owned())),
            ("timestamp(us, UTC)", "1970-01-01 00:00:01.5+00", Value::Timestamp(1_500_000)),
            ("binary", "a\\x00\\x5Cb", Value::Binary(b"a\0\\b".to_vec())),
            ("boolean", "true", Value::Boolean(true)),
        ] {
            let Ok(data_type) = data_type.parse::<DataType>() else { panic!("{data_type}") };
            assert_eq!(value(text, &data_type), expected, "{text}");
        }
    }
}
