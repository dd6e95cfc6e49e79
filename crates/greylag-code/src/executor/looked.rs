//! Reports of a moment ago: the steps of a scope ask for the same one after another.
//!
//! **Invariant:** a report is a function of a tree and of what changes, so one that is kept is the one that would be made
//! again; which are kept decides nothing but how long it takes. A commit names the tree; the plan, which never changes, and
//! the task in it name what changes.

use crate::git::ObjectId;
use crate::repository::Report;
use greylag_driver::error::DriverError;
use greylag_model::id::{PlanId, TaskId};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Most bytes of text that are kept, and most reports.
const MOST: (usize, usize) = (64 << 20, 256);

/// What a report is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Of {
    pub(super) plan: PlanId,
    pub(super) task: TaskId,
    pub(super) commit: ObjectId,
}

/// The last reports that were made.
#[derive(Debug, Default)]
pub struct Looked {
    kept: Mutex<VecDeque<(Of, Report)>>,
}

impl Looked {
    /// The report of a tree: the one that is kept, or what `look` makes.
    pub(super) fn report(
        &self,
        of: Of,
        look: impl FnOnce() -> Result<Report, DriverError>,
    ) -> Result<Report, DriverError> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, report)) = kept().iter().find(|(known, _)| *known == of) {
            return Ok(report.clone());
        }
        let report = look()?;
        let mut kept = kept();
        kept.push_back((of, report.clone()));
        let mut bytes: usize = kept.iter().map(|(_, report)| size(report)).sum();
        while kept.len() > MOST.1 || bytes > MOST.0 {
            let Some((_, gone)) = kept.pop_front() else { break };
            bytes -= size(&gone);
        }
        Ok(report)
    }
}

/// Bytes of its texts.
fn size(report: &Report) -> usize {
    report.files.iter().map(|file| file.old.len() + file.new.as_ref().map_or(0, String::len)).sum()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use greylag_model::code::cli;
    use std::cell::Cell;

    #[test]
    fn a_report_is_made_once_and_the_oldest_goes_first() {
        let (looked, made) = (Looked::default(), Cell::new(0));
        let of = |plan: &str, task: usize| Of {
            plan: PlanId::new(plan),
            task: TaskId::new(task.to_string()),
            commit: ObjectId::parse(&"a".repeat(40)).unwrap(),
        };
        let ask = |of: Of| {
            let before = made.get();
            looked
                .report(of, || {
                    made.set(before + 1);
                    Ok(Report::default())
                })
                .unwrap();
            made.get() > before
        };
        assert!(ask(of("p", 0)) && !ask(of("p", 0)) && ask(of("q", 0)) && ask(of("p", 1)));
        let refused = looked.report(of("r", 0), || Err(DriverError::transient(cli::INTERNAL, "no")));
        assert!(refused.is_err() && ask(of("r", 0)), "what failed is not kept");
        assert!((2..=MOST.1).all(|task| ask(of("p", task))));
        assert!(!ask(of("p", MOST.1)) && ask(of("p", 0)));
    }
}
