//! DataFusion over tables in memory, and over nothing else.
//!
//! A query is planned against the tables that are given with it. There are no files, no object stores and no table functions to
//! read any, nothing spills to disk, and only queries are run, so a text can reach nothing but rows that were made for it.

use super::order;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::MemTable;
use datafusion::common::{DataFusionError, TableReference};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as Parsed;
use datafusion::sql::sqlparser::ast::{Query, Statement};
use std::sync::Arc;

/// Rows that a query may give.
const MOST_ROWS: usize = 100_000;
/// Memory of operators that keep rows.
const MEMORY: usize = 128 << 20;
/// Longest words of the engine that are passed on.
const LONGEST: usize = 240;

/// Why a query gives no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A relation or column is not there, or means several.
    Names(String),
    /// The query makes no sense: types that cannot be compared, a column that is not grouped.
    Senseless(String),
    /// The engine lacks something.
    Unsupported(String),
    /// It fails on a row.
    Fails(String),
    /// It gives too much.
    Limit(String),
}

/// The rows of a query.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) schema: SchemaRef,
    pub(super) batches: Vec<RecordBatch>,
    /// Whether the text asks for their order.
    pub(super) ordered: bool,
    /// Whether the order of rows was made total where a number of rows hangs on it.
    pub(super) settled: bool,
}

/// A table by its word.
pub(super) type Table<'a> = (&'a str, &'a RecordBatch);

/// The engine.
pub(super) struct Engine {
    runtime: tokio::runtime::Runtime,
    context: SessionContext,
}

