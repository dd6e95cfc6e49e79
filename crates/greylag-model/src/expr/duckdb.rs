//! Typed expressions as DuckDB SQL with the same meaning: where DuckDB's own meaning differs, the text makes up for it.

use super::print::{quoted, text};
use super::{Literal, Node, TypedExpr};
use crate::cast::zone::Zone;
use crate::types::{DataType, TimeUnit};
use std::fmt::Write as _;

mod cast;

/// Writes DuckDB SQL; counts the names that it makes up.
#[derive(Default)]
pub(crate) struct Duck {
    names: usize,
}

impl Duck {
    /// The text of an expression; it reads as one whatever stands beside it.
    pub(crate) fn expr(&mut self, expr: &TypedExpr) -> String {
        match &expr.node {
            Node::Column(name) => quoted(name),
            Node::Literal(literal) => self.literal(literal, &expr.data_type),
            Node::Call { function, args } => {
                let sql: Vec<String> = args.iter().map(|arg| self.expr(arg)).collect();
                let site = super::Site { args, data_type: &expr.data_type };
                (function.spec().duckdb)(site, self, &sql)
            }
            Node::Cast { input, loss, safe } => {
                let sql = self.expr(input);
                let simple = matches!(input.node, Node::Column(_) | Node::Literal(_));
                self.cast(&sql, simple, &input.data_type, &expr.data_type, *loss, *safe)
            }
            Node::Case { branches, otherwise } => {
                let mut sql = String::from("(CASE");
                for (when, then) in branches {
                    let _ = write!(sql, " WHEN {} THEN {}", self.expr(when), self.expr(then));
                }
                if let Some(other) = otherwise {
                    let _ = write!(sql, " ELSE {}", self.expr(other));
                }
                sql + " END)"
            }
        }
    }

    /// A type's name.
    pub(crate) fn data_type(&self, data_type: &DataType) -> String {
        data_type_name(data_type)
    }

    fn literal(&mut self, literal: &Literal, data_type: &DataType) -> String {
        let name = data_type_name(data_type);
        match literal {
            Literal::Null => format!("CAST(NULL AS {name})"),
            Literal::Boolean(value) => value.to_string(),
            Literal::Integer(digits) => format!("CAST('{digits}' AS {name})"),
            Literal::Decimal(digits) => format!("CAST('{digits}' AS {name})"),
            Literal::Float(digits) => format!("CAST('{digits}' AS {name})"),
            Literal::String(value) => nul_safe(value),
            Literal::Binary(hex) => format!("unhex('{hex}')"),
            Literal::Temporal(value) => format!("CAST('{}' AS {name})", value.replace('Z', "+00")),
        }
    }

    /// A name that nothing else has.
    pub(crate) fn name(&mut self) -> String {
        self.names += 1;
        format!("greylag_{}", self.names)
    }

    /// Lets a text stand several times in another without being evaluated several times.
    pub(crate) fn once(&mut self, arg: &TypedExpr, sql: &str, body: impl FnOnce(&mut Self, &str) -> String) -> String {
        let simple = matches!(arg.node, Node::Column(_) | Node::Literal(_));
        self.once_if(simple, sql, body)
    }

    fn once_if(&mut self, simple: bool, sql: &str, body: impl FnOnce(&mut Self, &str) -> String) -> String {
        if simple {
            return body(self, sql);
        }
        let name = self.name();
        let body = body(self, &name);
        format!("list_transform([{sql}], lambda {name}: {body})[1]")
    }

    /// ` AND x IS NOT NULL` of each argument that can be null: an error is no error beside a null.
    pub(crate) fn given(&self, args: &[TypedExpr], sql: &[String]) -> String {
        let nullable = args.iter().zip(sql).filter(|(arg, _)| arg.nullable);
        nullable.map(|(_, sql)| format!(" AND {sql} IS NOT NULL")).collect::<Vec<_>>().concat()
    }

