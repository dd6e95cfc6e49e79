//! `greylag plan`: what a migration would do.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, shown};
use crate::migration_files::{self, Files};
use crate::output::{self, Format};
use crate::templates::{self, Parameters};
use crate::{progress, scopes, scripts, wire};
use clap::Args;
use greylag_driver::sampler::Sampler;
use greylag_engine::probe::{World, probe};
use greylag_engine::published;
use greylag_engine::sample::{Samples, compile_sampled};
use greylag_model::plan::{
    CompileOptions, Compiled, Detail, Line, LineKind, Plan as Frozen, PlanHeader, Speed, compile, explain,
};
use std::io::Write;
use std::path::PathBuf;

/// Show what a migration would do, and freeze it as a plan; nothing but the state folder is written.
///
/// The catalog and the datasets' files are looked at, never changed. Datasets that cannot be migrated are listed with their
/// reasons and left out. `greylag apply PLAN` then runs exactly the plan that was shown.
///
/// With `--sample`, the first rows of every dataset are converted, read back and checked as they would be in a run, in a
/// scratch directory of the state folder that is removed afterwards. What a sample shows to be certain (a value that does not
/// fit where the mapping has `misfit: fail`, a row against a check, a file that cannot be read) blocks its dataset; what it
/// shows to be likely is a warning. That it finds nothing proves nothing of the rest.
#[derive(Debug, Args)]
#[command(after_help = "Symbols: + new, ~ changed, - removed, ? for a person to judge, x blocked.\n\n\
                        Examples:\n  \
                        greylag plan -f orders.yaml\n  \
                        greylag plan -f migrations/ --full\n  \
                        greylag plan -f template.yaml --set team=shop\n  \
                        greylag plan -f orders.yaml --sample=10000\n  \
                        greylag apply $(greylag plan -f orders.yaml -o name)")]
pub(crate) struct Plan {
    /// Migration files, directories of them, or `-` for standard input.
    #[arg(short, long, required = true, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Exit 2 if there is anything to do, 0 if not, 1 on an error.
    #[arg(long)]
    detailed_exitcode: bool,
    /// Show every dataset, not only groups of equal changes.
    #[arg(long)]
    full: bool,
    /// Print the edits of the code that moves along, as patches, in place of the plan.
    #[arg(long, conflicts_with_all = ["full", "detailed_exitcode"])]
    patch: bool,
    #[command(flatten)]
    sample: Sample,
    #[command(flatten)]
    parameters: Parameters,
}

/// Whether and how far to sample.
#[derive(Debug, Args)]
pub(crate) struct Sample {
    /// Also try the migration on the first N rows of every dataset (1000 if no number is given); no target is touched.
    #[arg(
        id = "sample",
        long = "sample",
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1000",
        value_parser = clap::value_parser!(u64).range(1..=10_000_000)
    )]
    pub(crate) rows: Option<u64>,
}

impl Plan {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let show = if self.patch { Show::Patch } else { Show::Plan { full: self.full } };
        let planned = plan_files(context, &self.file, &self.parameters, self.sample.rows, Some(show))?;
        let mut exit = Exit::Done;
        if planned.iter().any(|plan| plan.header.totals.blocked > 0) {
            exit = exit.max(Exit::Incomplete);
        }
        if exit == Exit::Done && self.detailed_exitcode && planned.iter().any(|plan| plan.header.totals.datasets > 0) {
            exit = Exit::Changes;
        }
        Ok(exit)
    }
}

