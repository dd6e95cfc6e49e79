//! `greylag lab`: estates whose truth is known.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, shown};
use crate::progress::{bar, tick};
use crate::{output, wire};
use clap::{Args, Subcommand};
use greylag_driver::journal::{Journal, RunRecord, TaskFilter, TaskRecord};
use greylag_lab::{CompareOptions, End, LabError, Options, Profile};
use greylag_model::code::Code;
use greylag_model::diagnostic::Diagnostic;
use greylag_model::entity::EntityRef;
use greylag_model::task::TaskState;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Tasks are read in pages of this size.
const PAGE: usize = 1_000;

/// Make an estate of datasets with a known truth, and compare a migrated one with it.
#[derive(Debug, Args)]
pub(crate) struct Lab {
    #[command(subcommand)]
    command: LabCommand,
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    Generate(Generate),
    Compare(Compare),
}

/// Write an estate: datasets, owners and systems as descriptors, migration files, and the truth.
///
/// The same seed gives the same bytes on every machine.
#[derive(Debug, Args)]
struct Generate {
    /// What everything is drawn from.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// How many datasets.
    #[arg(long, default_value_t = 300, value_name = "D")]
    datasets: usize,
    /// Where: a directory that does not exist yet, or is empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Largest number of rows of a dataset.
    #[arg(long, value_name = "N")]
    rows: Option<usize>,
    /// How many repositories of code that reads and writes the datasets.
    #[arg(long, default_value_t = 0, value_name = "R", conflicts_with_all = ["uniform", "varied"])]
    repositories: usize,
    /// How many pairs must be refused (corrupt files, values that do not fit …); the default is a handful.
    #[arg(long, value_name = "N")]
    hostile: Option<usize>,
    /// Equal datasets of so many rows and 12 columns instead, for measuring.
    #[arg(long, value_name = "ROWS", conflicts_with_all = ["rows", "hostile"])]
    uniform: Option<usize>,
    /// Unequal datasets of so many rows that one template fits, and the template, instead of the usual mixture.
    #[arg(long, value_name = "ROWS", conflicts_with_all = ["uniform", "hostile"])]
    varied: Option<usize>,
}

/// Compare an estate with its truth: rows, schemas, layouts, modes, leftovers, refusals. Exit 1 if anything differs.
#[derive(Debug, Args)]
struct Compare {
    /// The estate.
    #[arg(value_name = "DIR")]
    estate: PathBuf,
    /// Expect what was generated, to the byte: everything was undone.
    #[arg(long)]
    undone: bool,
    /// Expect that the old datasets were retired.
    #[arg(long, conflicts_with = "undone")]
    retired: bool,
    /// Compare rewritten repositories instead: a directory with a copy of each of the estate's, by its name.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["undone", "retired"])]
    code: Option<PathBuf>,
}

impl Lab {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self.command {
            LabCommand::Generate(command) => command.run(context),
            LabCommand::Compare(command) => command.run(context),
        }
    }
}

impl Generate {
    fn run(self, context: &Context) -> Outcome {
        let options = Options {
            seed: self.seed,
            datasets: self.datasets,
            out: self.out,
            most_rows: self.rows,
            hostile: self.hostile,
            profile: match (self.uniform, self.varied) {
                (Some(rows), _) => Profile::Uniform { rows },
                (None, Some(rows)) => Profile::Varied { rows },
                (None, None) => Profile::Mixed,
            },
            repositories: self.repositories,
            threads: wire::parallelism(),
        };
        let bar = bar(context);
        let made = greylag_lab::generate(&options, &|done, all| tick(&bar, done, all));
        bar.finish_and_clear();
        let report = made.map_err(failure)?;
        if context.format().is_json() {
            output::document(context.format(), "estate", &report)?;
        } else {
            output::text(&format!(
                "{}: {} datasets ({} hostile), {} rows, {}, {} repositories, {} migration files; hash {}\n",
                shown(&report.estate.display().to_string()),
                report.datasets,
                report.hostile,
                output::count(report.rows),
                output::bytes(report.bytes),
                report.repositories,
                report.migrations.len(),
                report.hash,
            ))?;
        }
        Ok(Exit::Done)
    }
}

