//! Typed expressions as the SQL that a person would write.
//!
//! What is written means the same in every engine of the dialect, or is not written at all: functions whose nulls, rounding or
//! letters differ between engines have no text here, and whoever asked learns which one it was.

use greylag_model::expr::{Function, Literal, Node, TypedExpr};
use greylag_model::types::{DataType, TimeUnit};
use greylag_syntax::sql::Dialect;
use std::fmt::Write as _;

/// How to write.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// Which SQL.
    pub dialect: Dialect,
    /// What stands before each column, with its dot; may be empty.
    pub qualifier: &'a str,
    /// Whether keywords are upper case.
    pub upper: bool,
    /// Texts that stand for columns, by their names; any other column is written by its name.
    pub texts: &'a [(String, String)],
}

/// Why an expression has no text in a dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} has no text in {dialect} that surely means the same")]
pub struct Unwritable {
    what: String,
    dialect: Dialect,
}

impl Style<'_> {
    /// The text of an expression; it reads as one whatever stands beside it.
    pub fn write(&self, expr: &TypedExpr) -> Result<String, Unwritable> {
        match &expr.node {
            Node::Column(name) => match self.texts.iter().find(|(column, _)| column == name) {
                Some((_, text)) => Ok(text.clone()),
                None => Ok(format!("{}{}", self.qualifier, self.name(name))),
            },
            Node::Literal(literal) => self.literal(literal, &expr.data_type),
            Node::Call { function, args } => self.call(*function, args),
            Node::Cast { input, loss: None, safe } => {
                let to = self.type_of(&expr.data_type, expr.nullable || input.nullable)?;
                self.cast(&self.write(input)?, &to, *safe)
            }
            Node::Cast { .. } => Err(self.none("a cast that says how it rounds")),
            Node::Case { branches, otherwise } => self.case(branches, otherwise.as_deref()),
        }
    }

    /// A keyword in the style's case.
    pub fn word(&self, word: &str) -> String {
        if self.upper { word.to_ascii_uppercase() } else { word.to_owned() }
    }

    /// A name, quoted if it must be.
    pub fn name(&self, name: &str) -> String {
        if is_plain(name) {
            return name.to_owned();
        }
        let quote = if matches!(self.dialect, Dialect::BigQuery | Dialect::Spark) { '`' } else { '"' };
        quoted(name, quote)
    }

    fn none(&self, what: impl Into<String>) -> Unwritable {
        Unwritable { what: what.into(), dialect: self.dialect }
    }

    fn cast(&self, input: &str, to: &str, safe: bool) -> Result<String, Unwritable> {
        let word = match (safe, self.dialect) {
            (false, _) => "cast",
            (true, Dialect::BigQuery) => "safe_cast",
            (true, Dialect::Postgres | Dialect::ClickHouse) => {
                return Err(self.none("a cast that gives null for what does not fit"));
            }
            (true, _) => "try_cast",
        };
        Ok(format!("{}({input} {} {to})", self.word(word), self.word("as")))
    }

    /// A type in the style's case. ClickHouse casts null only to a type that has it, and takes its own types' names to the letter.
    pub fn type_of(&self, to: &DataType, nullable: bool) -> Result<String, Unwritable> {
        let name = self.data_type(to)?;
        Ok(match self.dialect {
            Dialect::ClickHouse if nullable => format!("Nullable({name})"),
            Dialect::ClickHouse => name,
            _ => self.word(&name),
        })
    }

    fn case(&self, branches: &[(TypedExpr, TypedExpr)], otherwise: Option<&TypedExpr>) -> Result<String, Unwritable> {
        let mut text = format!("({}", self.word("case"));
        for (when, then) in branches {
            let (when, then) = (self.write(when)?, self.write(then)?);
            let _ = write!(text, " {} {when} {} {then}", self.word("when"), self.word("then"));
        }
        if let Some(other) = otherwise {
            let _ = write!(text, " {} {}", self.word("else"), self.write(other)?);
        }
        Ok(format!("{text} {})", self.word("end")))
    }

    fn call(&self, function: Function, args: &[TypedExpr]) -> Result<String, Unwritable> {
        let texts = args.iter().map(|arg| self.write(arg)).collect::<Result<Vec<_>, _>>()?;
        let infix = |operator: &str| Ok(format!("({})", texts.join(&format!(" {} ", self.word(operator)))));
        let plain = |name: &str| Ok(format!("{}({})", self.word(name), texts.join(", ")));
        let exact = args.iter().all(|arg| is_exact(&arg.data_type));
        match function {
            Function::Add if exact => infix("+"),
            Function::Subtract if exact => infix("-"),
            Function::Multiply if exact => infix("*"),
            Function::Equal => infix("="),
            Function::NotEqual => infix("<>"),
            Function::Less => infix("<"),
            Function::LessEqual => infix("<="),
            Function::Greater => infix(">"),
            Function::GreaterEqual => infix(">="),
            Function::And => infix("and"),
            Function::Or => infix("or"),
            Function::Concat => infix("||"),
            Function::Not => Ok(format!("({} {})", self.word("not"), texts.concat())),
            Function::IsNull => Ok(format!("({} {})", texts.concat(), self.word("is null"))),
            Function::IsNotNull => Ok(format!("({} {})", texts.concat(), self.word("is not null"))),
            Function::In => match texts.split_first() {
                Some((first, rest)) => Ok(format!("({first} {} ({}))", self.word("in"), rest.join(", "))),
                None => Err(self.none("a list without a value")),
            },
            Function::Coalesce => plain("coalesce"),
            Function::NullIf => plain("nullif"),
            Function::Lower => plain("lower"),
            Function::Replace => plain("replace"),
            Function::ConcatWith if !matches!(self.dialect, Dialect::BigQuery | Dialect::Snowflake) => {
                plain("concat_ws")
            }
            other => Err(self.none(format!("`{}`", other.name()))),
        }
    }

    fn literal(&self, literal: &Literal, data_type: &DataType) -> Result<String, Unwritable> {
        match literal {
            Literal::Null => self.cast(&self.word("null"), &self.type_of(data_type, true)?, false),
            Literal::Boolean(value) => Ok(self.word(if *value { "true" } else { "false" })),
            Literal::Integer(digits) | Literal::Decimal(digits) if digits.starts_with('-') => Ok(format!("({digits})")),
            Literal::Integer(digits) | Literal::Decimal(digits) => Ok(digits.clone()),
            Literal::String(text) => self.text(text),
            Literal::Temporal(text) => self.cast(&format!("'{text}'"), &self.type_of(data_type, false)?, false),
            Literal::Float(_) | Literal::Binary(_) => Err(self.none("a literal of floating point or of bytes")),
        }
    }

    fn text(&self, text: &str) -> Result<String, Unwritable> {
        if text.chars().any(|letter| letter.is_control() || letter == '\\') {
            return Err(self.none("a text with a backslash or a control character"));
        }
        let quote = if matches!(self.dialect, Dialect::BigQuery | Dialect::Spark) { "\\'" } else { "''" };
        Ok(format!("'{}'", text.replace('\'', quote)))
    }

    /// The name of a type; an engine's timestamps have the unit that they have there.
    fn data_type(&self, data_type: &DataType) -> Result<String, Unwritable> {
        use Dialect::{BigQuery, DuckDb, Generic, Postgres, Snowflake, Spark, Trino};
        if self.dialect == Dialect::ClickHouse {
            return clickhouse(data_type).ok_or_else(|| self.none(format!("the type `{data_type}`")));
        }
        let name = match (data_type, self.dialect) {
            (DataType::Boolean, BigQuery) => "bool",
            (DataType::Boolean, _) => "boolean",
            (DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64, BigQuery) => "int64",
            (DataType::Int8, DuckDb | Spark | Trino) => "tinyint",
            (DataType::Int8 | DataType::Int16, _) => "smallint",
            (DataType::Int32, Spark) => "int",
            (DataType::Int32, _) => "integer",
            (DataType::Int64, _) => "bigint",
            (DataType::UInt8, DuckDb) => "utinyint",
            (DataType::UInt16, DuckDb) => "usmallint",
            (DataType::UInt32, DuckDb) => "uinteger",
            (DataType::UInt64, DuckDb) => "ubigint",
            (DataType::Float32, DuckDb | Spark) => "float",
            (DataType::Float32, Postgres | Trino | Generic) => "real",
            (DataType::Float64, BigQuery) => "float64",
            (DataType::Float64, Postgres | Generic) => "double precision",
            (DataType::Float64, _) => "double",
            (DataType::Decimal { precision, scale }, BigQuery) => return Ok(format!("numeric({precision}, {scale})")),
            (DataType::Decimal { precision, scale }, _) => return Ok(format!("decimal({precision}, {scale})")),
            (DataType::Date, _) => "date",
            (DataType::Timestamp { zone: Some(_), .. }, BigQuery | Spark) => "timestamp",
            (DataType::Timestamp { zone: Some(_), .. }, Snowflake) => "timestamp_tz",
            (DataType::Timestamp { zone: Some(_), .. }, Trino) => "timestamp(6) with time zone",
            (DataType::Timestamp { zone: Some(_), .. }, Postgres | DuckDb) => "timestamptz",
            (DataType::Timestamp { zone: Some(_), .. }, Generic) => "timestamp with time zone",
            (DataType::Timestamp { .. }, BigQuery) => "datetime",
            (DataType::Timestamp { .. }, Snowflake | Spark) => "timestamp_ntz",
            (DataType::Timestamp { unit: TimeUnit::Ns, .. }, Trino) => "timestamp(9)",
            (DataType::Timestamp { .. }, Trino) => "timestamp(6)",
            (DataType::Timestamp { unit, .. }, DuckDb) => match unit {
                TimeUnit::S => "timestamp_s",
                TimeUnit::Ms => "timestamp_ms",
                TimeUnit::Us => "timestamp",
                TimeUnit::Ns => "timestamp_ns",
            },
            (DataType::Timestamp { .. }, Postgres | Generic) => "timestamp",
            (DataType::String, BigQuery | Spark) => "string",
            (DataType::String, Postgres) => "text",
            (DataType::String, _) => "varchar",
            (other, _) => return Err(self.none(format!("the type `{other}`"))),
        };
        Ok(name.to_owned())
    }
}

