//! `greylag changes close`.

use super::address::Address;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::wire;
use clap::Args;
use greylag_driver::forge::{Forge, Which};

/// Close change requests: their branches go, and `changes open` leaves them closed unless it is told `--reopen`.
#[derive(Debug, Args)]
pub(super) struct Close {
    /// The change requests.
    #[arg(required = true, value_name = "REPOSITORY#NUMBER")]
    changes: Vec<Address>,
}

impl Close {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let forge = wire::forge(context)?;
        for change in &self.changes {
            change.find(&forge)?;
            forge.close(&change.repository, &Which::Number(change.number))?;
            context.say(&format!("closed {change}"));
        }
        Ok(Exit::Done)
    }
}
