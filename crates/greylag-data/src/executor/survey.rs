//! `data/survey`: where the past of a derived dataset ends ([`greylag_model::derived`]). Looks at the old dataset, changes nothing.

use super::{Job, Work, done, output};
use crate::convert::MarkRequest;
use crate::listing::{FileFormat, list};
use crate::request::{Reply, Request};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, Rehearsal, StepReport};
use greylag_model::derived::{Derived, History, Survey};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) struct Find;

impl Work for Find {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let survey = match &job.work.derived {
            Some(derived) if derived.history != History::Rerun => survey(job, derived)?,
            _ => Survey::default(),
        };
        Ok(done(StepReport { output: output(&survey)?, ..StepReport::default() }))
    }

    fn undo(&self, _: &Job<'_>) -> Result<Vec<String>, DriverError> {
        Ok(Vec::new())
    }

    fn rehearse(&self, _: &Job<'_>) -> Result<Rehearsal, DriverError> {
        Ok(Rehearsal::default())
    }
}

fn survey(job: &Job<'_>, derived: &Derived) -> Result<Survey, DriverError> {
    let plan = job.work;
    let found = derived.watermark.as_ref().and_then(|name| plan.mapping.target.find(name));
    let Some((column, _)) = found else { return Ok(Survey::default()) };
    let source = job.source()?;
    let files = list(&source.anchor, Some(FileFormat::of(&plan.source.layout.format)))?.files;
    let units = job.units(&source.anchor, &plan.source.layout, &files)?;
    let mapping = Arc::new(plan.mapping.clone());
    let largest = Mutex::new(None);
    job.in_parallel(&units, |_, unit| {
        let request = MarkRequest {
            source: source.anchor.clone(),
            source_layout: plan.source.layout.clone(),
            chunks: unit.chunks.clone(),
            mapping: Arc::clone(&mapping),
            column,
            batch_rows: job.plane.options.limits.batch_rows,
        };
        let Reply::Marked(marked) = job.call(&Request::Mark(Box::new(request)))? else {
            return Err(crate::error::odd_reply());
        };
        let mut largest = largest.lock().unwrap_or_else(PoisonError::into_inner);
        *largest = marked.largest.max(*largest);
        Ok(())
    })?;
    let watermark: Option<i64> = largest.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Survey { watermark, since: watermark.map(|mark| mark.saturating_sub(derived.overlap)) })
}