/// What ClickHouse calls a type. Its dates and times have the widest range that it knows.
fn clickhouse(data_type: &DataType) -> Option<String> {
    let name = match data_type {
        DataType::Boolean => "Bool",
        DataType::Int8 => "Int8",
        DataType::Int16 => "Int16",
        DataType::Int32 => "Int32",
        DataType::Int64 => "Int64",
        DataType::UInt8 => "UInt8",
        DataType::UInt16 => "UInt16",
        DataType::UInt32 => "UInt32",
        DataType::UInt64 => "UInt64",
        DataType::Float32 => "Float32",
        DataType::Float64 => "Float64",
        DataType::Decimal { precision, scale } => return Some(format!("Decimal({precision}, {scale})")),
        DataType::Date => "Date32",
        DataType::Timestamp { unit, zone: None } => match unit {
            TimeUnit::S => "DateTime64(0)",
            TimeUnit::Ms => "DateTime64(3)",
            TimeUnit::Us => "DateTime64(6)",
            TimeUnit::Ns => "DateTime64(9)",
        },
        DataType::String => "String",
        _ => return None,
    };
    Some(name.to_owned())
}

/// Numbers whose sums and products are the same in every engine.
fn is_exact(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)
}

/// A name between quotes.
pub(crate) fn quoted(name: &str, quote: char) -> String {
    let doubled: String = [quote, quote].iter().collect();
    format!("{quote}{}{quote}", name.replace(quote, &doubled))
}

