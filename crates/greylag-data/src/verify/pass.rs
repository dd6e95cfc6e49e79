//! The read-back: every row of a chunk of the target, once.

use super::request::{Found, VerifyReply, VerifyRequest};
use super::{WaysBack, sample};
use crate::arrow_types::to_arrow_schema;
use crate::convert::{Source, Watch};
use crate::error::{arrow, expression};
use crate::evidence::{ByRow, RowSum};
use crate::expr::Program;
use arrow::array::{Array, AsArray, RecordBatch};
use greylag_driver::error::DriverError;
use greylag_model::expr::parse_and_check;
use greylag_model::mapping::{ColumnMapping, OperationKind};
use greylag_model::schema::Schema;
use greylag_model::spec::Misfit;

/// Samples and reads back what the request says.
pub fn verify(request: &VerifyRequest) -> Result<VerifyReply, DriverError> {
    let mapping = &request.mapping;
    let mut reply = VerifyReply::default();
    if let Some(of) = &request.sample {
        reply.sampled = sample(of, mapping, request.batch_rows)?;
    }
    if request.chunks.is_empty() {
        return Ok(reply);
    }
    let ways = WaysBack::of(mapping);
    let back = Program::new(&ways.program(mapping), &to_arrow_schema(&mapping.target))?;
    let checks: Vec<Program> =
        request.checks.iter().map(|text| check(text, &mapping.target)).collect::<Result<_, _>>()?;
    reply.violations = vec![0; checks.len()];
    let mut watch = Watch::new(mapping, &ways);
    let mut lookout = Lookout::new(request.expected.iter().chain(&reply.sampled.expected));
    let source = Source {
        anchor: &request.target,
        layout: &request.target_layout,
        schema: &mapping.target,
        batch_rows: request.batch_rows,
    };
    let parts = request.chunks.iter().flat_map(|chunk| chunk.parts.iter().map(move |part| (part, &chunk.partition)));
    for (part, partition) in parts {
        reply.schema_differs = reply.schema_differs.or(source.schema_differs(part)?);
        for batch in source.open(part, partition)? {
            let batch = batch?;
            let columns = back.run(&batch)?.batch;
            let (exact, tolerant) = columns.columns().split_at(ways.exact.len());
            let tolerant = tolerant_batch(&columns, ways.exact.len(), tolerant.len())?;
            watch.update(exact, &tolerant, &batch, |hash| lookout.see(hash))?;
            for (check, violations) in checks.iter().zip(&mut reply.violations) {
                *violations += violations_of(check, &batch)?;
            }
        }
    }
    (reply.target, reply.source) = watch.finish();
    reply.found = lookout.finish();
    settle(&mut reply);
    Ok(reply)
}

/// A sampled row that was found in the same request, as usual for a small dataset, is settled: only what is missing, or
/// found more often than sampled here, travels on.
fn settle(reply: &mut VerifyReply) {
    let mut left: ByRow<u64> = reply.found.iter().map(|found| (found.hash.0, found.times)).collect();
    reply.sampled.expected.retain(|hash| match left.get_mut(&hash.0) {
        Some(times @ 1..) => {
            *times -= 1;
            false
        }
        _ => true,
    });
    reply.found.retain_mut(|found| {
        found.times = left.get(&found.hash.0).copied().unwrap_or_default();
        found.times > 0
    });
}

fn tolerant_batch(columns: &RecordBatch, from: usize, count: usize) -> Result<RecordBatch, DriverError> {
    let indices: Vec<usize> = (from..from + count).collect();
    columns.project(&indices).map_err(|error| arrow(&error))
}

/// A check of the file's as a program of one column; rows on which it fails are rejected by it.
fn check(text: &str, target: &Schema) -> Result<Program, DriverError> {
    let expr = parse_and_check(text, target)
        .map_err(|errors| expression(text, &errors.first().map(ToString::to_string).unwrap_or_default()))?;
    let column = ColumnMapping {
        target: "check".to_owned(),
        operation: OperationKind::Expression,
        expr,
        cast: None,
        misfit: Misfit::Reject,
        default: None,
        tolerance: None,
        judgement: None,
    };
    Program::new(&[column], &to_arrow_schema(target))
}

fn violations_of(check: &Program, batch: &RecordBatch) -> Result<u64, DriverError> {
    let evaluated = check.run(batch)?;
    let rejected = batch.num_rows() - evaluated.batch.num_rows();
    let holds = evaluated.batch.column(0);
    let holds = holds.as_boolean_opt().ok_or_else(|| expression("check", "it is not a boolean"))?;
    let wrong = holds.len() - holds.null_count() - holds.true_count();
    Ok((wrong + rejected) as u64)
}

/// Looks out for expected row hashes among all rows.
struct Lookout {
    times: ByRow<u64>,
    /// One bit per low 16 bits of an expected hash: nearly every other row is let go by one look.
    near: Vec<u64>,
}

impl Lookout {
    fn new<'a>(expected: impl Iterator<Item = &'a RowSum>) -> Self {
        let times: ByRow<u64> = expected.map(|hash| (hash.0, 0)).collect();
        let mut near = if times.is_empty() { Vec::new() } else { vec![0_u64; 1024] };
        for hash in times.keys() {
            near[(*hash >> 6 & 1023) as usize] |= 1 << (hash & 63);
        }
        Self { times, near }
    }

    #[inline]
    fn see(&mut self, hash: u128) {
        let near = self.near.get((hash >> 6 & 1023) as usize);
        if near.is_some_and(|bits| bits >> (hash & 63) & 1 == 1)
            && let Some(times) = self.times.get_mut(&hash)
        {
            *times += 1;
        }
    }

    fn finish(self) -> Vec<Found> {
        let mut found: Vec<Found> = self
            .times
            .into_iter()
            .filter(|(_, times)| *times > 0)
            .map(|(hash, times)| Found { hash: RowSum(hash), times })
            .collect();
        found.sort_unstable_by_key(|found| found.hash.0);
        found
    }
}