impl Engine {
    pub(super) fn new() -> Result<Self, Trouble> {
        let unavailable = |error: &dyn std::fmt::Display| Trouble::Unsupported(format!("no engine: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| unavailable(&error))?;
        let mut config = SessionConfig::new().with_target_partitions(1).with_information_schema(false);
        let options = config.options_mut();
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.support_varchar_with_length = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        options.sql_parser.parse_float_as_decimal = true;
        options.execution.time_zone = Some("UTC".to_owned());
        let disks = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let environment = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(disks)
            .with_memory_limit(MEMORY, 1.0)
            .build_arc()
            .map_err(|error| unavailable(&error))?;
        let context = SessionContext::new_with_config_rt(config, environment);
        Ok(Self { runtime, context })
    }

    /// Its name and version.
    pub(super) fn name() -> String {
        format!("datafusion {}", datafusion::DATAFUSION_VERSION)
    }

    /// Runs a query over tables.
    pub(super) fn run(&self, query: &Query, tables: &[Table<'_>]) -> Result<Answer, Trouble> {
        for (word, batch) in tables {
            let table = MemTable::try_new(batch.schema(), vec![vec![(*batch).clone()]]);
            let table = table.map_err(|error| planning(&error))?;
            self.context
                .register_table(TableReference::bare(*word), Arc::new(table))
                .map_err(|error| planning(&error))?;
        }
        let answer = self.runtime.block_on(self.answer(query));
        for (word, _) in tables {
            drop(self.context.deregister_table(TableReference::bare(*word)));
        }
        answer
    }

    async fn answer(&self, query: &Query) -> Result<Answer, Trouble> {
        let statement = Parsed::Statement(Box::new(Statement::Query(Box::new(query.clone()))));
        let state = self.context.state();
        let plan = state.statement_to_plan(statement).await.map_err(|error| planning(&error))?;
        if !matches!(plan, LogicalPlan::Dml(_) | LogicalPlan::Ddl(_) | LogicalPlan::Copy(_)) {
            let schema = Arc::new(plan.schema().as_arrow().clone());
            let order::Settled { plan, ordered, settled } = order::settle(plan).map_err(|error| planning(&error))?;
            let physical = state.create_physical_plan(&plan).await.map_err(|error| planning(&error))?;
            let batches = self.rows(physical).await?;
            return Ok(Answer { schema, batches, ordered, settled });
        }
        Err(Trouble::Unsupported("it is no query".to_owned()))
    }

    async fn rows(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Vec<RecordBatch>, Trouble> {
        let single: Arc<dyn ExecutionPlan> = match plan.output_partitioning().partition_count() {
            0 | 1 => plan,
            _ => Arc::new(CoalescePartitionsExec::new(plan)),
        };
        let bounded = Arc::new(GlobalLimitExec::new(single, 0, Some(MOST_ROWS + 1)));
        let batches = collect(bounded, self.context.task_ctx()).await.map_err(|error| running(&error))?;
        if batches.iter().map(RecordBatch::num_rows).sum::<usize>() > MOST_ROWS {
            return Err(Trouble::Limit(format!("it gives more than {MOST_ROWS} rows")));
        }
        Ok(batches)
    }
}

/// What an error of planning means. Its words are about the text, not about rows.
fn planning(error: &DataFusionError) -> Trouble {
    let words = words(error);
    if let Some(why) = of_subquery(&words) {
        return Trouble::Unsupported(why);
    }
    if let Some(why) = of_cast(&words) {
        return Trouble::Senseless(why);
    }
    match error.find_root() {
        DataFusionError::SchemaError(..) => Trouble::Names(words),
        DataFusionError::Plan(_) if words.contains("' not found") => Trouble::Names(words),
        DataFusionError::Plan(why) if why.contains("nvalid function") || why.contains("nsupported") => {
            Trouble::Unsupported(words)
        }
        DataFusionError::Plan(_) => Trouble::Senseless(words),
        DataFusionError::NotImplemented(_) | DataFusionError::Internal(_) | DataFusionError::ResourcesExhausted(_) => {
            Trouble::Unsupported(words)
        }
        // Constants are computed while planning: this is the text's own error.
        DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => Trouble::Fails("it fails".to_owned()),
        _ => Trouble::Unsupported(words),
    }
}

/// What an error of running means. Its words may hold values and are not passed on.
fn running(error: &DataFusionError) -> Trouble {
    match error.find_root() {
        DataFusionError::NotImplemented(_) | DataFusionError::Internal(_) => Trouble::Unsupported(words(error)),
        DataFusionError::ResourcesExhausted(_) => Trouble::Limit("it takes too much memory".to_owned()),
        _ => Trouble::Fails("it fails on a row".to_owned()),
    }
}

/// In a person's words what the engine lacks for a subquery that hangs on rows outside of it. It says so by naming what its optimizer
/// left in the plan.
fn of_subquery(words: &str) -> Option<String> {
    if words.contains("orrelated scalar subquery must be aggregated") {
        let why =
            "a subquery that gives one value could give several for a row outside of it, which the engine does not run";
        return Some(why.to_owned());
    }
    let (_, left) = words.split_once("does not support logical expression ")?;
    let kinds = [
        ("ScalarSubquery", "a subquery that gives one value"),
        ("InSubquery", "a subquery after `in`"),
        ("Exists", "a subquery after `exists`"),
        ("OuterReferenceColumn", "a subquery"),
    ];
    let (_, what) = kinds.into_iter().find(|(kind, _)| left.starts_with(kind))?;
    Some(format!("{what} hangs on rows outside of it by more than equal columns, which the engine does not run"))
}

/// In a person's words a cast that no engine has: of a list, structure or map to what is none and no text, or of a time of day or of bytes to
/// a number. The engine says of these what it says of casts that it could have.
fn of_cast(words: &str) -> Option<String> {
    let (_, types) = words.split_once("Unsupported CAST from ")?;
    let (from, to) = types.rsplit_once(" to ")?;
    let is = |name: &str, kinds: &[&str]| kinds.iter().any(|kind| name.starts_with(kind));
    let is_nested = |name: &str| is(name, &["List", "LargeList", "FixedSizeList", "Struct", "Map"]);
    let is_number = |name: &str| is(name, &["Int", "UInt", "Float", "Decimal"]) && !name.starts_with("Interval");
    let is_text = |name: &str| is(name, &["Utf8", "LargeUtf8"]);
    let has_none = match (is_nested(from), is_nested(to)) {
        (true, false) => !is_text(to),
        (false, true) => !is_text(from) && from != "Null",
        (true, true) => false,
        (false, false) => is(from, &["Time32", "Time64", "Binary", "LargeBinary"]) && is_number(to),
    };
    let kind = |name: &str| if is_nested(name) { "a nested value" } else { "a value" };
    has_none.then(|| format!("{} is cast to {}, between which no cast is", kind(from), kind(to)))
}

fn words(error: &DataFusionError) -> String {
    let text = error.find_root().strip_backtrace();
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(LONGEST).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::of_cast;

    #[test]
    fn casts_that_no_engine_has_are_told() {
        for (types, has_none) in [
            ("Struct(\"a\": Int64, \"b c\": Utf8) to Int32", true),
            ("List(Utf8) to Decimal128(12, 4)", true),
            ("Int64 to List(Int64)", true),
            ("Time64(ns) to Int32", true),
            ("Binary to Int64", true),
            ("Struct(\"a\": Int64) to Utf8", false),
            ("Utf8 to List(Utf8)", false),
            ("Time64(ns) to Interval(DayTime)", false),
            ("Boolean to Date32", false),
            ("List(Utf8) to List(Int64)", false),
        ] {
            let words = format!("This feature is not implemented: Unsupported CAST from {types}");
            assert_eq!(of_cast(&words).is_some(), has_none, "{types}");
        }
        assert_eq!(of_cast("This feature is not implemented: x"), None);
    }
}
