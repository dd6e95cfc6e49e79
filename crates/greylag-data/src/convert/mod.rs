//! Converting chunks, inside a reader process, in a single pass and bounded memory.
//!
//! ```text
//! source parts ─ read ─▶ batch ─ program ─▶ rows that fit ─┬─ evidence (target terms, source terms) ─▶ reply
//!                                   │                      └─ write ─▶ files in staging
//!                                   └──────▶ rows that don't ─▶ rejected rows (JSON lines)
//! ```
//!
//! At any time there is one batch in memory, as source and as target, and the buffers of the open files. The same
//! request writes the same bytes under the same names, so that it can be repeated after a death of the reader; what an
//! earlier attempt left is overwritten. Nothing is synced here: that is the caller's (see [`crate::durable`]).
//!
//! **The source must not change while it is read.** Every part's identity (device, inode, size, time of change) is
//! taken before the first batch and after the last; a difference is a conflict. The reply carries the identities, so
//! that the caller can compare them between chunks, attempts and steps.

mod mark;
mod request;
mod sink;
mod source;
mod unfit;
mod watch;
mod window;

pub use mark::largest;
pub use request::{
    ConvertReply, ConvertRequest, Limits, MarkOf, MarkRequest, Marked, Output, RejectedOutput, SourceState, WrittenFile,
};
pub(crate) use source::{FirstRows, Source};
pub(crate) use watch::Watch;
pub use window::Window;
pub(crate) use window::{Filter, Numbers};

use crate::arrow_types::to_arrow_schema;
use crate::chunk::Chunk;
use crate::error::source_changed;
use crate::expr::Program;
use crate::rejected::RejectedRows;
use crate::verify::WaysBack;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::filter_record_batch;
use greylag_driver::error::DriverError;
use sink::Sink;
use std::sync::Arc;
use unfit::UnfitRows;

/// Converts chunks.
pub fn convert(request: &ConvertRequest) -> Result<ConvertReply, DriverError> {
    let program = Program::new(&request.mapping.columns, &to_arrow_schema(&request.mapping.source))?;
    let source = Source {
        anchor: &request.source,
        layout: &request.source_layout,
        schema: &request.mapping.source,
        batch_rows: request.limits.batch_rows,
    };
    let before = source.identities(&request.chunks)?;
    let mut sink = Sink::new(&request.output, &request.mapping.target, &request.limits);
    let known: Option<u64> = request.chunks.iter().map(Chunk::rows).sum();
    let single = request.chunks.iter().map(|chunk| chunk.parts.len()).sum::<usize>() == 1;
    let ways = WaysBack::of(&request.mapping);
    let mut watch = Watch::new(&request.mapping, &ways);
    let mut rejected = RejectedRows::new(&request.rejected, &request.mapping.source);
    let mut unfit = UnfitRows::new(&request.source, &request.mapping);
    let mut wanted = FirstRows::new(request.first_rows);
    let filter = request.window.map(|window| Filter::new(&request.mapping, window)).transpose()?;
    let mut rows_read = 0;
    let mut marked = Marked::default();
    let parts = request.chunks.iter().flat_map(|chunk| chunk.parts.iter().map(move |part| (part, &chunk.partition)));
    for (part, partition) in parts {
        if wanted.is_done() {
            break;
        }
        let mut first_row = 0;
        let reader = source.open(part, partition)?;
        let most = request.first_rows.unwrap_or(u64::MAX);
        sink.expect(known.or_else(|| reader.rows().filter(|_| single)).map(|rows| rows.min(most)));
        for batch in reader {
            let batch = wanted.of(batch?);
            let batch = match &filter {
                Some(filter) => filter.keep(&batch)?,
                None => batch,
            };
            let evaluated = program.run(&batch)?;
            if request.first_rows.is_some() {
                unfit.add(part, first_row, &evaluated.unfit);
            }
            let fitting = match rejected.take(part, first_row, &batch, &evaluated.rejected)? {
                Some(mask) => filter_record_batch(&batch, &mask).map_err(|error| crate::error::arrow(&error))?,
                None => batch.clone(),
            };
            let (exact, tolerant) = split(&fitting, &ways)?;
            watch.update(&exact, &tolerant, &evaluated.batch, |_| {})?;
            if let Some(of) = &request.mark {
                marked.merge(mark::of(&evaluated.batch, of)?);
            }
            sink.write(&evaluated.batch)?;
            first_row += batch.num_rows() as u64;
            if wanted.is_done() {
                break;
            }
        }
        rows_read += first_row;
    }
    let files = sink.finish()?;
    let after = source.identities(&request.chunks)?;
    if let Some(changed) = before.iter().zip(&after).find(|(before, after)| before != after) {
        return Err(source_changed(&source.path(&changed.0.0)));
    }
    let (target, source) = watch.finish();
    let (rejected, misfits) = (rejected.finish()?, unfit.finish());
    Ok(ConvertReply { files, rows_read, rejected, target, source, read: before, marked, misfits })
}

/// The columns of a source batch that are watched.
fn split(batch: &RecordBatch, ways: &WaysBack) -> Result<(Vec<ArrayRef>, RecordBatch), DriverError> {
    let exact = ways.exact.iter().map(|index| Arc::clone(batch.column(*index))).collect();
    let tolerant: Vec<usize> = ways.tolerant.iter().map(|(index, _)| *index).collect();
    Ok((exact, batch.project(&tolerant).map_err(|error| crate::error::arrow(&error))?))
}
