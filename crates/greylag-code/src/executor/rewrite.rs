//! Rules rewrite the code, as one commit that nothing refers to yet.

use super::{Job, Work, done};
use crate::proposal::Proposal;
use greylag_driver::error::DriverError;
use greylag_driver::executor::Outcome;
use greylag_model::consumer::Class;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(super) struct Rewrite;

/// What was rewritten: the funnel of one repository.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rewritten {
    /// The commit of the base branch.
    pub(super) base: String,
    /// The commit with the new files; none if no rule has anything to do any more.
    pub(super) commit: Option<String>,
    /// Files that change.
    pub(super) files: usize,
    /// Places in them.
    pub(super) edits: usize,
    /// Files by class, those that are unaffected left out.
    pub(super) classes: BTreeMap<Class, usize>,
}

impl Work for Rewrite {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let repository = job.repository()?;
        let tree = job.base(&repository)?;
        let proposal = job.proposal(&tree)?;
        job.fault("in-effect")?;
        let commit =
            if proposal.edits().is_empty() { None } else { Some(job.commit(&repository, &tree, &proposal)?) };
        done(&rewritten(tree.commit().as_str(), commit.map(|commit| commit.as_str().to_owned()), &proposal))
    }
}

pub(super) fn rewritten(base: &str, commit: Option<String>, proposal: &Proposal<'_>) -> Rewritten {
    let mut classes = BTreeMap::new();
    for file in proposal.report.files.iter().filter(|file| file.class != Class::Unaffected) {
        *classes.entry(file.class).or_default() += 1;
    }
    let edits = proposal.changed().map(|file| file.edits.len()).sum();
    Rewritten { base: base.to_owned(), commit, files: proposal.changed().count(), edits, classes }
}
