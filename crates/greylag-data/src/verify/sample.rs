//! The sample: rows of the source, read again and evaluated by the reference evaluator.

use super::request::{SampleOf, Sampled};
use super::{SECOND_OPINION_ROWS, WaysBack};
use crate::arrow_types::to_arrow_schema;
use crate::convert::{Filter, FirstRows, Source};
use crate::error::{arrow, expression};
use crate::evidence::{ColumnKey, RowHasher, RowSum, ValueRow, hash_column};
use crate::expr::{BatchRow, Program};
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use greylag_driver::error::DriverError;
use greylag_model::cast::convert;
use greylag_model::expr::{Bound, Row};
use greylag_model::mapping::{ColumnMapping, Mapping};
use greylag_model::spec::Misfit;
use greylag_model::types::DataType;
use greylag_model::value::Value;
use std::collections::BinaryHeap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Takes the sample of chunks: the rows whose positions hash lowest.
pub fn sample(of: &SampleOf, mapping: &Mapping, batch_rows: usize) -> Result<Sampled, DriverError> {
    let reference = Reference::new(mapping)?;
    let source = Source { anchor: &of.source, layout: &of.source_layout, schema: &mapping.source, batch_rows };
    let mut choice = Choice { rows: of.rows, seed: of.seed, ..Choice::default() };
    let mut wanted = FirstRows::new(of.first_rows);
    let filter = of.window.map(|window| Filter::new(mapping, window)).transpose()?;
    let parts = of.chunks.iter().flat_map(|chunk| chunk.parts.iter().map(move |part| (part, &chunk.partition)));
    for (part, partition) in parts {
        if wanted.is_done() {
            break;
        }
        for batch in source.open(part, partition)? {
            let batch = wanted.of(batch?);
            match &filter {
                Some(filter) => choice.look_at(&filter.keep(&batch)?)?,
                None => choice.look_at(&batch)?,
            }
            if wanted.is_done() {
                break;
            }
        }
    }
    let mut sampled = Sampled { rows: choice.chosen.len() as u64, of: choice.position, ..Sampled::default() };
    let types: Vec<DataType> = mapping.source.columns.iter().map(|column| column.data_type.clone()).collect();
    let mut rows: Vec<[Vec<usize>; 2]> = vec![<[Vec<usize>; 2]>::default(); choice.batches.len()];
    for (rank, chosen) in choice.chosen.into_sorted_vec().into_iter().enumerate() {
        rows[chosen.batch][usize::from(rank >= SECOND_OPINION_ROWS)].push(chosen.row);
    }
    let proven = if sampled.rows > SECOND_OPINION_ROWS as u64 { Some(Proven::new(mapping)?) } else { None };
    for (batch, [whole, rest]) in choice.batches.iter().zip(&rows) {
        let begun = match &proven {
            Some(proven) if !rest.is_empty() => proven.rows(batch)?.map(|rows| (rows, proven)),
            _ => None,
        };
        let rest = reference.evaluate(batch, &types, rest, begun.as_ref().map(|(rows, proven)| (&rows[..], *proven)));
        for expected in reference.evaluate(batch, &types, whole, None).chain(rest) {
            match expected {
                Expected::Row(hash) => sampled.expected.push(hash),
                Expected::Rejected => sampled.rejected += 1,
                Expected::Failed => sampled.failed += 1,
            }
        }
    }
    sampled.expected.sort_unstable_by_key(|hash| hash.0);
    Ok(sampled)
}

/// Chooses rows while they pass by.
#[derive(Default)]
struct Choice {
    /// Rows wanted.
    rows: usize,
    seed: u64,
    /// Rows seen.
    position: u64,
    /// The rows that rank lowest so far, the highest of them on top.
    chosen: BinaryHeap<Chosen>,
    /// The rows that were chosen when their batch passed by; some have been displaced since.
    batches: Vec<RecordBatch>,
}

impl Choice {
    fn look_at(&mut self, batch: &RecordBatch) -> Result<(), DriverError> {
        let mut taken: Vec<u32> = Vec::new();
        for row in 0..batch.num_rows() {
            let rank = xxh3_64_with_seed(&self.position.to_le_bytes(), self.seed);
            self.position += 1;
            if self.chosen.len() >= self.rows {
                if self.chosen.peek().is_none_or(|highest| rank >= highest.rank) {
                    continue;
                }
                self.chosen.pop();
            }
            self.chosen.push(Chosen { rank, batch: self.batches.len(), row: taken.len() });
            taken.push(row as u32);
        }
        match taken.len() {
            0 => {}
            all if all == batch.num_rows() => self.batches.push(batch.clone()),
            _ => self.batches.push(take_record_batch(batch, &UInt32Array::from(taken)).map_err(|error| arrow(&error))?),
        }
        Ok(())
    }
}

