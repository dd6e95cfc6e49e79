//! Sampler: converts a few rows of a dataset and judges the result, somewhere where nobody sees it.
//!
//! A sampler reads the old dataset and writes to a place of its own, never where the plan says that the target goes. It
//! uses the code that the run will use, so that what it finds the run would find. Values that do not fit do not end a
//! sample, whatever the mapping's policy: they are counted, so that one look shows all of them.

use crate::error::DriverError;
use greylag_model::plan::{PlanHeader, PlanTask};
use greylag_model::sample::Sample;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is to be sampled.
#[derive(Clone, Copy, Debug)]
pub struct SampleRequest<'a> {
    /// What holds for the whole plan.
    pub header: &'a PlanHeader,
    /// Dataset, mapping and checks.
    pub task: &'a PlanTask,
    /// Most rows, at least 1.
    pub rows: u64,
}

/// Takes samples of datasets.
pub trait Sampler: Send + Sync {
    /// Samples that can be taken at the same time.
    fn width(&self) -> usize;

    /// Takes a sample; asks a few times a second whether it is still wanted. [`Sample::millis`] is left to the caller.
    fn sample(&self, request: &SampleRequest<'_>, cancelled: &dyn Fn() -> bool) -> Result<Sample, DriverError>;
}

/// Answers what it was told to, by the task's id; a task that it knows nothing of has a sample without findings.
#[derive(Debug, Default)]
pub struct MemorySampler {
    answers: Mutex<BTreeMap<String, Result<Sample, DriverError>>>,
    taken: AtomicUsize,
}

impl MemorySampler {
    /// Sets the answer for a task.
    pub fn answer(&self, task: &str, sample: Result<Sample, DriverError>) {
        let mut answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        answers.insert(task.to_owned(), sample);
    }

    /// Samples taken so far.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

impl Sampler for MemorySampler {
    fn width(&self) -> usize {
        4
    }

    fn sample(&self, request: &SampleRequest<'_>, _: &dyn Fn() -> bool) -> Result<Sample, DriverError> {
        self.taken.fetch_add(1, Ordering::SeqCst);
        let answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        answers.get(request.task.id.as_str()).cloned().unwrap_or_else(|| {
            let known = request.task.dataset().and_then(|work| work.source.rows);
            let rows = known.unwrap_or(request.rows).min(request.rows);
            let whole = known == Some(rows);
            Ok(Sample { rows, written: rows, whole, ..Sample::default() })
        })
    }
}
