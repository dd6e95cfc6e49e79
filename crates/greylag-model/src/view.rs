//! The compatibility view: the old names and types over the new files, as SQL that DuckDB runs.
//!
//! A view shows every column of the old dataset, in its order, through the mapping's reverse. A column that is lost is a
//! typed null, with a comment that says why, so that a reader's query still binds. Names, texts and paths are quoted for
//! the place where they stand: in double quotes, in single quotes, in a glob, or in a comment (where nothing may end the
//! line).
//!
//! Some ways of DuckDB's need care. It tells column names apart without regard to case, so where the target has two names
//! that are equal but for case, the columns are read under made-up names by position. And it takes a backslash in a glob
//! for a separator, so a directory below one cannot be read, nor CSV whose null text holds a delimiter or quote: those are
//! errors of the view, not of the data. JSON lines are read by their keys, so names that are equal but for case have no view
//! there, nor have bytes inside nested values, which are base64 in the file. A null text that holds the escape (`\N`) it reads outside its strict mode,
//! and as text, which the view converts.
//!
//! Parquet has no unit of seconds: `timestamp(s)` and `time(s)` are whole numbers in the file, and that is what DuckDB
//! (and every engine that does not read Arrow's schema) sees. A reader of the old dataset saw numbers too, so the view
//! shows numbers where the old dataset was Parquet, and times where it was text; expressions get times.
//!
//! DuckDB reads Avro by an extension that has to be fetched for each of its versions, and that no test here runs: a view over
//! it would be a promise that nobody has tried. So a note stands in its place, of comments only: which old column is what
//! of the new.

use crate::code;
use crate::dataset::{CsvDialect, Format, Layout, LineEnding, Shape};
use crate::diagnostic::Diagnostic;
use crate::expr::{Dialect, Node, TypedExpr, data_type_name};
use crate::mapping::{Mapping, ReverseWay};
use crate::schema::Column;
use crate::types::{DataType, TimeUnit};
use std::collections::HashMap;

/// What a view stands for.
#[derive(Clone, Copy, Debug)]
pub struct ViewRequest<'a> {
    /// Name of the view: that of the old dataset.
    pub name: &'a str,
    /// The migration's mapping.
    pub mapping: &'a Mapping,
    /// How the old files are laid out.
    pub source: &'a Layout,
    /// How the new files are laid out.
    pub layout: &'a Layout,
    /// The new file, or the directory of new files, as DuckDB is to open it.
    pub path: &'a str,
}

/// The SQL text of the view, comments included; `GL0442` where DuckDB cannot read such a place.
pub fn compatibility_view(request: ViewRequest<'_>) -> Result<String, Diagnostic> {
    if is_note(request.layout) {
        return Ok(note(request));
    }
    let renames = renames(request)?;
    let clocks = Clocks::of(request, &renames);
    let from = clocks.around(source(request, &renames)?);
    let columns = &request.mapping.source.columns;
    let lines = columns.iter().zip(&request.mapping.reverse).enumerate().map(|(number, (column, reverse))| {
        let comma = if number + 1 < columns.len() { "," } else { "" };
        let (value, lost) = value(request, column, &reverse.way, &renames, &clocks);
        let comment = lost.map(|why| format!(" -- lost: {}", commented(why))).unwrap_or_default();
        format!("    {value} AS {}{comma}{comment}\n", name(&column.name))
    });
    let lines: String = lines.collect();
    let (view, old) = (name(request.name), commented(request.name));
    Ok(format!(
        "-- The old names and types of {old} over the new files.\n\
         -- DuckDB reads it: duckdb -c \".read FILE\" -c \"SELECT …\"\n\
         CREATE OR REPLACE VIEW {view} AS\nSELECT\n{lines}FROM {from};\n"
    ))
}

/// Whether a note stands in place of the view.
pub fn is_note(layout: &Layout) -> bool {
    matches!(layout.format, Format::Avro { .. })
}

