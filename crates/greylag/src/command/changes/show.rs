//! `greylag changes show`.

use super::address::Address;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Outcome, shown};
use crate::output::{self, Format};
use crate::{show as words, wire};
use clap::Args;
use greylag_driver::forge::ChangeRequest;
use greylag_model::check::Verdict;
use std::fmt::Write as _;

/// Show a change request: its description, checks, approvals and comments.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The change request.
    #[arg(value_name = "REPOSITORY#NUMBER")]
    change: Address,
}

impl Show {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let forge = wire::forge(context)?;
        let request = self.change.find(&forge)?;
        match context.format() {
            Format::Table | Format::Wide => output::text(&shown(&for_people(&request)))?,
            Format::Json | Format::Ndjson => output::document(context.format(), "change", &request)?,
            Format::Name => output::text(&format!("{}\n", shown(&self.change.to_string())))?,
        }
        Ok(Exit::Done)
    }
}

fn for_people(request: &ChangeRequest) -> String {
    let mut text = format!("{}  {}  {}\n", Address::of(request), request.state.as_str(), request.title);
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} at {}, into {}", request.branch, request.head, request.base);
    if let Some(merge) = &request.merge_commit {
        let _ = writeln!(text, "merged by {merge}");
    }
    if let Some(of) = request.reverts {
        let _ = writeln!(text, "takes back {}#{of}", request.repository);
    }
    let _ = writeln!(text, "\n{}", request.description.trim_end());
    if !request.checks.is_empty() {
        text.push_str("\nChecks\n");
    }
    for check in &request.checks {
        let link = check.link.as_ref().map(|link| format!(" ({link})")).unwrap_or_default();
        let _ = writeln!(text, "  {}  {}: {}{link}", verdict(check.verdict), check.name, check.detail);
    }
    if !request.approvals.is_empty() {
        let _ = writeln!(text, "\nApproved by {}", request.approvals.join(", "));
    }
    for comment in &request.comments {
        let _ = writeln!(text, "\n{} at {}:\n{}", comment.by, words::instant(comment.at), comment.text.trim_end());
    }
    text
}

/// A verdict's word.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
    }
}
