//! `greylag changes`: repositories on the embedded forge, and change requests to them.

mod address;
mod approve;
mod close;
mod comment;
mod directory;
mod edit;
mod host;
mod list;
mod merge;
mod offer;
mod open;
mod patch;
mod repositories;
mod revert;
mod show;

use crate::context::Context;
use crate::failure::Outcome;
use clap::{Args, Subcommand};

/// Take repositories into the embedded forge, and offer and merge changes of their code.
///
/// The forge is a folder of the state folder: bare repositories, which git can clone from and push to, and their change
/// requests. A change request is named by its repository and number: `team/models#3`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag changes host ~/src/reports ~/src/models\n  \
                        greylag changes open -f users.yaml\n  \
                        greylag changes list --state open\n  \
                        greylag changes show reports#1\n  \
                        greylag changes approve reports#1\n  \
                        greylag changes merge --all-approved")]
pub(crate) struct Changes {
    #[command(subcommand)]
    command: ChangesCommand,
}

#[derive(Debug, Subcommand)]
enum ChangesCommand {
    Host(host::Host),
    Repositories(repositories::Repositories),
    Open(open::Open),
    List(list::List),
    Show(show::Show),
    Patch(patch::Patch),
    Comment(comment::Comment),
    Edit(edit::Edit),
    Approve(approve::Approve),
    Merge(merge::Merge),
    Close(close::Close),
    Revert(revert::Revert),
}

impl Changes {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            ChangesCommand::Host(command) => command.run(context),
            ChangesCommand::Repositories(command) => command.run(context),
            ChangesCommand::Open(command) => command.run(context),
            ChangesCommand::List(command) => command.run(context),
            ChangesCommand::Show(command) => command.run(context),
            ChangesCommand::Patch(command) => command.run(context),
            ChangesCommand::Comment(command) => command.run(context),
            ChangesCommand::Edit(command) => command.run(context),
            ChangesCommand::Approve(command) => command.run(context),
            ChangesCommand::Merge(command) => command.run(context),
            ChangesCommand::Close(command) => command.run(context),
            ChangesCommand::Revert(command) => command.run(context),
        }
    }
}