/// Comments: they run as they are, and do nothing.
fn note(request: ViewRequest<'_>) -> String {
    let (clocks, none) = (Clocks { names: Renames::new(), columns: Vec::new() }, Renames::new());
    let columns = request.mapping.source.columns.iter().zip(&request.mapping.reverse).flat_map(|(column, reverse)| {
        let (value, lost) = value(request, column, &reverse.way, &none, &clocks);
        let why = lost.map(|why| format!(" (lost: {why})")).unwrap_or_default();
        let line = commented(&format!("    {} = {value}{why}", name(&column.name)));
        ["-- ".to_owned(), line, "\n".to_owned()]
    });
    let lines: String = columns.collect();
    let (old, path) = (commented(request.name), commented(request.path));
    format!(
        "-- There is no view of {old}: its new files are Avro, which DuckDB reads only by an extension.\n\
         -- The new files: {path}\n\
         -- The old columns, in terms of the new ones:\n{lines}"
    )
}

/// Whether there can be a view, without writing it: `GL0442` as above.
pub fn check(request: ViewRequest<'_>) -> Result<(), Diagnostic> {
    if is_note(request.layout) {
        return Ok(());
    }
    source(request, &renames(request)?).map(drop)
}

/// What DuckDB sees of the target's columns, by their names, where that is not the name itself.
type Renames = HashMap<String, String>;

/// Made-up names where two columns are equal but for case.
fn renames(request: ViewRequest<'_>) -> Result<Renames, Diagnostic> {
    let by_key = request.layout.format == Format::Json;
    let columns = &request.mapping.target.columns;
    let mut folded: HashMap<String, &str> = HashMap::new();
    let mut equal = false;
    for column in columns {
        let Some(other) = folded.insert(column.name.to_lowercase(), &column.name) else { continue };
        equal = true;
        if by_key {
            let message = format!(
                "DuckDB does not tell the key `{}` from `{other}`, so there is no compatibility view",
                column.name
            );
            return Err(Diagnostic::error(code::plan::NO_VIEW, message)
                .hint("give one of the new columns a name that differs by more than case"));
        }
        if request.layout.partition_by.iter().any(|name| *name == column.name || *name == other) {
            let message = format!(
                "DuckDB does not tell the partition column `{}` from `{other}`, so there is no compatibility view",
                column.name
            );
            return Err(Diagnostic::error(code::plan::NO_VIEW, message));
        }
    }
    let numbered = columns.iter().enumerate().map(|(number, column)| (column.name.clone(), format!("c{}", number + 1)));
    Ok(if equal { numbered.collect() } else { Renames::new() })
}

/// Columns of whole seconds as times, under made-up names, for the expressions that use them.
struct Clocks {
    names: Renames,
    /// `… AS "made-up"`.
    columns: Vec<String>,
}

impl Clocks {
    fn of(request: ViewRequest<'_>, renames: &Renames) -> Self {
        let mut clocks = Self { names: Renames::new(), columns: Vec::new() };
        let target = &request.mapping.target;
        let ways = request.mapping.reverse.iter().map(|reverse| &reverse.way);
        let used =
            |name: &String| ways.clone().any(|way| matches!(way, ReverseWay::Expr { expr, .. } if uses(expr, name)));
        for column in target.columns.iter().filter(|column| is_count(request.layout, column) && used(&column.name)) {
            let mut made_up = format!("{} as time", column.name);
            while target.columns.iter().any(|other| other.name.to_lowercase() == made_up.to_lowercase()) {
                made_up.push('\'');
            }
            let count = name(renames.get(&column.name).unwrap_or(&column.name));
            clocks.columns.push(format!("{} AS {}", to_time(&count, &column.data_type), name(&made_up)));
            clocks.names.insert(column.name.clone(), made_up);
        }
        clocks
    }

    fn around(&self, files: String) -> String {
        if self.columns.is_empty() { files } else { format!("(SELECT *, {} FROM {files})", self.columns.join(", ")) }
    }
}

