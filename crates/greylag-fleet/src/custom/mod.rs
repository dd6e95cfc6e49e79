//! The executor of custom steps: commands of a migration file, run in the sandbox.
//!
//! **What a command gets.** One JSON object on standard input: what it is to do, for which task, in which attempt, forwards
//! or back, with which inputs; and `key`, which is the same for every attempt of the step in its run and another one for any
//! other step. It sees its scripts at `/work`, the datasets that it reads below `/data`, and the folder that it may write to
//! at `/out`. **What it says** are lines of JSON: progress, checks, evidence,
//! and a result or an error.
//!
//! **Who is authoritative.** For what is run: the plan. Scripts are read, compared with the plan's hash, and run from a copy
//! of exactly those bytes, so that a file that changes in between is noticed or does not matter. For what was done: the
//! journal, once the result is in it.
//!
//! **When it dies half-way.** The command's processes die with the attempt. What it did outside is its own to find again: it
//! is run again with the same `key`, and has to look for what an earlier attempt left; `undo` is run for every step of which
//! an attempt was begun, whether or not it came to its end. The copy of the scripts is removed by the next attempt.

mod files;
mod said;

use files::Scripts;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, Rehearsal, StepReport, StepRequest};
use greylag_driver::sandbox::{Ended, Folder, Job, Limit, Report, Sandbox};
use greylag_driver::values;
use greylag_model::code::{engine, fleet as code};
use greylag_model::custom::{Command, hash_of};
use greylag_model::derived::Read;
use greylag_model::spec::{ErrorClass, Sees};
use greylag_model::task::Direction;
use said::Said;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Version of what commands read and write.
pub const PROTOCOL: u32 = 1;

/// Where a task's datasets lie.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// The old one.
    pub source: PathBuf,
    /// The new one, once it is published.
    pub target: PathBuf,
    /// What is backfilled and not published yet, if there is any.
    pub staging: Option<PathBuf>,
    /// What the writer of a derived dataset is given, if the step is one.
    pub writer: Option<Writer>,
}

/// What the writer of a derived dataset is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Writer {
    /// What it reads, and where that lies.
    pub reads: Vec<(Read, PathBuf)>,
    /// The empty directory that it writes to.
    pub writes: PathBuf,
    /// From where on it is to make rows, as people write it; none: all.
    pub since: Option<String>,
}