impl Compare {
    /// Rewritten repositories against their truth.
    fn code(estate: &Path, trees: &Path, context: &Context) -> Outcome {
        let comparison = greylag_lab::compare_repositories(estate, trees).map_err(failure)?;
        if context.format().is_json() {
            let mut value = serde_json::to_value(&comparison).unwrap_or_default();
            value["equal"] = comparison.is_right().into();
            output::document(context.format(), "comparison", &value)?;
        } else {
            for fault in &comparison.faults {
                let (kind, line) = (format!("{:?}", fault.kind).to_lowercase(), fault.line);
                let line = format!(
                    "{}:{line}: {kind} ({}): `{}`, expected `{}`",
                    fault.path, fault.trap, fault.found, fault.expected
                );
                output::text(&format!("{}\n", shown(&line)))?;
            }
            let totals = &comparison.totals;
            output::text(&format!(
                "{} of {} files are right; of {} places {} are right, {} missed, {} wrong; {} bytes changed elsewhere\n",
                output::count(comparison.right),
                output::count(comparison.files),
                output::count(totals.expected),
                output::count(totals.found + totals.alike),
                output::count(totals.missed),
                output::count(totals.wrong),
                output::count(totals.elsewhere),
            ))?;
        }
        Ok(if comparison.is_right() { Exit::Done } else { Exit::Failed })
    }

    fn run(self, context: &Context) -> Outcome {
        if let Some(trees) = &self.code {
            return Self::code(&self.estate, trees, context);
        }
        let outcomes = if context.home()?.exists() { outcomes(context.journal()?)? } else { BTreeMap::new() };
        let options =
            CompareOptions { undone: self.undone, old_stays: !self.retired, outcomes, threads: wire::parallelism() };
        let bar = bar(context);
        let compared = greylag_lab::compare(&self.estate, &options, &|done, all| tick(&bar, done, all));
        bar.finish_and_clear();
        let comparison = compared.map_err(failure)?;
        if context.format().is_json() {
            let mut value = serde_json::to_value(&comparison).unwrap_or_default();
            value["equal"] = comparison.is_equal().into();
            output::document(context.format(), "comparison", &value)?;
        } else {
            for difference in &comparison.differences {
                let dataset = difference.dataset.as_deref().unwrap_or("estate");
                output::text(&shown(&format!("{dataset}: {:?}: {}\n", difference.kind, difference.detail)))?;
            }
            output::text(&format!(
                "{} of {} datasets are right ({} rightly refused), {} rows compared, {} files unchanged, {} differences\n",
                comparison.right,
                comparison.datasets,
                comparison.refused,
                output::count(comparison.rows),
                comparison.unchanged,
                comparison.differences.len(),
            ))?;
        }
        Ok(if comparison.is_equal() { Exit::Done } else { Exit::Failed })
    }
}

/// What became of every pair, by the target's reference, as the runs of this state folder tell it; the newest run wins.
fn outcomes(journal: &dyn Journal) -> Result<BTreeMap<String, greylag_lab::Outcome>, Failure> {
    let mut outcomes = BTreeMap::new();
    for plan in journal.plans(100_000)?.iter().rev() {
        for blocked in &plan.blocked {
            if let Some(target) = EntityRef::parse(&blocked.to, "resource") {
                let code = blocked.reasons.first().map(|reason| reason.code.to_string());
                outcomes.insert(target.to_string(), greylag_lab::Outcome { end: End::Blocked, code, rejected: None });
            }
        }
    }
    for run in journal.runs(100_000)?.iter().rev() {
        let mut from = 0;
        loop {
            let tasks = journal.tasks(&run.id, &TaskFilter::default(), from, PAGE)?;
            let plans = journal.plan_tasks(&run.plan, from, PAGE)?;
            let Some(last) = tasks.last() else { break };
            from = last.ordinal + 1;
            for (task, plan) in tasks.iter().zip(&plans) {
                if let Some(outcome) = outcome(journal, run, task)? {
                    outcomes.insert(plan.dataset().map(|work| work.target.to_string()).unwrap_or_default(), outcome);
                }
            }
        }
    }
    Ok(outcomes)
}

fn outcome(journal: &dyn Journal, run: &RunRecord, task: &TaskRecord) -> Result<Option<greylag_lab::Outcome>, Failure> {
    let code: Option<Code> = task.row.error.as_ref().map(|error| error.code);
    Ok(match task.row.state {
        TaskState::Succeeded => {
            let output = journal.output(&run.id, task.ordinal, "data/backfill")?;
            let rejected = output.and_then(|output| output["rejected"].as_u64());
            Some(greylag_lab::Outcome { end: End::Migrated, code: None, rejected })
        }
        TaskState::Failed | TaskState::Quarantined | TaskState::Stale | TaskState::Skipped => {
            Some(greylag_lab::Outcome { end: End::Failed, code: code.map(|code| code.to_string()), rejected: None })
        }
        TaskState::Pending | TaskState::Ready | TaskState::Running | TaskState::Waiting | TaskState::Undone => None,
    })
}

fn failure(error: LabError) -> Failure {
    let diagnostic = Diagnostic::error(error.code(), error.to_string());
    Failure::new(Exit::Failed, error.hints().into_iter().fold(diagnostic, Diagnostic::hint))
}