/// Whether DuckDB reads the column's seconds as a whole number.
fn is_count(layout: &Layout, column: &Column) -> bool {
    let seconds =
        matches!(column.data_type, DataType::Time(TimeUnit::S) | DataType::Timestamp { unit: TimeUnit::S, .. });
    seconds && matches!(layout.format, Format::Parquet { .. }) && !layout.partition_by.contains(&column.name)
}

fn to_time(count: &str, data_type: &DataType) -> String {
    match data_type {
        DataType::Time(_) => format!("make_time({count} // 3600, {count} // 60 % 60, CAST({count} % 60 AS DOUBLE))"),
        DataType::Timestamp { zone: Some(_), .. } => format!("to_timestamp({count})"),
        _ => format!("CAST(make_timestamp({count} * 1000000) AS TIMESTAMP_S)"),
    }
}

fn to_count(time: &str, data_type: &DataType) -> String {
    format!("CAST(epoch({time}) AS {})", count_type(data_type))
}

fn count_type(data_type: &DataType) -> &'static str {
    if matches!(data_type, DataType::Time(_)) { "INTEGER" } else { "BIGINT" }
}

/// One column's value, and why it is lost.
fn value<'a>(
    request: ViewRequest<'_>,
    column: &Column,
    way: &'a ReverseWay,
    renames: &Renames,
    clocks: &Clocks,
) -> (String, Option<&'a str>) {
    let was_count = is_count(request.source, column);
    match way {
        ReverseWay::Same(target) => {
            let same = name(renames.get(target).unwrap_or(target));
            let is_count = request.mapping.target.find(target).is_some_and(|(_, new)| is_count(request.layout, new));
            let value = match (is_count, was_count) {
                (true, false) => to_time(&same, &column.data_type),
                (false, true) => to_count(&same, &column.data_type),
                _ => same,
            };
            (value, None)
        }
        ReverseWay::Expr { expr, .. } => {
            let mut expr = expr.clone();
            rename(&mut expr, renames, &clocks.names);
            let sql = expr.to_sql(Dialect::DuckDb);
            (if was_count { to_count(&sql, &column.data_type) } else { sql }, None)
        }
        ReverseWay::Lost(why) if was_count => (format!("CAST(NULL AS {})", count_type(&column.data_type)), Some(why)),
        ReverseWay::Lost(why) => {
            let null = TypedExpr::null(column.data_type.clone());
            (null.to_sql(Dialect::DuckDb), Some(why))
        }
    }
}

fn uses(expr: &TypedExpr, column: &str) -> bool {
    match &expr.node {
        Node::Column(name) => name == column,
        Node::Literal(_) => false,
        Node::Call { args, .. } => args.iter().any(|argument| uses(argument, column)),
        Node::Cast { input, .. } => uses(input, column),
        Node::Case { branches, otherwise } => {
            let branch = |(condition, result): &(TypedExpr, TypedExpr)| uses(condition, column) || uses(result, column);
            branches.iter().any(branch) || otherwise.as_ref().is_some_and(|otherwise| uses(otherwise, column))
        }
    }
}

fn rename(expr: &mut TypedExpr, renames: &Renames, clocks: &Renames) {
    match &mut expr.node {
        Node::Column(name) => {
            if let Some(other) = clocks.get(name).or_else(|| renames.get(name)) {
                name.clone_from(other);
            }
        }
        Node::Literal(_) => {}
        Node::Call { args, .. } => args.iter_mut().for_each(|argument| rename(argument, renames, clocks)),
        Node::Cast { input, .. } => rename(input, renames, clocks),
        Node::Case { branches, otherwise } => {
            for (condition, result) in branches {
                rename(condition, renames, clocks);
                rename(result, renames, clocks);
            }
            if let Some(otherwise) = otherwise {
                rename(otherwise, renames, clocks);
            }
        }
    }
}

