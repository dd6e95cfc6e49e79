//! `greylag plan`: what a migration would do.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, shown};
use crate::migration_files::{self, Files};
use crate::output::{self, Format};
use crate::wire;
use clap::Args;
use greylag_engine::probe::{World, probe};
use greylag_model::plan::{
    CompileOptions, Detail, Line, LineKind, Plan as Compiled, PlanHeader, Speed, compile, explain,
};
use std::io::Write;
use std::path::PathBuf;

/// Show what a migration would do, and freeze it as a plan; nothing but the state folder is written.
///
/// The catalog and the datasets' files are looked at, never changed. Datasets that cannot be migrated are listed with their
/// reasons and left out. `greylag apply PLAN` then runs exactly the plan that was shown.
#[derive(Debug, Args)]
#[command(after_help = "Symbols: + new, ~ changed, - removed, ? for a person to judge, x blocked.\n\n\
                        Examples:\n  \
                        greylag plan -f orders.yaml\n  \
                        greylag plan -f migrations/ --full\n  \
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
}

impl Plan {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let planned = plan_files(context, &self.file, Some(self.full))?;
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

/// Plans every migration of the files, saves the plans, and shows them if asked (`Some(full)`).
pub(crate) fn plan_files(context: &Context, paths: &[PathBuf], show: Option<bool>) -> Result<Vec<Planned>, Failure> {
    let files = migration_files::read(paths, context.format().is_json())?;
    let state = context.state()?;
    let describe = wire::describe(state, &files.roots);
    let world = World { catalog: state.catalog.as_ref(), describe: &describe, connections: &files.roots };
    let options = CompileOptions { parallelism: wire::parallelism(), speed: Speed::default() };
    let mut planned = Vec::new();
    for (migration, places) in &files.migrations {
        let locate = |pointer: &str| Some(places.value(pointer));
        let snapshot = probe(migration, &locate, world, context.now())?;
        let compiled = compile(migration, &locate, &snapshot, &options);
        let Some(plan) = compiled.plan else {
            let Files { sources, .. } = files;
            return Err(Failure { exit: Exit::Failed, diagnostics: compiled.diagnostics, sources });
        };
        state.journal.save_plan(&plan)?;
        if let Some(full) = show {
            if context.format() == Format::Name {
                tell_blocked(context, &plan);
            }
            print(context.format(), &plan, if full { Detail::Full } else { Detail::Summary })?;
        }
        planned.push(Planned { header: plan.header });
    }
    Ok(planned)
}

/// A plan that was saved.
pub(crate) struct Planned {
    /// What holds for the whole of it.
    pub(crate) header: PlanHeader,
}

fn print(format: Format, plan: &Compiled, detail: Detail) -> Result<(), Failure> {
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
fn tell_blocked(context: &Context, plan: &Compiled) {
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