    /// A decimal with room for a result of so many digits: DuckDB computes in 64 bits while both operands fit them.
    pub(crate) fn widened(&self, arg: &TypedExpr, sql: &str, result: &DataType) -> String {
        match (&arg.data_type, result) {
            (DataType::Decimal { precision, scale }, DataType::Decimal { precision: wanted, .. })
                if *wanted > 18 && precision < wanted =>
            {
                format!("CAST({sql} AS DECIMAL({wanted},{scale}))")
            }
            _ => sql.to_owned(),
        }
    }

    /// A sum or difference of decimals: no overflow where an operand is null.
    pub(crate) fn sum(&self, site: super::Site<'_>, sql: &[String], operator: char) -> String {
        let name = data_type_name(site.data_type);
        let left = self.widened(&site.args[0], &sql[0], site.data_type);
        let plain = format!("CAST(({left} {operator} {}) AS {name})", sql[1]);
        match site.data_type {
            DataType::Decimal { precision: 38, .. } if site.args.iter().any(|arg| arg.nullable) => {
                format!("(CASE WHEN {} IS NULL OR {} IS NULL THEN NULL ELSE {plain} END)", sql[0], sql[1])
            }
            _ => plain,
        }
    }

    /// An expression that fails the query.
    pub(crate) fn error(&self, message: &str) -> String {
        format!("error({})", text(message))
    }

    /// Whether an argument is an integer literal of at least `least`.
    pub(crate) fn at_least(&self, arg: &TypedExpr, least: i64) -> bool {
        literal_integer(arg).is_some_and(|value| value >= least)
    }

    /// Whether an argument is an integer literal from 0 to `most`.
    pub(crate) fn at_most(&self, arg: &TypedExpr, most: i64) -> bool {
        literal_integer(arg).is_some_and(|value| (0..=most).contains(&value))
    }

    /// Whether an argument is a text literal that is not empty.
    pub(crate) fn is_text(&self, arg: &TypedExpr) -> bool {
        matches!(&arg.node, Node::Literal(Literal::String(text)) if !text.is_empty())
    }

    /// Upper case; DuckDB has another opinion of one letter.
    pub(crate) fn upper(&mut self, sql: &str) -> String {
        let part = self.name();
        format!("array_to_string(list_transform(string_split({sql}, 'ß'), lambda {part}: upper({part})), 'ß')")
    }

    /// The nearest double of a decimal.
    pub(crate) fn decimal_to_double(&self, sql: &str, from: &DataType) -> String {
        match from {
            DataType::Decimal { precision: 0..=15, .. } => format!("CAST({sql} AS DOUBLE)"),
            _ => format!("CAST(CAST({sql} AS VARCHAR) AS DOUBLE)"),
        }
    }

    /// A date, time or timestamp in what DuckDB's date functions take, cut towards the past.
    pub(crate) fn micros(&mut self, sql: &str, arg: &TypedExpr) -> String {
        match arg.data_type {
            DataType::Timestamp { unit: TimeUnit::Ns, .. } => self.once(arg, sql, |_, value| {
                format!("make_timestamp({})", floor_divide(&format!("epoch_ns({value})"), 1_000))
            }),
            DataType::Timestamp { unit: TimeUnit::S | TimeUnit::Ms, .. } => format!("CAST({sql} AS TIMESTAMP)"),
            _ => sql.to_owned(),
        }
    }

    /// Whole units since the epoch, cut towards the past.
    pub(crate) fn epoch(&mut self, sql: &str, arg: &TypedExpr, per_second: i64) -> String {
        let DataType::Timestamp { unit, .. } = arg.data_type else { return sql.to_owned() };
        self.once(arg, sql, |_, value| match unit {
            TimeUnit::Ns => floor_divide(&format!("epoch_ns({value})"), 1_000_000_000 / per_second),
            _ => floor_divide(&format!("epoch_us({value})"), 1_000_000 / per_second),
        })
    }