/// Whether a name needs no quotes in any dialect, and means itself there whatever an engine does with letters' case.
pub(crate) fn is_plain(name: &str) -> bool {
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_');
    begins
        && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && !RESERVED.contains(&name)
}

/// Words that are no names somewhere, in order.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "at",
    "authorization",
    "between",
    "binary",
    "both",
    "by",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "contains",
    "create",
    "cross",
    "cube",
    "current",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "delete",
    "desc",
    "describe",
    "distinct",
    "drop",
    "else",
    "end",
    "enum",
    "escape",
    "except",
    "exclude",
    "exists",
    "extract",
    "false",
    "fetch",
    "following",
    "for",
    "foreign",
    "from",
    "full",
    "grant",
    "group",
    "grouping",
    "groups",
    "hash",
    "having",
    "if",
    "ignore",
    "ilike",
    "in",
    "initially",
    "inner",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "lambda",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "lookup",
    "merge",
    "minus",
    "natural",
    "new",
    "no",
    "not",
    "null",
    "nulls",
    "of",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "over",
    "overlaps",
    "partition",
    "pivot",
    "placing",
    "preceding",
    "primary",
    "proto",
    "qualify",
    "range",
    "recursive",
    "references",
    "respect",
    "returning",
    "right",
    "rollup",
    "row",
    "rows",
    "sample",
    "select",
    "session_user",
    "set",
    "similar",
    "some",
    "start",
    "struct",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "treat",
    "true",
    "unbounded",
    "union",
    "unique",
    "unnest",
    "unpivot",
    "update",
    "user",
    "using",
    "values",
    "variadic",
    "when",
    "where",
    "window",
    "with",
    "within",
];

