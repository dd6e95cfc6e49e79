//! `greylag changes repositories`.

use super::address;
use super::host::policy_word;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Row, heading, wide};
use crate::wire::{self, Hosting};
use clap::Args;
use greylag_driver::forge::State;
use serde_json::json;

/// List the repositories that the embedded forge has.
#[derive(Debug, Args)]
pub(super) struct Repositories {}

impl Repositories {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let forge = wire::forge(context)?;
        let rows = forge.hosted()?.iter().map(|name| row(&forge, name)).collect::<Result<Vec<_>, Failure>>()?;
        let headings = [
            heading("repository"),
            heading("policy"),
            heading("branch"),
            heading("head"),
            heading("open"),
            wide("folder"),
        ];
        output::list(context.format(), "repositories", &headings, rows)?;
        Ok(Exit::Done)
    }
}

fn row(forge: &Hosting, name: &str) -> Result<Row, Failure> {
    let repository = forge.repository(name)?;
    let branch = repository.default_branch()?;
    let head = repository.branch(&branch)?.map(|head| head.to_string());
    let open = address::all(forge, Some(name), Some(State::Open))?.len();
    let (policy, folder) = (policy_word(forge.policy(name)?), repository.folder().display().to_string());
    let value = json!({
        "name": name, "policy": policy, "branch": branch, "head": head, "open": open, "folder": folder,
    });
    let cells = vec![
        name.to_owned(),
        policy.to_owned(),
        branch,
        head.unwrap_or_else(|| "(empty)".to_owned()),
        open.to_string(),
        folder,
    ];
    Ok(Row::new(name, cells, &value))
}
