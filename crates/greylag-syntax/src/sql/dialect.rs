//! What differs between SQL dialects as far as names go: letters, quotes, comments, and which names are seen where.

use std::fmt;
use std::str::FromStr;

use sqlparser::dialect as parser;

/// A dialect of SQL.
///
/// It decides how text is cut into words, whether two names are the same, and which clause sees the names that a select
/// list gives. Redshift reads as [`Dialect::Postgres`], Databricks as [`Dialect::Spark`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// GoogleSQL of BigQuery.
    BigQuery,
    /// PostgreSQL and what descends from it.
    Postgres,
    /// DuckDB.
    DuckDb,
    /// Snowflake.
    Snowflake,
    /// Trino, Presto, Athena.
    Trino,
    /// Spark SQL, Databricks, Hive.
    Spark,
    /// ClickHouse.
    ClickHouse,
    /// Nothing is known: the most lenient reading.
    Generic,
}

/// A name of no known dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no known SQL dialect; known are bigquery, postgres, duckdb, snowflake, trino, spark, clickhouse and generic"
)]
pub struct UnknownDialect(String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, UnknownDialect> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "bigquery" => Self::BigQuery,
            "postgres" | "postgresql" | "redshift" => Self::Postgres,
            "duckdb" => Self::DuckDb,
            "snowflake" => Self::Snowflake,
            "trino" | "presto" | "athena" => Self::Trino,
            "spark" | "databricks" | "hive" => Self::Spark,
            "clickhouse" => Self::ClickHouse,
            "generic" => Self::Generic,
            _ => return Err(UnknownDialect(name.to_owned())),
        })
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BigQuery => "bigquery",
            Self::Postgres => "postgres",
            Self::DuckDb => "duckdb",
            Self::Snowflake => "snowflake",
            Self::Trino => "trino",
            Self::Spark => "spark",
            Self::ClickHouse => "clickhouse",
            Self::Generic => "generic",
        })
    }
}

/// A name as it is compared: its letters without quotes, and whether it had quotes.
pub(super) type Written<'a> = (&'a str, bool);