/// Finds them.
pub type FindPlaces = dyn Fn(&StepRequest<'_>, &dyn Context) -> Result<Places, DriverError> + Send + Sync;

/// Runs the commands of custom steps.
pub struct CustomSteps {
    sandbox: Arc<dyn Sandbox>,
    places: Box<FindPlaces>,
    folder: PathBuf,
}

impl CustomSteps {
    /// With a sandbox; `folder` takes copies of scripts while they run, and logs: `<run>/<task>.<step>.log`.
    pub fn new(
        sandbox: Arc<dyn Sandbox>,
        folder: PathBuf,
        places: impl Fn(&StepRequest<'_>, &dyn Context) -> Result<Places, DriverError> + Send + Sync + 'static,
    ) -> Self {
        Self { sandbox, places: Box::new(places), folder }
    }

    fn run(
        &self,
        request: &StepRequest<'_>,
        context: &dyn Context,
        command: &Command,
        argv: &[String],
    ) -> Result<Outcome, DriverError> {
        let scripts = Scripts::copy(&self.folder, request, &command.scripts)?;
        let inputs = values::inputs(request, context)?;
        let places = (self.places)(request, context)?;
        let (folders, told) = folders(request, command, &places, &scripts)?;
        let job = Job {
            argv: argv.to_vec(),
            folders,
            directory: PathBuf::from("/work"),
            environment: BTreeMap::new(),
            input: question(request, &inputs, &told, places.writer.as_ref())?,
            network: command.network,
            limits: command.limits,
            time_millis: request.step.timeout_millis,
        };
        let mut said = Said::default();
        let mut line = |line: &[u8]| {
            let progress = said.take(line)?;
            if let Some(progress) = progress {
                context.progress(progress);
            }
            Ok(())
        };
        let ran = self.sandbox.run(&job, &mut line, &|| context.cancelled());
        let report = ran?;
        let log = scripts.keep_log(request, &report.log)?;
        context.fault("in-effect").map_err(|error| {
            DriverError::transient(engine::INTERRUPTED, format!("made to fail at `in-effect`: {error}"))
        })?;
        let name = request.step.name();
        // Its own words come before how it ended.
        if let Some(error) = said.error.take() {
            return Err(error);
        }
        ended(name, &report, log.as_deref())?;
        match request.direction {
            Direction::Undo => Ok(Outcome::Done(StepReport { progress: said.progress, ..StepReport::default() })),
            Direction::Forward => {
                let outputs = said.outputs(name, &command.outputs)?;
                let mut output = json!({"outputs": outputs});
                if !said.evidence.is_empty() {
                    output["evidence"] = Value::Array(said.evidence);
                }
                let (progress, checks) = (said.progress, said.checks);
                Ok(Outcome::Done(StepReport { progress, output, checks, ..StepReport::default() }))
            }
        }
    }
}

impl Executor for CustomSteps {
    fn serves(&self) -> &'static [&'static str] {
        &[greylag_model::custom::PREFIX]
    }

    fn start(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Outcome, DriverError> {
        let command = request.header.custom.command_of(&request.step.uses).ok_or_else(|| {
            let message = format!("the plan has no command for `{}`", request.step.uses);
            DriverError::permanent(engine::PLAN_INVALID, message).hint("plan again")
        })?;
        match (request.direction, &command.undo) {
            (Direction::Forward, _) => self.run(request, context, command, &command.run),
            (Direction::Undo, Some(undo)) => self.run(request, context, command, undo),
            (Direction::Undo, None) => Ok(Outcome::Done(StepReport::default())),
        }
    }

    /// Commands run to their end in one attempt, so nothing is ever pending.
    fn poll(&self, request: &StepRequest<'_>, _: &str, context: &dyn Context) -> Result<Outcome, DriverError> {
        self.start(request, context)
    }

    fn cancel(&self, _: &StepRequest<'_>, _: &str, _: &dyn Context) -> Result<(), DriverError> {
        Ok(())
    }

    /// What a command would do only it can know: nothing is run.
    fn rehearse(&self, request: &StepRequest<'_>, _: &dyn Context) -> Result<Rehearsal, DriverError> {
        let command = request.header.custom.command_of(&request.step.uses);
        Ok(match command.map(|command| &command.undo) {
            Some(Some(undo)) => Rehearsal::does(format!("run `{}`", undo.join(" "))),
            Some(None) => Rehearsal::default(),
            None => {
                let message = format!("the plan has no command for `{}`", request.step.uses);
                let error = DriverError::permanent(engine::PLAN_INVALID, message).hint("plan again");
                Rehearsal { obstacles: vec![error.into()], ..Rehearsal::default() }
            }
        })
    }
}

/// What a command is told of where things are, as it sees them.
#[derive(Default)]
struct Told {
    source: Option<String>,
    target: Option<String>,
    staging: Option<String>,
    writes: Option<&'static str>,
}

fn folders(
    request: &StepRequest<'_>,
    command: &Command,
    places: &Places,
    scripts: &Scripts,
) -> Result<(Vec<Folder>, Told), DriverError> {
    let mut told = Told::default();
    let read = |path: &Path, at: &str| Folder { path: path.to_owned(), at: PathBuf::from(at), writable: false };
    let mut folders = vec![read(scripts.path(), "/work")];
    for sees in &command.reads {
        let (path, at, tells) = match sees {
            Sees::Source => (Some(&places.source), "/data/source", &mut told.source),
            Sees::Target => (Some(&places.target), "/data/target", &mut told.target),
            Sees::Staging => (places.staging.as_ref(), "/data/staging", &mut told.staging),
        };
        let there = path.filter(|path| path.exists());
        let Some(path) = there else {
            let what = at.trim_start_matches("/data/");
            let message = format!("`{}` reads the {what}, and there is none at this point", request.step.name());
            return Err(DriverError::permanent(code::JOB_START, message)
                .hint("`staging` is there from `data/backfill` to `data/publish`, `target` after it, `source` until `data/retire`"));
        };
        // A single file keeps its name, which tells its format; a staged one has none, so it has that of the target.
        let seen = if path.is_dir() {
            at.to_owned()
        } else {
            let name = if *sees == Sees::Staging { &places.target } else { path };
            format!("{at}/{}", name.file_name().unwrap_or_default().to_string_lossy())
        };
        folders.push(read(path, &seen));
        *tells = Some(seen);
    }
    if let Some(writer) = &places.writer {
        for (of, path) in &writer.reads {
            if !path.exists() {
                let message = format!("`{}` reads `{}`, which is not there", request.step.name(), of.name);
                return Err(
                    DriverError::permanent(code::JOB_START, message).hint("what it reads is published before it")
                );
            }
            folders.push(read(path, &seen_at(of, path)));
        }
        folders.push(Folder { path: writer.writes.clone(), at: PathBuf::from("/out"), writable: true });
        told.writes = Some("/out");
    } else if let Some(folder) = &command.writes {
        folders.push(Folder { path: PathBuf::from(folder), at: PathBuf::from("/out"), writable: true });
        told.writes = Some("/out");
    }
    Ok((folders, told))
}

/// Where a writer sees what it reads: a directory by its name, a single file in one of its name.
fn seen_at(of: &Read, path: &Path) -> String {
    let at = format!("/data/reads/{}", of.name.replace(['/', ':'], "."));
    if path.is_dir() {
        return at;
    }
    format!("{at}/{}", path.file_name().unwrap_or_default().to_string_lossy())
}

/// The same for every attempt of a step in a run, another one for every other step.
fn key(request: &StepRequest<'_>) -> String {
    let names = json!([request.run, request.task, request.step.name()]);
    hash_of(names.to_string().as_bytes())[..32].to_owned()
}

fn question(
    request: &StepRequest<'_>,
    inputs: &BTreeMap<String, Value>,
    told: &Told,
    writer: Option<&Writer>,
) -> Result<Vec<u8>, DriverError> {
    let plan = request.dataset()?;
    let source = &plan.source;
    let mut question = json!({
        "version": PROTOCOL,
        "run": request.run,
        "task": request.task,
        "step": request.step.name(),
        "direction": request.direction,
        "attempt": request.attempt,
        "epoch": request.epoch,
        "key": key(request),
        "inputs": inputs,
        "source": {
            "ref": source.dataset.entity.to_string(),
            "location": source.dataset.location,
            "layout": source.layout,
            "schema": source.schema,
            "path": told.source,
        },
        "target": {
            "ref": plan.target.to_string(),
            "location": plan.target_location,
            "layout": plan.target_layout,
            "schema": plan.mapping.target,
            "path": told.target,
        },
        "staging": told.staging,
        "writes": told.writes,
        "mapping": plan.mapping,
    });
    if let (Some(writer), Some(derived)) = (writer, &plan.derived) {
        let reads = writer.reads.iter().map(|(of, path)| {
            let Read { name, entity, layout, schema, .. } = of;
            let read =
                json!({"ref": entity.to_string(), "layout": layout, "schema": schema, "path": seen_at(of, path)});
            (name.clone(), read)
        });
        question["reads"] = reads.collect::<BTreeMap<_, _>>().into_iter().collect();
        question["history"] = json!(derived.history);
        question["watermark"] = json!(derived.watermark);
        question["since"] = json!(writer.since);
    }
    let mut text = question.to_string().into_bytes();
    text.push(b'\n');
    Ok(text)
}

/// What the end of a command means.
fn ended(step: &str, report: &Report, log: Option<&Path>) -> Result<(), DriverError> {
    let last = report.log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let last: String = last.chars().take(300).collect();
    let words = if last.is_empty() { String::new() } else { format!(": {last}") };
    let error = match report.ended {
        Ended::Exit(0) => return Ok(()),
        Ended::Cancelled => {
            DriverError::transient(engine::STOPPED, format!("the command of `{step}` was ended on request"))
        }
        Ended::Exit(exit) => DriverError::permanent(
            code::JOB_FAILED,
            format!("the command of `{step}` ended with exit code {exit}{words}"),
        ),
        Ended::Signal(signal) => DriverError::permanent(
            code::JOB_FAILED,
            format!("the command of `{step}` was ended by signal {signal}{words}"),
        ),
        Ended::Limit(limit) => {
            let class = if limit == Limit::Time { ErrorClass::Transient } else { ErrorClass::Permanent };
            let message = format!("the command of `{step}` went beyond its limit of {}{words}", limit.as_str());
            let hint = match limit {
                Limit::Time => "raise `timeout` of the step if it really takes that long",
                Limit::Output | Limit::Line => {
                    "write less on standard output: what is for people belongs on standard error"
                }
                _ => "raise the limit under `limits` of the command if it really needs that much",
            };
            DriverError::new(class, code::JOB_LIMIT, message).hint(hint)
        }
    };
    Err(match log {
        Some(log) => error.hint(format!("its log is `{}`", log.display())),
        None => error,
    })
}
