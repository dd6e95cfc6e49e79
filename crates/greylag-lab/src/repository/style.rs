//! How a team writes SQL: case of keywords, commas, indentation, line ends, quotes; and in which dialect.

use crate::draws::Draws;
use greylag_model::types::{DataType, TimeUnit};

/// Engines whose SQL the lab writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    DuckDb,
    Postgres,
    BigQuery,
}

impl Dialect {
    /// As the truth calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::Postgres => "postgres",
            Self::BigQuery => "bigquery",
        }
    }

    /// A name in quotes. No name that the lab uses in code has a quote in it.
    pub(super) fn quoted(self, name: &str) -> String {
        let quote = if self == Self::BigQuery { '`' } else { '"' };
        format!("{quote}{name}{quote}")
    }

    /// Whether `group by` takes a name of the select list before a column.
    pub(super) fn groups_by_outputs(self) -> bool {
        self == Self::BigQuery
    }

    /// What a star leaves columns out with.
    pub(super) fn except(self) -> &'static str {
        if self == Self::BigQuery { "except" } else { "exclude" }
    }

    /// The name of a type in a cast; `None` for those that no code of the lab casts to.
    pub(super) fn type_name(self, data_type: &DataType) -> Option<String> {
        let bigquery = self == Self::BigQuery;
        let name = match data_type {
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 if bigquery => "int64",
            DataType::Int8 if self == Self::DuckDb => "tinyint",
            DataType::Int8 | DataType::Int16 => "smallint",
            DataType::Int32 => "integer",
            DataType::Int64 => "bigint",
            DataType::Float64 if bigquery => "float64",
            DataType::Float64 if self == Self::DuckDb => "double",
            DataType::Float64 => "double precision",
            DataType::Boolean if bigquery => "bool",
            DataType::Boolean => "boolean",
            DataType::Date => "date",
            DataType::Float32 if bigquery => "float64",
            DataType::Float32 if self == Self::DuckDb => "float",
            DataType::Float32 => "real",
            DataType::Timestamp { unit: TimeUnit::Us, zone: None } if bigquery => "datetime",
            DataType::Timestamp { unit: TimeUnit::Us, zone: None } => "timestamp",
            DataType::Timestamp { unit: TimeUnit::Ns, zone: None } if self == Self::DuckDb => "timestamp_ns",
            DataType::UInt32 if self == Self::DuckDb => "uinteger",
            DataType::UInt64 if self == Self::DuckDb => "ubigint",
            DataType::String if bigquery => "string",
            DataType::String if self == Self::Postgres => "text",
            DataType::String => "varchar",
            DataType::Decimal { precision, scale } if bigquery => {
                return Some(format!("numeric({precision}, {scale})"));
            }
            DataType::Decimal { precision, scale } => return Some(format!("decimal({precision}, {scale})")),
            _ => return None,
        };
        Some(name.to_owned())
    }
}

/// A team's habits.
#[derive(Clone, Debug)]
pub(super) struct Style {
    pub(super) dialect: Dialect,
    /// Keywords in upper case.
    pub(super) upper: bool,
    /// Commas at the beginning of lines.
    leading_commas: bool,
    /// What one level of indentation is.
    indent: &'static str,
    pub(super) crlf: bool,
    pub(super) no_final_newline: bool,
    /// Names of tables always in quotes.
    pub(super) quoted_tables: bool,
    /// Jinja's strings in double quotes.
    pub(super) double_quotes: bool,
}

const KEYWORDS: &[&str] = &[
    "select",
    "from",
    "where",
    "group",
    "by",
    "order",
    "join",
    "left",
    "inner",
    "cross",
    "on",
    "as",
    "with",
    "and",
    "or",
    "not",
    "null",
    "is",
    "in",
    "exists",
    "case",
    "when",
    "then",
    "else",
    "end",
    "distinct",
    "over",
    "partition",
    "having",
    "union",
    "all",
    "using",
    "create",
    "table",
    "view",
    "insert",
    "into",
    "values",
    "update",
    "set",
    "delete",
    "merge",
    "matched",
    "limit",
    "desc",
    "between",
    "like",
    "cast",
    "count",
    "max",
    "coalesce",
    "exclude",
    "except",
];