impl Dialect {
    /// The parser's dialect. Trino has none of its own there; the generic one reads it best.
    pub(super) fn parser(self) -> &'static dyn parser::Dialect {
        match self {
            Self::BigQuery => &parser::BigQueryDialect {},
            Self::Postgres => &parser::PostgreSqlDialect {},
            Self::DuckDb => &parser::DuckDbDialect {},
            Self::Snowflake => &parser::SnowflakeDialect {},
            Self::Spark => &parser::DatabricksDialect {},
            Self::ClickHouse => &parser::ClickHouseDialect {},
            Self::Trino | Self::Generic => &parser::GenericDialect {},
        }
    }

    /// Whether two written names mean the same thing. PostgreSQL folds names without quotes to lower case and Snowflake to
    /// upper case, and what has quotes stays; ClickHouse keeps every letter; elsewhere letters of either case are equal.
    pub(super) fn same(self, one: Written<'_>, other: Written<'_>) -> bool {
        let ((one, quoted), (other, other_quoted)) = (one, other);
        if self == Self::ClickHouse {
            return one == other;
        }
        let folds = |quoted: &str, unquoted: &str| match self {
            Self::Postgres => quoted.bytes().eq(unquoted.bytes().map(|b| b.to_ascii_lowercase())),
            Self::Snowflake => quoted.bytes().eq(unquoted.bytes().map(|b| b.to_ascii_uppercase())),
            _ => quoted.eq_ignore_ascii_case(unquoted),
        };
        match (quoted, other_quoted) {
            (false, false) => one.eq_ignore_ascii_case(other),
            (true, true) if self.keeps_case() => one == other,
            (true, true) => one.eq_ignore_ascii_case(other),
            (true, false) => folds(one, other),
            (false, true) => folds(other, one),
        }
    }

    /// Whether a written name means a column that a schema calls `column`. Schemas come from many hands and write unquoted
    /// names in either case, so only a quoted name of a dialect that keeps case must be equal to the letter, and any of ClickHouse.
    pub(super) fn is_column(self, written: Written<'_>, column: &str) -> bool {
        if self == Self::ClickHouse || written.1 && self.keeps_case() {
            written.0 == column
        } else {
            written.0.eq_ignore_ascii_case(column)
        }
    }

    fn keeps_case(self) -> bool {
        matches!(self, Self::Postgres | Self::Snowflake)
    }

    /// Whether `"x"` is a string.
    pub(super) fn double_quotes_are_strings(self) -> bool {
        matches!(self, Self::BigQuery | Self::Spark)
    }

    /// Whether a backslash escapes in plain strings.
    pub(super) fn backslash_escapes(self) -> bool {
        matches!(self, Self::BigQuery | Self::Spark | Self::Snowflake | Self::ClickHouse)
    }

    /// Whether `$$ … $$` is a string.
    pub(super) fn dollar_quotes(self) -> bool {
        matches!(self, Self::Postgres | Self::DuckDb | Self::Snowflake | Self::Generic)
    }

    /// Whether comments nest.
    pub(super) fn comments_nest(self) -> bool {
        matches!(self, Self::Postgres | Self::DuckDb | Self::Spark | Self::Trino | Self::Generic)
    }

    /// Whether a dot after a column reaches into a field of it without parentheses.
    pub(super) fn dots_reach_fields(self) -> bool {
        !matches!(self, Self::Postgres | Self::Snowflake)
    }

    /// Whether one pair of backticks may hold all parts of a name.
    pub(super) fn quotes_hold_dots(self) -> bool {
        matches!(self, Self::BigQuery)
    }

    /// Whether a later item of a select list, or its `where`, sees the name of an earlier one.
    pub(super) fn items_see_aliases(self) -> bool {
        matches!(self, Self::Snowflake | Self::DuckDb | Self::Spark | Self::ClickHouse | Self::Generic)
    }

    /// Whether `where` sees names of the select list.
    pub(super) fn filters_see_aliases(self) -> bool {
        matches!(self, Self::Snowflake | Self::DuckDb | Self::ClickHouse)
    }

    /// Whether a relation that is given another name is also named by its own.
    pub(super) fn keeps_own_names(self) -> bool {
        self == Self::ClickHouse
    }

    /// Whether every clause and item, even one before it, takes a name of the select list before a column of the same name.
    pub(super) fn aliases_hide_columns(self) -> bool {
        self == Self::ClickHouse
    }

    /// Whether `having` sees names of the select list.
    pub(super) fn having_sees_aliases(self) -> bool {
        !matches!(self, Self::Postgres | Self::Trino)
    }

    /// Whether `group by` and `having` take a name of the select list before a column of the same name.
    pub(super) fn groups_prefer_aliases(self) -> bool {
        matches!(self, Self::BigQuery | Self::ClickHouse)
    }

    /// Whether a word alone calls a function. Columns of such names need quotes.
    pub(super) fn is_call(self, word: &str) -> bool {
        const WORDS: &[&str] = &[
            "current_user",
            "current_role",
            "current_schema",
            "current_catalog",
            "current_database",
            "current_date",
            "current_time",
            "current_timestamp",
            "session_user",
            "system_user",
            "localtime",
            "localtimestamp",
        ];
        let calls = WORDS.iter().any(|known| known.eq_ignore_ascii_case(word));
        self != Self::BigQuery && calls || self == Self::Postgres && word.eq_ignore_ascii_case("user")
    }

    /// Whether some clause sees columns before names of the select list, so that what was used as a column matters.
    pub(super) fn remembers_columns(self) -> bool {
        self != Self::Trino
    }

    /// Whether `group by` sees names of the select list at all.
    pub(super) fn groups_see_aliases(self) -> bool {
        !matches!(self, Self::Trino)
    }

    /// Whether names of the select list are seen inside expressions of `order by`, not only alone.
    pub(super) fn orders_see_aliases_inside(self) -> bool {
        !matches!(self, Self::Postgres)
    }

    /// Whether the engine gives every relation, or many, a column of this name that no schema lists.
    pub(super) fn is_pseudo_column(self, name: &str) -> bool {
        let names: &[&str] = match self {
            Self::BigQuery => &[
                "_partitiontime",
                "_partitiondate",
                "_table_suffix",
                "_file_name",
                "_change_type",
                "_change_timestamp",
            ],
            Self::Postgres => &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"],
            Self::DuckDb => &["rowid", "filename"],
            Self::Snowflake => &[
                "metadata$filename",
                "metadata$file_row_number",
                "metadata$action",
                "metadata$isupdate",
                "metadata$row_id",
                "metadata$start_scan_time",
                "metadata$file_last_modified",
                "metadata$file_content_key",
            ],
            Self::Trino => &["$path", "$file_size", "$file_modified_time", "$partition", "$bucket"],
            Self::Spark => &[
                "_metadata",
                "input__file__name",
                "block__offset__inside__file",
                "_change_type",
                "_commit_version",
                "_commit_timestamp",
            ],
            Self::ClickHouse => &[
                "_part",
                "_part_index",
                "_part_offset",
                "_partition_id",
                "_partition_value",
                "_table",
                "_path",
                "_file",
            ],
            Self::Generic => &[],
        };
        names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}
