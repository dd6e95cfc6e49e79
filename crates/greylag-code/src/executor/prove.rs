//! The rewritten code is shown to be right, as far as that can be done without running it.

use super::rewrite::Rewritten;
use super::{Job, Work};
use crate::git::{CommitTree, ObjectId};
use crate::proposal::Proposal;
use crate::prove::{Moved, questions};
use crate::scope;
use crate::verify;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, StepReport};
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code::cli as code;
use greylag_model::proof::{self, ProofVerdict, Reason, Sample};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

pub(super) struct Prove;

/// What was found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Proven {
    /// Verdicts, as the change request shows them.
    pub(super) verdicts: Vec<CheckResult>,
}

impl Work for Prove {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let rewritten: Rewritten = job.output("code/rewrite")?;
        let Some(commit) = &rewritten.commit else { return Ok(Outcome::Done(StepReport::default())) };
        let repository = job.repository()?;
        let base = repository.tree(&ObjectId::parse(&rewritten.base)?)?;
        let proposal = job.proposal(&base)?;
        let new = job.made(&repository, (&rewritten.base, commit), &proposal)?;
        let checks = verdicts(job, &proposal, &base, &new)?;
        let output = json!(Proven { verdicts: checks.clone() });
        Ok(Outcome::Done(StepReport { checks, output, ..StepReport::default() }))
    }
}

/// What can be said of a proposal for a base: by the rules that made it, by verifiers that do not ask how it was made, and
/// by the repository's own command.
pub(super) fn verdicts(
    job: &Job<'_>,
    proposal: &Proposal<'_>,
    base: &CommitTree,
    new: &CommitTree,
) -> Result<Vec<CheckResult>, DriverError> {
    let name = &job.scope()?.found.repository;
    let mut checks = proposal.checks(base, name, job.options())?;
    let report = scope::left(&proposal.report, &proposal.elsewhere);
    let options = verify::Options { dialect: job.options().dialect, report: Some(&report), scope: &[] };
    let verified = verify::verify(base, new, proposal.changes, options).map_err(|error| {
        DriverError::transient(code::FILE_UNREADABLE, format!("the repository `{name}` cannot be read: {error}"))
    })?;
    // Rules find more to rewrite in a part's repository, and must: `rewritten` says it of the part.
    checks.extend(verified.into_iter().filter(|check| proposal.part.is_none() || check.name != "idempotent"));
    checks.extend(proof(job, proposal, base)?);
    checks.extend((job.plane.command)(name, base, new, &|| job.context.cancelled())?);
    Ok(checks)
}

/// Whether the new texts give what the old ones gave; nothing where no text has changed.
fn proof(job: &Job<'_>, proposal: &Proposal<'_>, base: &CommitTree) -> Result<Option<CheckResult>, DriverError> {
    let scope = job.scope()?;
    let samples: Vec<Option<Sample>> = scope.changes.iter().map(|change| sample(job, &change.dataset)).collect();
    let moved = scope.changes.iter().zip(&scope.mappings).zip(&samples);
    let moved: Vec<Moved<'_>> =
        moved.map(|((change, mapping), sample)| Moved { change, mapping, sample: sample.as_ref() }).collect();
    let questions = questions(base, &proposal.report, &moved, job.options()).map_err(|error| {
        let name = &scope.found.repository;
        DriverError::transient(code::FILE_UNREADABLE, format!("the repository `{name}` cannot be read: {error}"))
    })?;
    let mut told = Told::default();
    for question in &questions {
        let verdict = match &question.ask {
            Ok(request) => job.plane.prover.prove(request, &|| job.context.cancelled())?,
            Err(verdict) => verdict.as_ref().clone(),
        };
        told.take(&question.path, &verdict);
    }
    Ok((!questions.is_empty()).then(|| told.check(questions.len())))
}

/// Where the first rows of an old dataset are, as the plan says.
fn sample(job: &Job<'_>, dataset: &str) -> Option<Sample> {
    let source = job.scope().ok()?.sources.get(dataset)?;
    let root = match &source.location.connection {
        Some(connection) => Some(job.request.header.connections.get(connection)?.clone()),
        None => None,
    };
    Some(Sample { root, path: source.location.path.clone(), layout: source.layout.clone(), rows: Sample::ROWS })
}

/// Most texts that are named.
const NAMED: usize = 5;

/// What proofs came to.
#[derive(Default)]
struct Told {
    equal: usize,
    different: Vec<String>,
    unprovable: BTreeMap<Reason, usize>,
    /// Real rows that texts were given.
    real: u64,
    /// Old datasets whose rows could not be read.
    unread: BTreeSet<String>,
}

impl Told {
    fn take(&mut self, path: &str, verdict: &ProofVerdict) {
        self.real += verdict.reach.sampled;
        self.unread.extend(verdict.reach.unread.iter().cloned());
        match &verdict.outcome {
            proof::Outcome::Equal => self.equal += 1,
            proof::Outcome::Different(difference) => self.different.push(format!("`{path}`: {}", difference.why)),
            proof::Outcome::Unprovable(unprovable) => *self.unprovable.entry(unprovable.reason).or_default() += 1,
        }
    }

    fn check(self, texts: usize) -> CheckResult {
        let verdict = match (self.different.is_empty(), self.unprovable.is_empty()) {
            (false, _) => Verdict::Fail,
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::Unknown,
        };
        let mut detail = format!("{} of {texts} texts give the same", self.equal);
        for (reason, count) in &self.unprovable {
            // Writing to a string does not fail.
            let _ = write!(detail, ", {count} unprovable ({})", reason.name());
        }
        let rows = if self.real == 1 { "row" } else { "rows" };
        let _ = write!(detail, "; {} real {rows} among those tried", self.real);
        for name in self.unread.iter().take(NAMED) {
            let _ = write!(detail, "; the rows of `{name}` cannot be read, so made ones stood for them");
        }
        for different in self.different.iter().take(NAMED) {
            let _ = write!(detail, "; {different}");
        }
        let hint = "the text is not what the mapping says: look at `greylag rewrite --prove` of a clone";
        let hint = (verdict == Verdict::Fail).then(|| hint.to_owned());
        CheckResult { name: "proof".to_owned(), verdict, detail, hint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greylag_model::proof::Reach;

    #[test]
    fn a_check_says_how_many_rows_were_real_and_whose_could_not_be_read() {
        let mut told = Told::default();
        let verdict = |sampled, unread: &[&str]| {
            let unread = unread.iter().map(|name| (*name).to_owned()).collect();
            ProofVerdict { outcome: proof::Outcome::Equal, reach: Reach { sampled, unread, ..Reach::default() } }
        };
        told.take("a.sql", &verdict(3, &[]));
        told.take("b.sql", &verdict(0, &["raw.users"]));
        let check = told.check(2);
        let expected = "2 of 2 texts give the same; 3 real rows among those tried; the rows of `raw.users` cannot be \
                        read, so made ones stood for them";
        assert_eq!((check.verdict, check.detail.as_str()), (Verdict::Pass, expected));
    }
}