    /// Wall clock to instant or back.
    pub(crate) fn at_time_zone(&self, sql: &str, from: &DataType, zone: &str) -> String {
        let DataType::Timestamp { unit, zone: from_zone } = from else { return sql.to_owned() };
        let to = DataType::Timestamp { unit: *unit, zone: from_zone.is_none().then(|| zone.to_owned()) };
        let offset = match Zone::find(zone) {
            Some(Zone::Fixed(offset)) => Some(offset),
            _ => None,
        };
        // Coarse wall clocks would go by way of nanoseconds, whose range is short.
        let coarse = from_zone.is_none() && matches!(unit, TimeUnit::S | TimeUnit::Ms);
        let sql = if coarse { format!("CAST({sql} AS TIMESTAMP)") } else { sql.to_owned() };
        let inner = match (offset, from_zone) {
            (Some(0), _) => format!("({sql} AT TIME ZONE 'UTC')"),
            // Adding an interval gives microseconds.
            (Some(offset), None) if *unit == TimeUnit::Ns => {
                format!("(make_timestamp_ns(epoch_ns({sql}) - {offset}000000000) AT TIME ZONE 'UTC')")
            }
            (Some(offset), Some(_)) if *unit == TimeUnit::Ns => {
                format!("make_timestamp_ns(epoch_ns({sql}) + {offset}000000000)")
            }
            // DuckDB knows no zones such as `+05:30`.
            (Some(offset), None) => format!("(({sql} - to_seconds({offset})) AT TIME ZONE 'UTC')"),
            (Some(offset), Some(_)) => format!("(({sql} AT TIME ZONE 'UTC') + to_seconds({offset}))"),
            (None, _) => format!("({sql} AT TIME ZONE '{zone}')"),
        };
        format!("CAST({inner} AS {})", data_type_name(&to))
    }
}

/// Text in single quotes; DuckDB's parser takes no NUL in them.
fn nul_safe(value: &str) -> String {
    if !value.contains('\0') {
        return text(value);
    }
    let parts: Vec<String> = value.split('\0').map(text).collect();
    format!("({})", parts.join(" || chr(0) || "))
}

/// Integer division towards minus infinity.
fn floor_divide(sql: &str, by: i64) -> String {
    if by == 1 {
        return sql.to_owned();
    }
    format!("({sql} // {by} - CASE WHEN {sql} % {by} < 0 THEN 1 ELSE 0 END)")
}

fn literal_integer(arg: &TypedExpr) -> Option<i64> {
    match &arg.node {
        Node::Literal(Literal::Integer(digits)) => digits.parse().ok(),
        _ => None,
    }
}

pub(crate) fn data_type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Int8 => "TINYINT".into(),
        DataType::Int16 => "SMALLINT".into(),
        DataType::Int32 => "INTEGER".into(),
        DataType::Int64 => "BIGINT".into(),
        DataType::UInt8 => "UTINYINT".into(),
        DataType::UInt16 => "USMALLINT".into(),
        DataType::UInt32 => "UINTEGER".into(),
        DataType::UInt64 => "UBIGINT".into(),
        DataType::Float32 => "FLOAT".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        DataType::Date => "DATE".into(),
        DataType::Time(TimeUnit::Ns) => "TIME_NS".into(),
        DataType::Time(_) => "TIME".into(),
        DataType::Timestamp { unit: TimeUnit::Ns, zone: Some(_) } => "TIMESTAMPTZ_NS".into(),
        DataType::Timestamp { zone: Some(_), .. } => "TIMESTAMPTZ".into(),
        DataType::Timestamp { unit: TimeUnit::S, .. } => "TIMESTAMP_S".into(),
        DataType::Timestamp { unit: TimeUnit::Ms, .. } => "TIMESTAMP_MS".into(),
        DataType::Timestamp { unit: TimeUnit::Us, .. } => "TIMESTAMP".into(),
        DataType::Timestamp { unit: TimeUnit::Ns, .. } => "TIMESTAMP_NS".into(),
        DataType::String => "VARCHAR".into(),
        DataType::Binary => "BLOB".into(),
        DataType::List(item) => format!("{}[]", data_type_name(item)),
        DataType::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, field)| format!("{} {}", quoted(name), data_type_name(field))).collect();
            format!("STRUCT({})", fields.join(", "))
        }
        DataType::Map(key, value) => format!("MAP({}, {})", data_type_name(key), data_type_name(value)),
    }
}