/// The table function that reads the files.
fn source(request: ViewRequest<'_>, renames: &Renames) -> Result<String, Diagnostic> {
    let layout = request.layout;
    let path = files(request.path, layout.shape, layout.format.extension())?;
    let mut options = vec![literal(&path)];
    let partitioned = !layout.partition_by.is_empty();
    options.push(format!("hive_partitioning = {partitioned}"));
    let of = |name: &String| request.mapping.target.find(name).map(|(_, column)| column);
    if partitioned {
        let types: Vec<String> = (layout.partition_by.iter().filter_map(of))
            .map(|column| format!("{}: {}", literal(&column.name), literal(&type_name(&column.data_type))))
            .collect();
        options.push(format!("hive_types = {{{}}}", types.join(", ")));
    }
    Ok(match &layout.format {
        Format::Parquet { .. } => {
            let alias: Vec<String> = if renames.is_empty() {
                Vec::new()
            } else {
                (1..=request.mapping.target.columns.len()).map(|number| format!("c{number}")).collect()
            };
            let alias = if alias.is_empty() { String::new() } else { format!(" AS files({})", alias.join(", ")) };
            format!("read_parquet({}){alias}", options.join(", "))
        }
        Format::Csv(dialect) => {
            options.extend(csv_options(dialect)?);
            let as_text = null_holds_escape(dialect);
            let (mut columns, mut typed) = (Vec::new(), Vec::new());
            for column in &request.mapping.target.columns {
                if layout.partition_by.contains(&column.name) {
                    continue;
                }
                let (own, of_type) = (renames.get(&column.name).unwrap_or(&column.name), type_name(&column.data_type));
                let read_as = if as_text { "VARCHAR" } else { &of_type };
                columns.push(format!("{}: {}", literal(own), literal(read_as)));
                if of_type != read_as {
                    // Were it not for the function, DuckDB would read the column as that type after all.
                    typed.push(format!("CAST(nullif({0}, '') AS {of_type}) AS {0}", name(own)));
                }
            }
            options.push(format!("columns = {{{}}}", columns.join(", ")));
            if !typed.is_empty() {
                let files = options.join(", ");
                return Ok(format!("(SELECT * REPLACE ({}) FROM read_csv({files}))", typed.join(", ")));
            }
            format!("read_csv({})", options.join(", "))
        }
        Format::Json => json_source(request, options)?,
        Format::Avro { .. } => format!("read_avro({})", literal(&path)),
    })
}

/// Values of types that JSON lacks are texts in the file, and are converted here where DuckDB does not do so by itself.
fn json_source(request: ViewRequest<'_>, mut options: Vec<String>) -> Result<String, Diagnostic> {
    let (mut columns, mut typed) = (Vec::new(), Vec::new());
    for column in &request.mapping.target.columns {
        if request.layout.partition_by.contains(&column.name) {
            continue;
        }
        if column.data_type.is_nested() && has_bytes(&column.data_type) {
            let message = format!(
                "column `{}` has bytes inside nested values, which are base64 in JSON and text to DuckDB",
                column.name
            );
            return Err(Diagnostic::error(code::plan::NO_VIEW, message).hint("keep the dataset in Parquet"));
        }
        let own = name(&column.name);
        let read_as = match &column.data_type {
            DataType::Binary => {
                typed.push(format!("from_base64({own}) AS {own}"));
                "VARCHAR".to_owned()
            }
            DataType::Float32
            | DataType::Float64
            | DataType::Decimal { .. }
            | DataType::Date
            | DataType::Time(_)
            | DataType::Timestamp { .. } => {
                typed.push(format!("CAST({own} AS {}) AS {own}", type_name(&column.data_type)));
                "VARCHAR".to_owned()
            }
            _ => data_type_name(&column.data_type),
        };
        columns.push(format!("{}: {}", literal(&column.name), literal(&read_as)));
    }
    options.push("format = 'newline_delimited'".to_owned());
    // As long as a line may be, see the reader.
    options.push("maximum_object_size = 33554432".to_owned());
    options.push(format!("columns = {{{}}}", columns.join(", ")));
    let files = options.join(", ");
    if typed.is_empty() {
        return Ok(format!("read_json({files})"));
    }
    Ok(format!("(SELECT * REPLACE ({}) FROM read_json({files}))", typed.join(", ")))
}

