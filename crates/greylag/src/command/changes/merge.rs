//! `greylag changes merge`.

use super::address::{self, Address};
use super::offer;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Row, heading};
use crate::wire;
use clap::Args;
use greylag_driver::error::DriverError;
use greylag_driver::forge::{ChangeRequest, Forge, Merge as Merged, State};
use greylag_model::spec::ErrorClass;
use serde_json::json;

/// Merge change requests, as far as the policy of their repositories lets them.
///
/// By hand, a change request needs an approval of the commit at which it is, and no check that failed; automatically, it
/// needs checks that have all passed. The others are named, with what hinders them; what is merged stays merged.
///
/// Exit codes: 0 all are merged; 3 some wait for a check, conflict or were moved; 5 a policy refused some.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag changes merge reports#1\n  \
                        greylag changes merge --all-approved --yes\n  \
                        greylag changes merge --migration users-v2")]
#[group(id = "which", required = true, args = ["changes", "all_approved", "migration"])]
pub(super) struct Merge {
    /// The change requests.
    #[arg(value_name = "REPOSITORY#NUMBER")]
    changes: Vec<Address>,
    /// All open ones that somebody has approved.
    #[arg(long)]
    all_approved: bool,
    /// All open ones of this migration.
    #[arg(long, value_name = "NAME")]
    migration: Option<String>,
    /// Confirm beforehand.
    #[arg(short, long)]
    yes: bool,
}

/// What became of one.
struct Told {
    change: Address,
    outcome: &'static str,
    detail: String,
    exit: Exit,
}

impl Merge {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let forge = wire::forge(context)?;
        let requests = self.requests(&forge)?;
        if requests.len() > 1 {
            context.confirm(&format!("Merge {}?", named(&requests)), self.yes)?;
        }
        let mut told = Vec::new();
        for request in &requests {
            if context.interrupted() {
                break;
            }
            told.push(merge(&forge, request, &context.actor())?);
        }
        let count = told.iter().filter(|told| told.exit == Exit::Done).count();
        let worst = told.iter().map(|told| told.exit).max().unwrap_or(Exit::Done);
        let headings = [heading("change"), heading("outcome"), heading("detail")];
        output::list(context.format(), "changes", &headings, told.iter().map(row).collect())?;
        if told.len() < requests.len() {
            return Err(Failure::interrupted());
        }
        context.say(&format!("{count} of {} merged", requests.len()));
        Ok(worst)
    }

    /// Those that are meant, as they are now.
    fn requests(&self, forge: &dyn Forge) -> Result<Vec<ChangeRequest>, Failure> {
        if !self.changes.is_empty() {
            return self.changes.iter().map(|change| change.find(forge)).collect();
        }
        let open = address::all(forge, None, Some(State::Open))?;
        let meant = |request: &ChangeRequest| {
            (!self.all_approved || !request.approvals.is_empty())
                && self.migration.as_ref().is_none_or(|migration| offer::is_of(&request.key, migration))
        };
        Ok(open.into_iter().filter(meant).collect())
    }
}

/// The first few by name.
fn named(requests: &[ChangeRequest]) -> String {
    let first: Vec<String> = requests.iter().take(3).map(|request| Address::of(request).to_string()).collect();
    let more = if requests.len() > 3 { format!(" and {} more", requests.len() - 3) } else { String::new() };
    format!("{}{more}", first.join(", "))
}

fn merge(forge: &dyn Forge, request: &ChangeRequest, by: &str) -> Result<Told, Failure> {
    let (outcome, detail, exit) = match forge.merge(&request.at(), by) {
        Ok(Merged::Merged { commit }) => ("merged", commit, Exit::Done),
        Ok(Merged::Pending { waits_for }) => ("pending", format!("waits for {waits_for}"), Exit::Incomplete),
        Ok(Merged::Conflict { paths }) => ("conflict", conflict(&paths), Exit::Incomplete),
        Ok(Merged::Refused { why }) => ("refused", why, Exit::Refused),
        Err(DriverError { class: ErrorClass::Conflict, message, .. }) => ("moved", message, Exit::Incomplete),
        Err(error) => return Err(error.into()),
    };
    Ok(Told { change: Address::of(request), outcome, detail, exit })
}

/// Which files others have changed, too.
pub(super) fn conflict(paths: &[String]) -> String {
    if paths.is_empty() {
        return "the branches have no history in common".to_owned();
    }
    format!("others have changed the same in `{}`", paths.join("`, `"))
}

fn row(told: &Told) -> Row {
    let name = told.change.to_string();
    let value = json!({
        "repository": told.change.repository, "number": told.change.number, "outcome": told.outcome,
        "detail": told.detail,
    });
    Row::new(name.clone(), vec![name, told.outcome.to_owned(), told.detail.clone()], &value)
}
