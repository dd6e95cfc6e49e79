//! `greylag changes comment`.

use super::address::Address;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::wire;
use clap::Args;
use greylag_driver::forge::Forge;

/// Write a comment on a change request.
#[derive(Debug, Args)]
pub(super) struct Comment {
    /// The change request.
    #[arg(value_name = "REPOSITORY#NUMBER")]
    change: Address,
    /// What is to be said.
    #[arg(value_name = "TEXT")]
    text: String,
}

impl Comment {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        if self.text.trim().is_empty() {
            return Err(Failure::usage("the comment is empty"));
        }
        let forge = wire::forge(context)?;
        let (by, now) = (context.actor(), context.now().0);
        // Each is a comment of its own.
        let key = format!("{by}/{now}/{}", std::process::id());
        forge.comment(&self.change.repository, self.change.number, &key, &by, &self.text)?;
        context.say(&format!("commented on {}", self.change));
        Ok(Exit::Done)
    }
}