fn has_bytes(data_type: &DataType) -> bool {
    match data_type {
        DataType::Binary => true,
        DataType::List(item) => has_bytes(item),
        DataType::Struct(fields) => fields.iter().any(|(_, data_type)| has_bytes(data_type)),
        DataType::Map(key, item) => has_bytes(key) || has_bytes(item),
        _ => false,
    }
}

/// The file, or a glob of the directory's files; what a glob would read as a pattern is put in brackets.
fn files(path: &str, shape: Shape, extension: &str) -> Result<String, Diagnostic> {
    let bracketed = |path: &str| {
        let mut text = String::with_capacity(path.len());
        for letter in path.chars() {
            match letter {
                '*' | '?' | '[' => text.extend(['[', letter, ']']),
                other => text.push(other),
            }
        }
        text
    };
    let patterns = path.contains(['*', '?', '[']);
    if path.contains('\\') && (patterns || shape == Shape::Directory) {
        let message =
            format!("DuckDB cannot read below `{path}`, which has a backslash: there is no compatibility view");
        return Err(Diagnostic::error(code::plan::NO_VIEW, message)
            .hint("give the new dataset a `location` without backslashes"));
    }
    Ok(match shape {
        Shape::File => bracketed(path),
        Shape::Directory => format!("{}/**/*.{extension}", bracketed(path.trim_end_matches('/'))),
    })
}

/// Whether the null text holds the escape. DuckDB takes such a null for one in columns of text only.
fn null_holds_escape(dialect: &CsvDialect) -> bool {
    dialect.escape.is_some_and(|escape| dialect.null.contains(escape))
}

fn csv_options(dialect: &CsvDialect) -> Result<Vec<String>, Diagnostic> {
    if dialect.null.contains([dialect.delimiter, dialect.quote]) {
        let message = format!("DuckDB cannot read CSV whose null `{}` holds its delimiter or quote", dialect.null);
        return Err(Diagnostic::error(code::plan::NO_VIEW, message)
            .hint("give the new dataset another `null` under `layout.csv`"));
    }
    let letter = |letter: char| literal(&letter.to_string());
    let encoding = match dialect.encoding.as_str() {
        "utf-16le" | "utf-16be" => "utf-16",
        other => other,
    };
    let line_ending = match dialect.line_ending {
        LineEnding::Lf => r"\n",
        LineEnding::Crlf => r"\r\n",
    };
    let mut options = vec![
        "auto_detect = false".to_owned(),
        format!("new_line = '{line_ending}'"),
        format!("delim = {}", letter(dialect.delimiter)),
        format!("quote = {}", letter(dialect.quote)),
        format!("escape = {}", letter(dialect.escape.unwrap_or(dialect.quote))),
        format!("header = {}", dialect.header),
        format!("nullstr = {}", literal(&dialect.null)),
        "allow_quoted_nulls = false".to_owned(),
        format!("encoding = {}", literal(encoding)),
    ];
    if null_holds_escape(dialect) {
        options.push("strict_mode = false".to_owned());
    }
    Ok(options)
}

/// DuckDB's name of a type that CSV or a path can carry; nested ones are in neither.
fn type_name(data_type: &DataType) -> String {
    let name = match data_type {
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
        DataType::Time(TimeUnit::Ns) => "TIME_NS",
        DataType::Time(_) => "TIME",
        DataType::Timestamp { zone: Some(_), .. } => "TIMESTAMPTZ",
        DataType::Timestamp { unit, zone: None } => match unit {
            TimeUnit::S => "TIMESTAMP_S",
            TimeUnit::Ms => "TIMESTAMP_MS",
            TimeUnit::Us => "TIMESTAMP",
            TimeUnit::Ns => "TIMESTAMP_NS",
        },
        DataType::Binary => "BLOB",
        DataType::String | DataType::List(_) | DataType::Struct(_) | DataType::Map(..) => "VARCHAR",
    };
    name.to_owned()
}

/// A name in double quotes.
fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text in single quotes.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Text inside a line comment: nothing in it ends the line.
fn commented(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') { ' ' } else { letter })
        .collect()
}
