//! `greylag changes approve`.

use super::address::Address;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::wire;
use clap::Args;
use greylag_driver::forge::Forge;
use greylag_model::code;

/// Approve a change request at the commit at which it is; another commit on its branch needs another approval.
#[derive(Debug, Args)]
pub(super) struct Approve {
    /// The change request.
    #[arg(value_name = "REPOSITORY#NUMBER")]
    change: Address,
    /// Only if it is still at this commit, as `show` told it.
    #[arg(long, value_name = "COMMIT")]
    head: Option<String>,
}

impl Approve {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let forge = wire::forge(context)?;
        let request = self.change.find(&forge)?;
        if let Some(seen) = self.head.as_ref().filter(|seen| seen.len() < 7 || !request.head.starts_with(*seen)) {
            let message = format!("`{}` is at `{}` now, not at `{seen}`", self.change, request.head);
            return Err(Failure::error(code::repository::GIT_MOVED, message)
                .hint(format!("look again: `greylag changes show {}`", self.change)));
        }
        forge.approve(&request.at(), &context.actor())?;
        context.say(&format!("approved {} at {}", self.change, request.head));
        Ok(Exit::Done)
    }
}
