//! What an import did.

use greylag_driver::catalog::{Applied, Kept, Outcome, Touched};
use greylag_model::diagnostic::{Diagnostic, Severity};
use greylag_model::entity::EntityRef;
use serde::{Deserialize, Serialize};

/// What an import did and what it found wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Each entity that was spoken of, by reference.
    pub entities: Vec<Touched>,
    /// Facts that were kept against what the import says, and why.
    pub kept: Vec<Kept>,
    /// All that is wrong, in the order of the places.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that were read, or datasets that a scan found.
    pub read: usize,
    /// YAML files of a directory that hold no catalog entities.
    pub passed_over: usize,
}

impl Report {
    pub(crate) fn take(&mut self, applied: Applied) {
        self.entities = applied.entities;
        self.kept = applied.kept;
    }

    /// The entities that had an outcome.
    pub fn having(&self, outcome: Outcome) -> impl Iterator<Item = &EntityRef> {
        self.entities.iter().filter(move |touched| touched.outcome == outcome).map(|touched| &touched.entity)
    }

    /// Entities that are new, or back.
    pub fn added(&self) -> usize {
        self.having(Outcome::Added).count()
    }

    /// Entities of which some fact is another.
    pub fn changed(&self) -> usize {
        self.having(Outcome::Changed).count()
    }

    /// Entities that are as they were.
    pub fn unchanged(&self) -> usize {
        self.having(Outcome::Unchanged).count()
    }

    /// Entities that are gone.
    pub fn removed(&self) -> usize {
        self.having(Outcome::Removed).count()
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }
}

/// The closing line, e.g. `3 added, 1 changed, 12 unchanged, 0 removed; 2 facts kept; 1 error, 4 warnings`.
impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (added, changed, unchanged, removed) = (self.added(), self.changed(), self.unchanged(), self.removed());
        write!(f, "{added} added, {changed} changed, {unchanged} unchanged, {removed} removed")?;
        let many = |count: usize| if count == 1 { "" } else { "s" };
        if !self.kept.is_empty() {
            write!(f, "; {} fact{} kept", self.kept.len(), many(self.kept.len()))?;
        }
        let errors = self.errors();
        let warnings = self.diagnostics.len() - errors;
        match (errors, warnings) {
            (0, 0) => Ok(()),
            (0, _) => write!(f, "; {warnings} warning{}", many(warnings)),
            (_, 0) => write!(f, "; {errors} error{}", many(errors)),
            _ => write!(f, "; {errors} error{}, {warnings} warning{}", many(errors), many(warnings)),
        }
    }
}
