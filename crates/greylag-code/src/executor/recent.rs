//! What was found a moment ago: the steps of a scope ask for the same one after another.
//!
//! **Invariant:** what is found is a function of a tree and of what changes, so what is kept is what would be found
//! again; which are kept decides nothing but how long it takes. A commit names the tree; the plan, which never changes, and
//! the task in it name what changes.

use crate::git::ObjectId;
use crate::scope::Looked;
use greylag_driver::error::DriverError;
use greylag_model::id::{PlanId, TaskId};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Most bytes of text that are kept, and most scopes.
const MOST: (usize, usize) = (64 << 20, 256);

/// What it was found of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Of {
    pub(super) plan: PlanId,
    pub(super) task: TaskId,
    pub(super) commit: ObjectId,
}

/// What was found last.
#[derive(Debug, Default)]
pub struct Recent {
    kept: Mutex<VecDeque<(Of, Looked)>>,
}

impl Recent {
    /// What is found in a tree: what is kept, or what `look` finds.
    pub(super) fn looked(
        &self,
        of: Of,
        look: impl FnOnce() -> Result<Looked, DriverError>,
    ) -> Result<Looked, DriverError> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, looked)) = kept().iter().find(|(known, _)| *known == of) {
            return Ok(looked.clone());
        }
        let looked = look()?;
        let mut kept = kept();
        kept.push_back((of, looked.clone()));
        let mut bytes: usize = kept.iter().map(|(_, looked)| size(looked)).sum();
        while kept.len() > MOST.1 || bytes > MOST.0 {
            let Some((_, gone)) = kept.pop_front() else { break };
            bytes -= size(&gone);
        }
        Ok(looked)
    }
}

/// Bytes of its texts.
fn size(looked: &Looked) -> usize {
    let files = looked.report.files.iter().chain(&looked.elsewhere);
    files.map(|file| file.old.len() + file.new.as_ref().map_or(0, String::len)).sum()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use greylag_model::code::cli;
    use std::cell::Cell;

    #[test]
    fn a_scope_is_looked_at_once_and_the_oldest_goes_first() {
        let (recent, made) = (Recent::default(), Cell::new(0));
        let of = |plan: &str, task: usize| Of {
            plan: PlanId::new(plan),
            task: TaskId::new(task.to_string()),
            commit: ObjectId::parse(&"a".repeat(40)).unwrap(),
        };
        let ask = |of: Of| {
            let before = made.get();
            recent
                .looked(of, || {
                    made.set(before + 1);
                    Ok(Looked::default())
                })
                .unwrap();
            made.get() > before
        };
        assert!(ask(of("p", 0)) && !ask(of("p", 0)) && ask(of("q", 0)) && ask(of("p", 1)));
        let refused = recent.looked(of("r", 0), || Err(DriverError::transient(cli::INTERNAL, "no")));
        assert!(refused.is_err() && ask(of("r", 0)), "what failed is not kept");
        assert!((2..=MOST.1).all(|task| ask(of("p", task))));
        assert!(!ask(of("p", MOST.1)) && ask(of("p", 0)));
    }
}
