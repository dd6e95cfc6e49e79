//! The sample: rows of the source, read again and evaluated by the reference evaluator.

use super::request::{SampleOf, Sampled};
use crate::convert::Source;
use crate::error::expression;
use crate::evidence::{ColumnKey, RowSum, row_hash};
use crate::expr::value_at;
use greylag_driver::error::DriverError;
use greylag_model::cast::convert;
use greylag_model::expr::Bound;
use greylag_model::mapping::{ColumnMapping, Mapping};
use greylag_model::spec::Misfit;
use greylag_model::value::Value;
use std::collections::BinaryHeap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Takes the sample of chunks: the rows whose positions hash lowest.
pub fn sample(of: &SampleOf, mapping: &Mapping, batch_rows: usize) -> Result<Sampled, DriverError> {
    let reference = Reference::new(mapping)?;
    let source = Source { anchor: &of.source, layout: &of.source_layout, schema: &mapping.source, batch_rows };
    let mut position = 0_u64;
    let mut chosen: BinaryHeap<Chosen> = BinaryHeap::new();
    let parts = of.chunks.iter().flat_map(|chunk| chunk.parts.iter().map(move |part| (part, &chunk.partition)));
    for (part, partition) in parts {
        for batch in source.open(part, partition)? {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                let rank = xxh3_64_with_seed(&position.to_le_bytes(), of.seed);
                position += 1;
                if chosen.len() >= of.rows {
                    if chosen.peek().is_none_or(|highest| rank >= highest.rank) {
                        continue;
                    }
                    chosen.pop();
                }
                let columns = batch.columns().iter().zip(&mapping.source.columns);
                let values = columns.map(|(array, column)| value_at(array, &column.data_type, row));
                chosen.push(Chosen { rank, row: values.collect() });
            }
        }
    }
    let mut sampled = Sampled { rows: chosen.len() as u64, of: position, ..Sampled::default() };
    for chosen in chosen {
        match reference.evaluate(chosen.row) {
            Expected::Row(hash) => sampled.expected.push(hash),
            Expected::Rejected => sampled.rejected += 1,
            Expected::Failed => sampled.failed += 1,
        }
    }
    sampled.expected.sort_unstable_by_key(|hash| hash.0);
    Ok(sampled)
}

/// A row of the sample, ordered by its rank.
struct Chosen {
    rank: u64,
    row: Vec<Value>,
}

impl PartialEq for Chosen {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Chosen {}

impl PartialOrd for Chosen {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Chosen {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

/// What must become of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    Row(RowSum),
    Rejected,
    Failed,
}

/// A mapping, bound to its source for evaluation row by row.
struct Reference<'a> {
    columns: Vec<Column<'a>>,
}

struct Column<'a> {
    key: ColumnKey,
    mapping: &'a ColumnMapping,
    expr: Bound<'a>,
    default: Option<Value>,
}

impl<'a> Reference<'a> {
    fn new(mapping: &'a Mapping) -> Result<Self, DriverError> {
        let column = |column: &'a ColumnMapping| {
            let default = match &column.default {
                None => None,
                Some(default) => {
                    let value = default.eval(&mapping.source, &Vec::new());
                    Some(value.map_err(|error| expression(&column.target, &error.to_string()))?)
                }
            };
            let expr = column.expr.bind(&mapping.source);
            let expr = expr.map_err(|error| expression(&column.target, &error.message))?;
            Ok::<_, DriverError>(Column { key: ColumnKey::of(&column.target), mapping: column, expr, default })
        };
        Ok(Self { columns: mapping.columns.iter().map(column).collect::<Result<_, _>>()? })
    }

    fn evaluate(&self, row: Vec<Value>) -> Expected {
        let mut values = Vec::with_capacity(self.columns.len());
        let mut rejected = false;
        for column in &self.columns {
            let value = column.expr.eval(&row).map_err(|_| ()).and_then(|value| match &column.mapping.cast {
                Some(cast) => convert(value, &column.mapping.expr.data_type, &cast.to, cast.loss).map_err(|_| ()),
                None => Ok(value),
            });
            let value = match (value, column.mapping.misfit) {
                (Ok(value), _) => value,
                (Err(()), Misfit::Null) => Value::Null,
                (Err(()), Misfit::Reject) => {
                    rejected = true;
                    Value::Null
                }
                (Err(()), Misfit::Fail) => return Expected::Failed,
            };
            values.push(match (value, &column.default) {
                (Value::Null, Some(default)) => default.clone(),
                (value, _) => value,
            });
        }
        if rejected {
            return Expected::Rejected;
        }
        Expected::Row(RowSum(row_hash(self.columns.iter().map(|column| column.key).zip(&values))))
    }
}
