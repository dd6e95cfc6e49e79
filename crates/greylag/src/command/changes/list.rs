//! `greylag changes list`.

use super::address::{self, Address};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{self, Row, heading, wide};
use crate::wire;
use clap::{Args, ValueEnum};
use greylag_driver::forge::{ChangeRequest, Forge, State};
use greylag_model::check::Verdict;

/// List change requests, by repository and number.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only in this state.
    #[arg(long, value_enum, value_name = "STATE")]
    state: Option<In>,
    /// Only of this repository.
    #[arg(long, value_name = "REPOSITORY")]
    repository: Option<String>,
}

/// A state that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum In {
    /// It can be merged.
    Open,
    /// It was.
    Merged,
    /// It will not be.
    Closed,
}

impl In {
    fn state(self) -> State {
        match self {
            Self::Open => State::Open,
            Self::Merged => State::Merged,
            Self::Closed => State::Closed,
        }
    }
}

impl List {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let forge = wire::forge(context)?;
        if let Some(repository) = &self.repository {
            // One that is not there is an error, and no empty list.
            forge.policy(repository)?;
        }
        let forge: &dyn Forge = &forge;
        let found = address::all(forge, self.repository.as_deref(), self.state.map(In::state))?;
        let headings = [
            heading("change"),
            heading("state"),
            heading("checks"),
            heading("approvals"),
            heading("title"),
            wide("branch"),
            wide("base"),
            wide("head"),
        ];
        output::list(context.format(), "changes", &headings, found.iter().map(row).collect())?;
        Ok(Exit::Done)
    }
}

fn row(request: &ChangeRequest) -> Row {
    let name = Address::of(request).to_string();
    let cells = vec![
        name.clone(),
        request.state.as_str().to_owned(),
        checks(request),
        request.approvals.len().to_string(),
        request.title.clone(),
        request.branch.clone(),
        request.base.clone(),
        request.head.clone(),
    ];
    Row::new(name, cells, request)
}

/// How many of its checks have passed.
fn checks(request: &ChangeRequest) -> String {
    let passed = request.checks.iter().filter(|check| check.verdict == Verdict::Pass).count();
    format!("{passed}/{}", request.checks.len())
}
