//! `greylag changes edit`.

use super::address::Address;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::wire;
use clap::Args;
use greylag_driver::forge::Forge;
use greylag_model::code;
use std::path::PathBuf;

/// Give an open change request another title or description.
///
/// Its commits, checks and approvals stay as they are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag changes edit team/models#3 --title 'Read users_v2'\n  \
                        greylag changes edit team/models#3 --description-file why.md")]
pub(super) struct Edit {
    /// The change request.
    #[arg(value_name = "REPOSITORY#NUMBER")]
    change: Address,
    /// The title: one line.
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["description", "description_file"])]
    title: Option<String>,
    /// The description, in Markdown.
    #[arg(long, value_name = "TEXT", conflicts_with = "description_file")]
    description: Option<String>,
    /// A file with the description.
    #[arg(long, value_name = "FILE")]
    description_file: Option<PathBuf>,
}

impl Edit {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        if self.title.as_ref().is_some_and(|title| title.trim().is_empty() || title.contains(char::is_control)) {
            return Err(Failure::usage("a title is one line that is not empty"));
        }
        let forge = wire::forge(context)?;
        let now = self.change.find(&forge)?;
        let description = self.description()?.unwrap_or(now.description);
        let title = self.title.clone().unwrap_or(now.title);
        forge.edit(&self.change.repository, self.change.number, &title, &description)?;
        context.say(&format!("edited {}", self.change));
        Ok(Exit::Done)
    }

    fn description(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.description_file else { return Ok(self.description.clone()) };
        std::fs::read_to_string(path).map(Some).map_err(|error| {
            Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
        })
    }
}