/// A row of the sample, ordered by its rank.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Chosen {
    rank: u64,
    /// Which of the batches.
    batch: usize,
    /// Which of its rows.
    row: usize,
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

    /// What must become of rows of a batch: row by row, but a column at a time, which keeps what a column needs at hand.
    /// Columns that are proven by their way back may have been begun with, for every row of the batch.
    fn evaluate(
        &self,
        batch: &RecordBatch,
        types: &[DataType],
        rows: &[usize],
        begun: Option<(&[ValueRow], &Proven)>,
    ) -> impl Iterator<Item = Expected> + use<> {
        let fate =
            |row: &usize| Fate { hash: begun.map(|(rows, _)| rows[*row]).unwrap_or_default(), ..Fate::default() };
        let mut fates: Vec<Fate> = rows.iter().map(fate).collect();
        for (index, column) in self.columns.iter().enumerate() {
            if begun.is_some_and(|(_, proven)| proven.columns.contains(&index)) {
                continue;
            }
            for (fate, &row) in fates.iter_mut().zip(rows) {
                match (column.value(&BatchRow { columns: batch.columns(), types, row }), column.mapping.misfit) {
                    (Ok(value), _) => fate.hash.add(column.key, column.or_default(&value)),
                    (Err(Unfit), Misfit::Null) => fate.hash.add(column.key, column.or_default(&Value::Null)),
                    (Err(Unfit), Misfit::Reject) => fate.rejected = true,
                    (Err(Unfit), Misfit::Fail) => fate.failed = true,
                }
            }
        }
        fates.into_iter().map(|fate| match fate {
            Fate { failed: true, .. } => Expected::Failed,
            Fate { rejected: true, .. } => Expected::Rejected,
            Fate { hash, .. } => Expected::Row(RowSum(hash.finish())),
        })
    }
}

/// The columns that are proven on every row by their way back: their values come from the program that wrote them.
struct Proven {
    columns: Vec<usize>,
    keys: Vec<ColumnKey>,
    program: Program,
}

impl Proven {
    fn new(mapping: &Mapping) -> Result<Self, DriverError> {
        let columns = WaysBack::of(mapping).proven;
        let picked: Vec<ColumnMapping> = columns.iter().map(|index| mapping.columns[*index].clone()).collect();
        let keys = picked.iter().map(|column| ColumnKey::of(&column.target)).collect();
        Ok(Self { columns, keys, program: Program::new(&picked, &to_arrow_schema(&mapping.source))? })
    }

    /// The hashes of all rows of a batch, as far as these columns make them; none if they do not hold what was said of
    /// them, and then all columns are the reference's.
    fn rows(&self, batch: &RecordBatch) -> Result<Option<Vec<ValueRow>>, DriverError> {
        let made = self.program.run(batch)?;
        if made.batch.num_rows() != batch.num_rows() || !made.unfit.is_empty() {
            return Ok(None);
        }
        let (mut rows, mut values) = (RowHasher::default(), Vec::new());
        rows.begin(batch.num_rows());
        for (array, key) in made.batch.columns().iter().zip(&self.keys) {
            hash_column(array, &mut values)?;
            rows.add(*key, &values);
        }
        Ok(Some(rows.each_so_far().collect()))
    }
}

/// What has become of a row by the columns so far.
#[derive(Default)]
struct Fate {
    hash: ValueRow,
    rejected: bool,
    failed: bool,
}

/// A value that the column cannot hold.
struct Unfit;

impl Column<'_> {
    fn value(&self, row: &dyn Row) -> Result<Value, Unfit> {
        let value = self.expr.eval(row).map_err(|_| Unfit)?;
        match &self.mapping.cast {
            Some(cast) => convert(value, &self.mapping.expr.data_type, &cast.to, cast.loss).map_err(|_| Unfit),
            None => Ok(value),
        }
    }

    fn or_default<'v>(&'v self, value: &'v Value) -> &'v Value {
        match &self.default {
            Some(default) if value.is_null() => default,
            _ => value,
        }
    }
}
