//! `greylag changes revert`.

use super::address::Address;
use super::merge::conflict;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{self, Row, heading};
use crate::wire;
use clap::Args;
use greylag_driver::forge::{ChangeRequest, Forge, Revert as Back, Reverted};
use serde_json::json;

/// Open a change request that takes back one that was merged.
///
/// What others have changed since is kept; where they have changed the same, nothing is opened and the files are named.
///
/// Exit codes: 0 it is open, or nothing is left to take back; 3 others have changed the same.
#[derive(Debug, Args)]
pub(super) struct Revert {
    /// The change request that was merged.
    #[arg(value_name = "REPOSITORY#NUMBER")]
    change: Address,
}

impl Revert {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let forge = wire::forge(context)?;
        let request = self.change.find(&forge)?;
        let (outcome, by, detail, exit) = match forge.revert(&back(&request, &context.actor()))? {
            Reverted::Opened(opened) => {
                let by = Address::of(&opened);
                ("opened", Some(by), opened.title, Exit::Done)
            }
            Reverted::Already => ("nothing to do", None, "nothing of it is left".to_owned(), Exit::Done),
            Reverted::Conflict { paths } => ("conflict", None, conflict(&paths), Exit::Incomplete),
        };
        let by = by.map(|by| by.to_string());
        let value = json!({
            "repository": self.change.repository, "number": self.change.number, "outcome": outcome, "by": by,
            "detail": detail,
        });
        let name = by.clone().unwrap_or_else(|| self.change.to_string());
        let cells = vec![self.change.to_string(), outcome.to_owned(), by.unwrap_or_default(), detail];
        let headings = [heading("change"), heading("outcome"), heading("by"), heading("detail")];
        output::list(context.format(), "changes", &headings, vec![Row::new(name, cells, &value)])?;
        Ok(exit)
    }
}

/// The change request that takes one back: one for each, however often it is asked for.
fn back(request: &ChangeRequest, actor: &str) -> Back {
    let number = request.number;
    Back {
        repository: request.repository.clone(),
        number,
        key: format!("greylag/revert-{number}"),
        branch: format!("greylag/revert-{number}"),
        title: format!("Take back #{number}: {}", request.title),
        description: format!(
            "This takes back #{number}, on behalf of `{actor}`: the code reads what it read before. What others have changed \
             since stays as it is.\n\nTo say no, close this change request or comment on it.\n"
        ),
    }
}