/// Plans every migration of the files, with samples of so many rows if asked, saves the plans, and shows them if asked.
pub(crate) fn plan_files(
    context: &Context,
    paths: &[PathBuf],
    parameters: &Parameters,
    sample: Option<u64>,
    show: Option<Show>,
) -> Result<Vec<Planned>, Failure> {
    let mut files = migration_files::read(paths, context.format().is_json())?;
    parameters.render(context, &mut files)?;
    let state = context.state()?;
    let describe = wire::describe(state, &files.roots);
    let world = World { catalog: state.catalog.as_ref(), describe: &describe, connections: &files.roots };
    let options = CompileOptions { parallelism: wire::parallelism(), speed: Speed::default() };
    let sampler = sample.map(|rows| Ok::<_, Failure>((rows, wire::sampler(context, state)?))).transpose()?;
    let mut planned = Vec::new();
    for (migration, origin) in &files.migrations {
        let locate = |pointer: &str| Some(origin.value(pointer));
        let mut snapshot = probe(migration, &locate, world, context.now())?;
        published::look(state.journal.as_ref(), migration, &mut snapshot)?;
        templates::block(origin, &mut snapshot);
        scripts::look(migration, &origin.value("").file, &mut snapshot);
        scopes::look(context, state, migration, &locate, &mut snapshot)?;
        let compiled = match &sampler {
            None => compile(migration, &locate, &snapshot, &options),
            Some((rows, sampler)) => sampled(context, sampler, *rows, |samples| {
                compile_sampled(migration, &locate, snapshot, &options, samples)
            })?,
        };
        let Some(plan) = compiled.plan else {
            let Files { sources, .. } = files;
            return Err(Failure { exit: Exit::Failed, diagnostics: compiled.diagnostics, sources });
        };
        state.journal.save_plan(&plan)?;
        match show {
            None => {}
            Some(Show::Patch) => {
                tell_blocked(context, &plan);
                output::text(&scopes::patches(context, &plan.tasks)?)?;
                context.say(&format!("saved as {}", plan.header.id));
            }
            Some(Show::Plan { full }) => {
                if context.format() == Format::Name {
                    tell_blocked(context, &plan);
                }
                print(context.format(), &plan, if full { Detail::Full } else { Detail::Summary })?;
            }
        }
        planned.push(Planned { header: plan.header });
    }
    Ok(planned)
}

/// Compiles with samples, their progress shown; a person may end it.
fn sampled(
    context: &Context,
    sampler: &dyn Sampler,
    rows: u64,
    compile: impl FnOnce(Samples<'_>) -> Option<Compiled>,
) -> Result<Compiled, Failure> {
    let bar = progress::bar(context);
    let compiled = compile(Samples {
        sampler,
        rows,
        clock: &context.clock(),
        stop: context.stop(),
        progress: &|done, all| progress::tick(&bar, done, all),
    });
    bar.finish_and_clear();
    compiled.ok_or_else(Failure::interrupted)
}

/// What is printed of a plan.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Show {
    /// What it would do.
    Plan {
        /// To every dataset, not only to groups of them.
        full: bool,
    },
    /// The edits of its code.
    Patch,
}

/// A plan that was saved.
pub(crate) struct Planned {
    /// What holds for the whole of it.
    pub(crate) header: PlanHeader,
}

fn print(format: Format, plan: &Frozen, detail: Detail) -> Result<(), Failure> {
    match format {
        Format::Json | Format::Ndjson => output::document(format, "plan", plan),
        Format::Name => output::text(&format!("{}\n", plan.header.id)),
        Format::Table | Format::Wide => {
            let mut out = anstream::stdout().lock();
            let detail = if format == Format::Wide { Detail::Full } else { detail };
            let written = explain(plan, detail).iter().try_for_each(|line| writeln!(out, "{}", coloured(line)));
            output::finish(written)
        }
    }
}

/// Where only ids are printed, perhaps into another command, what is left out must be told beside them.
fn tell_blocked(context: &Context, plan: &Frozen) {
    let kinds = [LineKind::Blocked, LineKind::Error, LineKind::Hint];
    let lines = explain(plan, Detail::Summary);
    let blocked = lines.iter().skip_while(|line| line.kind != LineKind::Blocked);
    for line in blocked.take_while(|line| kinds.contains(&line.kind)) {
        context.say(&line.text);
    }
}

/// A line with the colour of its kind.
pub(crate) fn coloured(line: &Line) -> String {
    let colour = match line.kind {
        LineKind::Add => "32",
        LineKind::Change | LineKind::Judge | LineKind::Warning => "33",
        LineKind::Remove | LineKind::Blocked => "31",
        LineKind::Breaking | LineKind::Dataset | LineKind::Count => "1",
        _ => return shown(&line.text),
    };
    format!("\x1b[{colour}m{}\x1b[0m", shown(&line.text))
}
