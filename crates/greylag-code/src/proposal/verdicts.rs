//! What is said of a proposal before anybody decides on it, whoever offers it: a run, or a person with `changes open`.
//!
//! | verdict | by |
//! |---|---|
//! | `complete`, `reversible`, `rewritten` | the rules that made it |
//! | `parses`, `resolves`, `outputs`, `lineage`, `scope`, `idempotent` | verifiers, which do not ask how it was made: see [`crate::verify`] |
//! | `proof` | running old and new texts: see [`crate::prove`] |
//! | `build` | the project's own build over old rows and over new ones, if its owner names one: see [`crate::prove::build`] |
//! | `command` | the repository's own command, if it has one |
//!
//! **Invariant:** there is one way to these verdicts, so that an owner reads the same of the same commit, whoever asked.

use super::{Proposal, datasets};
use crate::prove::build::BuildProof;
use crate::prove::{Moved, questions};
use crate::repository::Options;
use crate::scope;
use crate::tree::Tree;
use crate::verify;
use greylag_driver::error::DriverError;
use greylag_driver::proof::Prover;
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code::cli as code;
use greylag_model::proof::{Outcome, ProofVerdict, Reason};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// Runs a repository's own command on its files before and after, by the repository's name, if it has one; asks now and then
/// whether it should end.
pub type OwnCommand = Arc<
    dyn Fn(&str, &dyn Tree, &dyn Tree, &dyn Fn() -> bool) -> Result<Option<CheckResult>, DriverError> + Send + Sync,
>;

/// A change of a repository that may be built.
pub struct Changed<'a> {
    /// The repository's name.
    pub name: &'a str,
    /// Its files before.
    pub base: &'a dyn Tree,
    /// Its files after.
    pub new: &'a dyn Tree,
    /// What changes, with all that is known of the rows.
    pub moved: &'a [Moved<'a>],
    /// Datasets whose old tables something still reads after the change.
    pub left: &'a BTreeSet<&'a str>,
    /// Whether nobody waits for the answer any more.
    pub cancelled: &'a dyn Fn() -> bool,
}

/// Builds a repository's project before and after, if its owner names a build, and compares what that makes.
pub type OwnBuild = Arc<dyn Fn(&Changed<'_>) -> Result<Option<BuildProof>, DriverError> + Send + Sync>;

/// Who is asked besides rules and verifiers.
pub struct Judges<'a> {
    /// Runs old and new texts and compares what they give; none where that is not asked for.
    pub prover: Option<&'a dyn Prover>,
    /// Builds old and new projects; asked where there is a prover.
    pub build: &'a OwnBuild,
    /// Runs the repository's own command.
    pub command: &'a OwnCommand,
    /// Whether nobody waits for the answer any more.
    pub cancelled: &'a dyn Fn() -> bool,
}

/// A repository whose files are judged.
pub struct Judged<'a> {
    /// Its name on the forge.
    pub name: &'a str,
    /// Its files before.
    pub base: &'a dyn Tree,
    /// Its files as they are offered.
    pub new: &'a dyn Tree,
    /// What changes, with all that is known of the rows.
    pub moved: &'a [Moved<'a>],
    /// How it is read.
    pub options: Options<'a>,
}

/// What can be said of a proposal.
pub fn verdicts(
    proposal: &Proposal<'_>,
    judged: &Judged<'_>,
    judges: &Judges<'_>,
) -> Result<Vec<CheckResult>, DriverError> {
    let Judged { name, base, new, options, .. } = judged;
    let mut checks = proposal.checks(*base, name, *options)?;
    let report = scope::left(&proposal.report, &proposal.elsewhere);
    let how = verify::Options { dialect: options.dialect, stated: options.stated, report: Some(&report), scope: &[] };
    let verified = verify::verify(*base, *new, proposal.changes, how).map_err(|error| unreadable(name, &error))?;
    // Rules find more to rewrite in a part's repository, and must: `rewritten` says it of the part.
    checks.extend(verified.into_iter().filter(|check| proposal.part.is_none() || check.name != "idempotent"));
    let built = match judges.prover {
        Some(_) => build(proposal, judged, judges)?,
        None => None,
    };
    checks.extend(proof(proposal, judged, judges, built.as_ref())?);
    checks.extend(built.map(|built| built.check));
    checks.extend((judges.command)(name, *base, *new, judges.cancelled)?);
    Ok(checks)
}

fn unreadable(name: &str, error: &std::io::Error) -> DriverError {
    DriverError::transient(code::FILE_UNREADABLE, format!("the repository `{name}` cannot be read: {error}"))
}

/// What the project's own build says; nothing where nothing changes or its owner names none.
fn build(proposal: &Proposal<'_>, judged: &Judged<'_>, judges: &Judges<'_>) -> Result<Option<BuildProof>, DriverError> {
    if proposal.changed().next().is_none() {
        return Ok(None);
    }
    let left = datasets(proposal.held().chain(&proposal.elsewhere));
    let Judged { name, base, new, moved, .. } = *judged;
    (judges.build)(&Changed { name, base, new, moved, left: &left, cancelled: judges.cancelled })
}

/// Whether the new texts give what the old ones gave; nothing where no text has changed.
fn proof(
    proposal: &Proposal<'_>,
    judged: &Judged<'_>,
    judges: &Judges<'_>,
    built: Option<&BuildProof>,
) -> Result<Option<CheckResult>, DriverError> {
    let Some(prover) = judges.prover else { return Ok(None) };
    let questions = questions(judged.base, &proposal.report, judged.moved, judged.options)
        .map_err(|error| unreadable(judged.name, &error))?;
    let mut told = Told::default();
    for question in &questions {
        let verdict = match &question.ask {
            Ok(request) => prover.prove(request, judges.cancelled)?,
            Err(verdict) => verdict.as_ref().clone(),
        };
        let verdict = match built {
            Some(built) => built.better(question, &questions, verdict),
            None => verdict,
        };
        told.take(&question.path, &verdict);
    }
    Ok((!questions.is_empty()).then(|| told.check(questions.len())))
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
            Outcome::Equal => self.equal += 1,
            Outcome::Different(difference) => self.different.push(format!("`{path}`: {}", difference.why)),
            Outcome::Unprovable(unprovable) => *self.unprovable.entry(unprovable.reason).or_default() += 1,
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
            ProofVerdict { outcome: Outcome::Equal, reach: Reach { sampled, unread, ..Reach::default() } }
        };
        told.take("a.sql", &verdict(3, &[]));
        told.take("b.sql", &verdict(0, &["raw.users"]));
        let check = told.check(2);
        let expected = "2 of 2 texts give the same; 3 real rows among those tried; the rows of `raw.users` cannot be \
                        read, so made ones stood for them";
        assert_eq!((check.verdict, check.detail.as_str()), (Verdict::Pass, expected));
    }
}