#[cfg(test)]
mod tests {
    use super::Style;
    use greylag_model::expr::{Literal, Node, TypedExpr};
    use greylag_model::types::{DataType, TimeUnit};
    use greylag_syntax::sql::Dialect;

    fn cast(to: DataType, nullable: bool) -> TypedExpr {
        let input = TypedExpr { data_type: DataType::String, nullable, node: Node::Column("a".to_owned()) };
        TypedExpr { data_type: to, nullable, node: Node::Cast { input: Box::new(input), loss: None, safe: false } }
    }

    #[test]
    fn clickhouse_casts_null_to_a_type_that_has_it() {
        for upper in [false, true] {
            let style = Style { dialect: Dialect::ClickHouse, qualifier: "", upper, texts: &[] };
            let written = |expr| style.write(&expr).map(|text| text.replace("CAST", "cast").replace("AS", "as"));
            assert_eq!(written(cast(DataType::Int64, true)).as_deref(), Ok("cast(a as Nullable(Int64))"));
            assert_eq!(written(cast(DataType::String, false)).as_deref(), Ok("cast(a as String)"));
            let at = DataType::Timestamp { unit: TimeUnit::Us, zone: None };
            assert_eq!(written(cast(at, false)).as_deref(), Ok("cast(a as DateTime64(6))"));
        }
        let style = Style { dialect: Dialect::ClickHouse, qualifier: "", upper: true, texts: &[] };
        let null = TypedExpr { data_type: DataType::Int8, nullable: true, node: Node::Literal(Literal::Null) };
        assert_eq!(style.write(&null).as_deref(), Ok("CAST(NULL AS Nullable(Int8))"));
        let TypedExpr { node: Node::Cast { input, .. }, .. } = cast(DataType::Int64, true) else { panic!("a cast") };
        let safe = Node::Cast { input, loss: None, safe: true };
        assert!(style.write(&TypedExpr { data_type: DataType::Int64, nullable: true, node: safe }).is_err());
    }
}
