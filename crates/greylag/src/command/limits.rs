//! `greylag limits`: what protects stores and owners from too much at once.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{self, Failure, Outcome};
use crate::output::{self, Row, heading};
use clap::{Args, Subcommand};
use greylag_driver::journal::Journal;
use greylag_model::code;
use greylag_model::diagnostic::Severity;
use greylag_model::limit::{Limit, Limits as Known};
use greylag_model::spec::{self, Document};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Bound how much is under way at once, in all, in a store, and for an owner.
///
/// Limits hold for all runs of a state folder together, also for those under way. Runs that wait for the same limit share it
/// fairly, by the `priority` of their migrations.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
    Apply(Apply),
    Clear(Clear),
}

/// Show the limits and what runs have of them.
#[derive(Debug, Args)]
struct Show {}

/// Put the limits of a file in place of those before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  greylag limits apply -f limits.yaml")]
struct Apply {
    /// A file with one document of `kind: Limits`.
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
}

/// Remove all limits.
#[derive(Debug, Args)]
struct Clear {
    /// Confirm beforehand.
    #[arg(short, long)]
    yes: bool,
}

impl Limits {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            Command::Show(_) => show(context),
            Command::Apply(apply) => apply.run(context),
            Command::Clear(clear) => {
                context.confirm("Remove all limits?", clear.yes)?;
                context.journal()?.set_limits(&Known::default())?;
                context.say("no limits");
                Ok(Exit::Done)
            }
        }
    }
}

impl Apply {
    fn run(&self, context: &Context) -> Outcome {
        let name = self.file.display().to_string();
        let bytes = std::fs::read(&self.file)
            .map_err(|error| Failure::error(code::cli::NOT_FOUND, format!("`{name}` cannot be read: {error}")))?;
        let parsed = spec::parse_bytes(&name, &bytes, &spec::LIMITS);
        let sources = BTreeMap::from([(name.clone(), String::from_utf8_lossy(&bytes).into_owned())]);
        if parsed.diagnostics.iter().any(|one| one.severity == Severity::Error) {
            return Err(Failure { exit: Exit::Failed, diagnostics: parsed.diagnostics, sources });
        }
        failure::report(&parsed.diagnostics, &sources, context.format().is_json());
        let documents = parsed.documents.iter().filter_map(|document| match document {
            Document::Limits(limits, _) => Some(limits),
            _ => None,
        });
        let [limits] = documents.collect::<Vec<_>>()[..] else {
            let message = format!("`{name}` does not hold one document of `kind: Limits`");
            return Err(Failure::error(code::cli::NOT_FOUND, message)
                .hint("limits are replaced as a whole, so they stand in one document"));
        };
        context.journal()?.set_limits(&limits.spec.resolved())?;
        show(context)
    }
}

/// A key, what bounds it, and what runs have of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    key: String,
    #[serde(flatten)]
    limit: Limit,
    in_use: u64,
    waiting: Vec<String>,
    runs: BTreeMap<String, u64>,
}

fn shown(journal: &dyn Journal, context: &Context) -> Result<Vec<Shown>, Failure> {
    let limits = journal.limits()?;
    let uses = journal.limit_use(context.now())?;
    let keys: BTreeSet<&String> = limits.0.keys().chain(uses.iter().map(|of| &of.key)).collect();
    let of = |key: &String| {
        let shares = uses.iter().find(|of| of.key == *key).map(|of| of.shares.as_slice()).unwrap_or_default();
        Shown {
            key: key.clone(),
            limit: limits.of(key),
            in_use: shares.iter().map(|(_, share)| share.in_use).sum(),
            waiting: shares.iter().filter(|(_, share)| share.short).map(|(run, _)| run.to_string()).collect(),
            runs: shares.iter().map(|(run, share)| (run.to_string(), share.in_use)).collect(),
        }
    };
    Ok(keys.into_iter().map(of).collect())
}

fn show(context: &Context) -> Outcome {
    let shown = shown(context.journal()?, context)?;
    let dash = || "-".to_owned();
    let rows = shown
        .iter()
        .map(|one| {
            let starts = one.limit.starts.map_or_else(dash, |rate| {
                let per = output::duration(i64::try_from(rate.per_millis).unwrap_or(i64::MAX));
                format!("{} in {per}, {} at once", rate.count, rate.burst)
            });
            let cells = vec![
                one.key.clone(),
                one.limit.concurrency.map_or_else(dash, |most| most.to_string()),
                starts,
                one.in_use.to_string(),
                one.waiting.join(", "),
            ];
            Row::new(one.key.clone(), cells, one)
        })
        .collect();
    let headings = [heading("limit"), heading("at once"), heading("begin"), heading("under way"), heading("waiting")];
    output::list(context.format(), "limits", &headings, rows)?;
    if shown.is_empty() && !context.format().is_json() {
        context.say("`greylag limits apply -f FILE` stores some");
    }
    Ok(Exit::Done)
}
