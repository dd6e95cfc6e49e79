//! Before a dataset's old name means something else, or nothing: what still reads it.

use super::{Job, Work, address};
use crate::scope;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, StepReport};
use greylag_driver::forge::State;
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::consumer::Class;
use greylag_model::plan::{Readers as Plan, ScopeObserved, scope_id};
use greylag_model::spec::ScopesSpec;
use serde_json::json;

/// Most repositories that are named.
const NAMED: usize = 20;

/// Waits until the change requests of the run for a dataset's readers have come to an end.
pub(super) struct Await;

/// Looks at all repositories again.
pub(super) struct Readers;

fn planned<'a>(job: &Job<'a>) -> Result<Option<&'a Plan>, DriverError> {
    Ok(job.request.dataset()?.readers.as_deref())
}

impl Work for Await {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let Some(readers) = planned(job)? else { return Ok(Outcome::Done(StepReport::default())) };
        let (mut merged, mut notes) = (Vec::new(), Vec::new());
        for scope in &readers.scopes {
            match job.found(scope)? {
                Some(request) if request.state == State::Merged => merged.push(address(&request)),
                Some(request) if request.state == State::Closed => {
                    notes.push(format!("`{}` was closed: its code still reads the old dataset", address(&request)));
                }
                found => {
                    // One whose task came to nothing, or that had nothing to offer, is never merged.
                    if !(job.plane.has_ended)(job.request.run, &scope_id(scope))? {
                        return Ok(job.later());
                    }
                    if found.is_some() {
                        notes.push(format!("the code of `{scope}` still reads the old dataset"));
                    }
                }
            }
        }
        Ok(Outcome::Done(StepReport { output: json!({ "merged": merged }), notes, ..StepReport::default() }))
    }
}

impl Work for Readers {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let Some(readers) = planned(job)? else { return Ok(Outcome::Done(StepReport::default())) };
        let hosts = job.plane.hosts.as_ref();
        let names = scope::named(hosts, &readers.repositories)?;
        let mut left = Vec::new();
        for name in &names {
            let (change, whole) = (std::slice::from_ref(&readers.change), ScopesSpec::default());
            let found = scope::observe(hosts, name, change, &whole, job.options())?;
            left.extend(found.into_iter().filter(|found| found.class() != Class::Unaffected));
        }
        let check = check(names.len(), &left);
        let output = json!({ "repositories": names.len(), "left": left.len() });
        Ok(Outcome::Done(StepReport { checks: vec![check], output, ..StepReport::default() }))
    }
}

fn check(looked_at: usize, left: &[ScopeObserved]) -> CheckResult {
    let named = |found: &ScopeObserved| {
        let first = found.files.first().map(|file| file.path.as_str()).unwrap_or_default();
        format!("`{}` ({}, `{first}`)", found.repository, found.class().name())
    };
    let names: Vec<String> = left.iter().take(NAMED).map(named).collect();
    let more = if left.len() > NAMED { format!(" and {} more", left.len() - NAMED) } else { String::new() };
    let (verdict, detail, hint) = if left.is_empty() {
        (Verdict::Pass, format!("none of {looked_at} repositories reads it any more"), None)
    } else {
        let detail = format!("still read by {}{more}", names.join(", "));
        let hint = "move this code, or take it out of `consumers.repositories`, and retry; nothing was retired";
        (Verdict::Fail, detail, Some(hint.to_owned()))
    };
    CheckResult { name: "readers".to_owned(), verdict, detail, hint }
}
