//! `greylag trust`: which commands of repositories may be run.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, shown};
use crate::output::{self, Row, heading, wide};
use crate::trust::{Trust, Trusted};
use crate::verified;
use clap::Args;
use greylag_code::verify::command::{Command, Purpose};
use greylag_model::code;
use greylag_model::spec::duration;
use serde_json::json;
use std::fmt::Write as _;

/// Let a repository's own commands be run when its changes are verified and proven.
///
/// A repository names them in `.greylag.yaml`: its tests (`verify: {run: [make, test]}`), and what builds its dbt project over
/// databases that are made for it (`build: {run: [dbt, build]}`). Each is shown with all that decides what it does, and asked for:
/// only this very command is trusted, in this repository. Once a word of it, a limit, or a file that it runs changes, it is
/// another command. It runs in the sandbox, without network, on copies of the repository's files, with the programs of the system
/// and of the folders in `GREYLAG_TOOLS`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag trust ~/src/reports\n  \
                        greylag trust team/models --yes\n  \
                        greylag trust --list\n  \
                        greylag trust ~/src/reports --revoke")]
pub(crate) struct TrustCommand {
    /// A directory with a repository, or a repository of the embedded forge.
    #[arg(value_name = "REPOSITORY", required_unless_present = "list")]
    repository: Option<String>,
    /// List what is trusted.
    #[arg(long, conflicts_with_all = ["revoke", "yes"])]
    list: bool,
    /// Trust none of the repository's commands any more.
    #[arg(long, conflicts_with = "yes")]
    revoke: bool,
    /// Confirm beforehand.
    #[arg(short, long)]
    yes: bool,
}

impl TrustCommand {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let trust = Trust::of(&context.home()?);
        let named = self.repository.as_deref().unwrap_or_default();
        if self.list {
            let name = self.repository.as_ref().map(|name| verified::identity(name));
            let rows = trust.all(name.as_deref())?.iter().map(row).collect();
            let headings = [heading("repository"), heading("command"), heading("by"), heading("at"), wide("hash")];
            output::list(context.format(), "trusted commands", &headings, rows)?;
            return Ok(Exit::Done);
        }
        if self.revoke {
            let trusted = trust.all(Some(&verified::identity(named)))?;
            trusted.iter().try_for_each(Trusted::revoke)?;
            context.say(&format!("{} of `{named}` not trusted any more", trusted.len()));
            return Ok(Exit::Done);
        }
        let (identity, tree) = verified::base(context, named)?;
        let commands = Purpose::ALL.iter().filter_map(|purpose| Command::of(tree.as_ref(), *purpose).transpose());
        let commands: Vec<Command> = commands
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::error(code::cli::FILE_UNREADABLE, format!("`{named}`: {error}")))?;
        if commands.is_empty() {
            return Err(Failure::error(code::cli::FILE_UNREADABLE, format!("`{named}` names no command"))
                .hint("its owner names one in `.greylag.yaml`: `verify: {run: [make, test]}`"));
        }
        if context.format().is_json() {
            let all = commands.iter().map(|command| json!({"hash": command.hash(), "command": command}));
            let value = json!({"repository": identity, "commands": all.collect::<Vec<_>>()});
            output::document(context.format(), "commands", &value)?;
        } else {
            let all: Vec<String> = commands.iter().map(|command| told(&identity, command)).collect();
            output::text(&all.join("\n"))?;
        }
        let mut new = Vec::new();
        for command in &commands {
            if trust.allows(&identity, command)? {
                context.say(&format!("`{}` is trusted already", command.words()));
            } else {
                new.push(command);
            }
        }
        if new.is_empty() {
            return Ok(Exit::Done);
        }
        let what = if new.len() == 1 { "this command" } else { "these commands" };
        context.confirm(&format!("Run {what} when changes of the repository are verified and proven?"), self.yes)?;
        new.iter().try_for_each(|command| trust.grant(context, &identity, command))?;
        context.say("trusted");
        Ok(Exit::Done)
    }
}

/// A command with all that decides what it does.
fn told(repository: &str, command: &Command) -> String {
    let words: Vec<String> = command.run.iter().map(|word| shown(&format!("{word:?}"))).collect();
    let limits = command.limits;
    let purpose = match &command.project {
        None => "verify".to_owned(),
        Some(root) => format!("build, in {}", if root.is_empty() { "the root" } else { root }),
    };
    let mut text = format!(
        "repository  {}\nfor         {}\nrun         {}\n",
        shown(repository),
        shown(&purpose),
        words.join(" ")
    );
    let _ = writeln!(text, "timeout     {}", duration::text(command.timeout_millis));
    let _ = writeln!(
        text,
        "limits      {} MiB of memory, {} of processor time, {} processes, {} MiB of disk, no network",
        limits.memory_bytes >> 20,
        duration::text(limits.cpu_millis as i64),
        limits.processes,
        limits.disk_bytes >> 20
    );
    for (number, (path, hash)) in command.files.iter().enumerate() {
        let head = if number == 0 { "files     " } else { "          " };
        let _ = writeln!(text, "{head}  {} {}", &hash[..hash.len().min(16)], shown(path));
    }
    let _ = writeln!(text, "hash        {}", command.hash());
    text
}

fn row(trusted: &Trusted) -> Row {
    let words = trusted.value["command"]["run"].as_array().into_iter().flatten().filter_map(|word| word.as_str());
    let words: Vec<&str> = words.collect();
    let text = |key: &str| shown(trusted.value[key].as_str().unwrap_or_default());
    let cells = vec![shown(&trusted.repository), shown(&words.join(" ")), text("by"), text("at"), trusted.hash.clone()];
    Row::new(trusted.repository.clone(), cells, &trusted.value)
}