impl Style {
    /// Draws a team's habits.
    pub(super) fn draw(draws: &mut Draws, dialect: Dialect) -> Self {
        Self {
            dialect,
            upper: draws.chance(40),
            leading_commas: draws.chance(30),
            indent: ["    ", "    ", "  ", "\t"][draws.below(4)],
            crlf: draws.chance(20),
            no_final_newline: draws.chance(20),
            quoted_tables: draws.chance(25),
            double_quotes: draws.chance(30),
        }
    }

    /// Traps that lie in the habits.
    pub(super) fn traps(&self) -> Vec<&'static str> {
        let traps = [
            ("crlf", self.crlf),
            ("tabs", self.indent == "\t"),
            ("no-final-newline", self.no_final_newline),
            ("leading-commas", self.leading_commas),
            ("upper-case", self.upper),
        ];
        traps.into_iter().filter(|(_, holds)| *holds).map(|(trap, _)| trap).collect()
    }

    /// A keyword, or a few, in the team's case.
    pub(super) fn word(&self, word: &str) -> String {
        if self.upper { word.to_uppercase() } else { word.to_owned() }
    }

    /// A template of SQL in the team's hand. Marks, Jinja, comments, strings and quoted names stay as they are.
    pub(super) fn sql(&self, template: &str) -> String {
        let text = if self.upper { upper_keywords(template) } else { template.to_owned() };
        let text = if self.leading_commas { leading_commas(&text) } else { text };
        let lines = text.split('\n').map(|line| {
            let rest = line.trim_start_matches("    ");
            format!("{}{rest}", self.indent.repeat((line.len() - rest.len()) / 4))
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// What is opened by the first and lasts up to and with the second.
const OPAQUE: &[(&str, &str)] =
    &[("‹", "›"), ("{{", "}}"), ("{%", "%}"), ("{#", "#}"), ("/*", "*/"), ("--", "\n"), ("'", "'"), ("\"", "\"")];

fn upper_keywords(template: &str) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        let opaque = OPAQUE.iter().find(|(open, _)| rest.starts_with(open));
        let length = if let Some((open, close)) = opaque {
            rest[open.len()..].find(close).map_or(rest.len(), |at| open.len() + at + close.len())
        } else if first.is_alphanumeric() || first == '_' {
            rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, tail) = rest.split_at(length);
        if KEYWORDS.contains(&token) && !out.ends_with(['.', '›', '_']) {
            out.push_str(&token.to_uppercase());
        } else {
            out.push_str(token);
        }
        rest = tail;
    }
    out
}

fn leading_commas(template: &str) -> String {
    let lines: Vec<&str> = template.split('\n').collect();
    let moves = |line: &str, next: Option<&&str>| {
        let next = next.map(|next| next.trim_start()).unwrap_or_default();
        let free = next.starts_with(|first: char| first.is_alphanumeric() || first == '‹' || first == '\'');
        line.ends_with(',') && free && !line.contains("--") && !line.contains("{{")
    };
    let mut out = Vec::with_capacity(lines.len());
    let mut comma = false;
    for (at, line) in lines.iter().enumerate() {
        let mut text = (*line).to_owned();
        if comma {
            let indent = text.len() - text.trim_start().len();
            text.insert_str(indent, ", ");
        }
        comma = moves(line, lines.get(at + 1));
        if comma {
            text.pop();
        }
        out.push(text);
    }
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Style};

    fn check(template: &str, expected: &str) {
        let style = Style {
            dialect: Dialect::DuckDb,
            upper: true,
            leading_commas: true,
            indent: "\t",
            crlf: false,
            no_final_newline: false,
            quoted_tables: false,
            double_quotes: false,
        };
        assert_eq!(style.sql(template), expected);
    }

    #[test]
    fn a_team_writes_in_its_own_hand() {
        check("select\n    a,\n    b -- from it\nfrom t", "SELECT\n\ta\n\t, b -- from it\nFROM t");
        check("select ‹out a›, 'as' from ‹from D›", "SELECT ‹out a›, 'as' FROM ‹from D›");
        check("{{ select('x') }} as from_me", "{{ select('x') }} AS from_me");
        check("    a, -- and\n    b", "\ta, -- and\n\tb");
    }
}
