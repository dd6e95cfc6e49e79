//! Names of types that DataFusion spells otherwise.

use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, DataType, ExactNumberInfo, Expr, ObjectName, TimezoneInfo};

/// Rewrites the type of a cast.
pub(super) fn cast(expr: &mut Expr) {
    match expr {
        Expr::Cast { data_type, .. } | Expr::Convert { data_type: Some(data_type), .. } => rewrite(data_type),
        Expr::TypedString(typed) => rewrite(&mut typed.data_type),
        _ => {}
    }
}

/// A type of the same values that is known.
pub(in crate::proof) fn rewrite(data_type: &mut DataType) {
    let bigint = || DataType::BigInt(None);
    let decimal = |digits| DataType::Decimal(ExactNumberInfo::PrecisionAndScale(digits, 0));
    *data_type = match data_type {
        DataType::Int64 | DataType::SignedInteger | DataType::Signed => bigint(),
        DataType::Int32 => DataType::Int(None),
        DataType::Int16 => DataType::SmallInt(None),
        DataType::UTinyInt | DataType::UInt8 => DataType::TinyIntUnsigned(None),
        DataType::USmallInt | DataType::UInt16 => DataType::SmallIntUnsigned(None),
        DataType::UInt32 => DataType::IntUnsigned(None),
        DataType::UBigInt | DataType::UInt64 => DataType::BigIntUnsigned(None),
        DataType::HugeInt => decimal(38),
        DataType::Float64 => DataType::Double(ExactNumberInfo::None),
        DataType::Float32 => DataType::Real,
        DataType::Character(_)
        | DataType::CharacterVarying(_)
        | DataType::CharVarying(_)
        | DataType::Varchar(_)
        | DataType::Nvarchar(_)
        | DataType::String(_)
        | DataType::FixedString(_)
        | DataType::Char(_) => DataType::Text,
        DataType::Bytes(_) | DataType::Binary(_) | DataType::Varbinary(_) | DataType::Blob(_) => DataType::Bytea,
        DataType::Datetime(_) | DataType::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            DataType::Timestamp(Some(6), TimezoneInfo::None)
        }
        DataType::TimestampNtz { .. } => DataType::Timestamp(Some(6), TimezoneInfo::None),
        DataType::Datetime64(digits, None) => DataType::Timestamp(Some(*digits), TimezoneInfo::None),
        DataType::Date32 => DataType::Date,
        // Every type has null in DataFusion.
        DataType::Nullable(inner) | DataType::LowCardinality(inner) => {
            rewrite(inner);
            (**inner).clone()
        }
        DataType::Dec(info) | DataType::BigNumeric(info) | DataType::BigDecimal(info) => DataType::Decimal(*info),
        DataType::Numeric(ExactNumberInfo::None) | DataType::Decimal(ExactNumberInfo::None) => {
            DataType::Decimal(ExactNumberInfo::PrecisionAndScale(38, 9))
        }
        DataType::Custom(name, arguments) if arguments.is_empty() => match custom(name) {
            Some(known) => known,
            None => return,
        },
        DataType::Array(ArrayElemTypeDef::AngleBracket(item) | ArrayElemTypeDef::SquareBracket(item, _)) => {
            return rewrite(item);
        }
        _ => return,
    };
}

/// Types that the parser does not know.
fn custom(name: &ObjectName) -> Option<DataType> {
    let timestamp = |digits| DataType::Timestamp(Some(digits), TimezoneInfo::None);
    Some(match name.to_string().to_lowercase().as_str() {
        "timestamp_s" => timestamp(0),
        "timestamp_ms" => timestamp(3),
        "timestamp_us" => timestamp(6),
        "timestamp_ns" => timestamp(9),
        "long" => DataType::BigInt(None),
        "short" => DataType::SmallInt(None),
        "byte" => DataType::TinyInt(None),
        "utinyint" => DataType::TinyIntUnsigned(None),
        "usmallint" => DataType::SmallIntUnsigned(None),
        "uinteger" => DataType::IntUnsigned(None),
        "ubigint" => DataType::BigIntUnsigned(None),
        "number" => DataType::Decimal(ExactNumberInfo::PrecisionAndScale(38, 0)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn types_get_names_that_are_known() {
        check(
            "bigquery",
            "select cast(a as int64), cast(b as float64), cast(c as string)",
            "SELECT CAST(a AS BIGINT), CAST(b AS DOUBLE), CAST(c AS TEXT)",
        );
        check(
            "clickhouse",
            "select cast(a as Nullable(Int64)), cast(b as LowCardinality(Nullable(String))), cast(c as Nullable(DateTime64(3)))",
            "SELECT CAST(a AS BIGINT), CAST(b AS TEXT), CAST(c AS TIMESTAMP(3))",
        );
        check(
            "duckdb",
            "select a::uinteger, cast(b as timestamp_ns), cast(c as varchar(3))",
            "SELECT a::INT UNSIGNED, CAST(b AS TIMESTAMP(9)), CAST(c AS TEXT)",
        );
        check(
            "duckdb",
            "select a::utinyint, a::usmallint, cast(a as ubigint), cast(a as uinteger)",
            "SELECT a::TINYINT UNSIGNED, a::SMALLINT UNSIGNED, CAST(a AS BIGINT UNSIGNED), CAST(a AS INT UNSIGNED)",
        );
    }
}
