//! Proofs of rewritten texts, as commands show them.

use crate::consumers::Source;
use crate::context::Context;
use crate::failure::Failure;
use crate::verified;
use crate::wire;
use greylag_code::proposal::{Changed, datasets};
use greylag_code::prove::build::BuildProof;
use greylag_code::prove::{Moved, Question};
use greylag_code::repository::Report;
use greylag_code::tree::Tree;
use greylag_driver::error::DriverError;
use greylag_model::code;
use greylag_model::consumer::Class;
use greylag_model::proof::{Outcome, ProofVerdict, Reason};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What was proven of a repository.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    /// One for each text: its file, what is written only if it is the same, and the verdict.
    answers: Vec<(String, String, ProofVerdict)>,
}

impl Proofs {
    /// The verdict on all texts of a file, if there are any.
    pub(crate) fn of(&self, path: &str) -> Option<ProofVerdict> {
        let mut verdicts = self.answers.iter().filter(|(known, ..)| known == path).map(|(.., verdict)| verdict.clone());
        let first = verdicts.next()?;
        Some(verdicts.fold(first, ProofVerdict::and))
    }

    /// The files with verdicts.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.answers.iter().map(|(path, ..)| path.as_str())
    }

    /// Whether any text differs.
    pub(crate) fn differ(&self) -> bool {
        self.answers.iter().any(|(.., verdict)| matches!(verdict.outcome, Outcome::Different(_)))
    }

    /// Whether a file may not be written.
    pub(crate) fn forbid(&self, path: &str) -> bool {
        let covers = |scope: &str| scope.is_empty() || scope == path || scope.ends_with('/') && path.starts_with(scope);
        let mut answers = self.answers.iter();
        answers.any(|(_, scope, verdict)| matches!(verdict.outcome, Outcome::Different(_)) && covers(scope))
    }
}

/// What the repository's own build makes of what would be written; nothing if it names none, or nothing would be.
pub(crate) fn built(
    context: &Context,
    path: &Path,
    (source, report): (&Source, &Report),
    moved: &[Moved<'_>],
) -> Result<Option<BuildProof>, Failure> {
    // One file is no repository, and its build is not its own.
    if !path.is_dir() || report.files.iter().all(|file| file.new.is_none()) {
        return Ok(None);
    }
    let (home, builds, name) = (context.home()?, wire::builds(context.state()?)?, path.display().to_string());
    let (after, identity) = (report.after(source.tree.as_ref()), verified::identity(&name));
    let left = datasets(report.files.iter().filter(|file| file.class > Class::Mechanical));
    let cancelled = || context.interrupted();
    let (base, new) = (source.tree.as_ref(), &after as &dyn Tree);
    let changed = Changed { name: &name, base, new, moved, left: &left, cancelled: &cancelled };
    Ok(verified::by_build(&home, builds.as_deref(), &identity, &changed)?)
}

/// Answers questions, as many at the same time as the prover can. What a build knows better is taken from it.
pub(crate) fn answers(
    context: &Context,
    questions: &[Question],
    built: Option<&BuildProof>,
) -> Result<Proofs, Failure> {
    let prover = wire::prover(context.state()?)?;
    let cancelled = || context.stop().load(Ordering::SeqCst);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let stop = context.stop().clone();
    let work = || -> Result<(), DriverError> {
        loop {
            let at = next.fetch_add(1, Ordering::SeqCst);
            let Some(question) = questions.get(at) else { return Ok(()) };
            let verdict = match &question.ask {
                Ok(request) => prover.prove(request, &|| stop.load(Ordering::SeqCst))?,
                Err(verdict) => verdict.as_ref().clone(),
            };
            let verdict = match built {
                Some(built) => built.better(question, questions, verdict),
                None => verdict,
            };
            let answer = (question.path.clone(), question.scope.clone(), verdict);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, answer));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..prover.width().min(questions.len())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            let panicked = || Failure::error(code::cli::INTERNAL, "a proof ended without an answer");
            worker.join().map_err(|_| panicked())?.map_err(Failure::from)
        })
    })?;
    if cancelled() {
        return Err(Failure::interrupted());
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    Ok(Proofs { answers: done.into_iter().map(|(_, answer)| answer).collect() })
}

/// Why it is not equal.
pub(crate) fn why(verdict: &ProofVerdict) -> Option<String> {
    match &verdict.outcome {
        Outcome::Equal => None,
        Outcome::Different(difference) => Some(difference.why.clone()),
        Outcome::Unprovable(unprovable) => Some(format!("{}: {}", unprovable.reason.name(), unprovable.why)),
    }
}

/// How many texts are proven, and what became of the others.
pub(crate) fn line<'a>(all: impl Iterator<Item = &'a Proofs>) -> String {
    let (mut equal, mut different, mut count) = (0_usize, 0_usize, 0_usize);
    let mut reasons: BTreeMap<Reason, usize> = BTreeMap::new();
    for (.., verdict) in all.flat_map(|proofs| &proofs.answers) {
        count += 1;
        match &verdict.outcome {
            Outcome::Equal => equal += 1,
            Outcome::Different(_) => different += 1,
            Outcome::Unprovable(unprovable) => *reasons.entry(unprovable.reason).or_default() += 1,
        }
    }
    let share = (equal * 100).checked_div(count).unwrap_or(100);
    let unprovable: usize = reasons.values().sum();
    let why: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} {}", reason.name())).collect();
    let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) };
    format!("{equal} of {count} texts proven equal ({share} %), {different} different, {unprovable} unprovable{why}")
}
