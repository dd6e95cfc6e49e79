//! Following a run from any process: by its journal, whoever drives it.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, shown};
use crate::output;
use crate::show;
use greylag_driver::journal::{Journal, RunRecord};
use greylag_model::code;
use greylag_model::id::{RunId, TaskId};
use greylag_model::rollout::Held;
use greylag_model::task::{Event, RunEvent, RunState, TaskEvent, Then};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often a follower looks; a look at an unchanged journal costs one cheap question.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Events are read in pages of this size.
const PAGE: usize = 1_000;
/// In a pipe, a summary line is written at least this often.
const SUMMARY_EVERY: Duration = Duration::from_secs(10);

/// Whether nothing is left to do.
pub(crate) fn ended(run: &RunRecord) -> bool {
    matches!(run.row.state, RunState::Finished | RunState::Aborted | RunState::Undone)
}

/// What a run's state means for a script. What its plan left out as blocked was not done either.
pub(crate) fn exit_of(journal: &dyn Journal, run: &RunRecord) -> Result<Exit, Failure> {
    let exit = exit_of_tasks(run);
    if exit != Exit::Done || run.row.state != RunState::Finished {
        return Ok(exit);
    }
    let blocked = journal.plan(&run.plan)?.map_or(0, |plan| plan.totals.blocked);
    Ok(if blocked > 0 { Exit::Incomplete } else { exit })
}

fn exit_of_tasks(run: &RunRecord) -> Exit {
    let counters = run.counters;
    match run.row.state {
        RunState::Finished | RunState::Aborted | RunState::Undone if counters.bad() == 0 => Exit::Done,
        RunState::Finished | RunState::Undone if counters.succeeded + counters.undone == 0 => Exit::Failed,
        RunState::Finished | RunState::Aborted | RunState::Undone => Exit::Incomplete,
        _ if counters.waiting > 0 && counters.running + counters.ready + counters.pending == 0 => Exit::Incomplete,
        _ if held(run).is_some() => Exit::Incomplete,
        _ => Exit::Done,
    }
}

/// The cohort whose gate needs a person before anything goes on: its name, and why.
pub(crate) fn held(run: &RunRecord) -> Option<(&str, Held)> {
    let stands_still = run.counters.running + run.counters.ready == 0 && run.row.state == RunState::Running;
    let row = run.cohorts.iter().find(|row| row.held.is_some()).filter(|_| stands_still)?;
    let held = row.held.filter(|held| !matches!(held, Held::Soaks { .. }))?;
    Some((&row.name, held))
}

/// Waits a moment, or less if the journal changes.
pub(crate) fn pause_for_change(context: &Context, journal: &dyn Journal) -> Result<(), Failure> {
    let before = journal.version()?;
    let mut waited = Duration::ZERO;
    while waited < Duration::from_secs(1) && !context.interrupted() {
        std::thread::sleep(LOOK_EVERY);
        waited += LOOK_EVERY;
        if journal.version()? != before {
            break;
        }
    }
    Ok(())
}

/// Follows until `done` says so, the patience is over or a person interrupts.
pub(crate) fn until(
    context: &Context,
    run: &RunId,
    patience: Option<Duration>,
    done: impl Fn(&RunRecord) -> bool,
) -> Result<RunRecord, Failure> {
    let journal = context.journal()?;
    let started = Instant::now();
    loop {
        let record = record(journal, run)?;
        if done(&record) || patience.is_some_and(|patience| started.elapsed() >= patience) {
            return Ok(record);
        }
        if context.interrupted() {
            return Err(Failure::interrupted());
        }
        pause_for_change(context, journal)?;
    }
}

/// Shows a run's progress until it ends, waits for a person, or nobody drives it.
pub(crate) fn until_ended(context: &Context, run: &RunId) -> Result<RunRecord, Failure> {
    let journal = context.journal()?;
    let mut view = View::new(context, journal, run)?;
    loop {
        let record = record(journal, run)?;
        view.show(&record)?;
        if ended(&record) || !show::driven(&record) {
            view.finish(&record);
            return Ok(record);
        }
        if context.interrupted() {
            return Err(Failure::interrupted());
        }
        pause_for_change(context, journal)?;
    }
}

/// The run as it is now.
pub(crate) fn record(journal: &dyn Journal, run: &RunId) -> Result<RunRecord, Failure> {
    journal.run(run)?.ok_or_else(|| {
        Failure::error(code::cli::RUN_NOT_FOUND, format!("the run `{run}` is gone from the state folder"))
    })
}

/// A run's progress: a bar on a terminal, a line for each dataset that ended in a pipe, nothing when quiet or for programs.
pub(crate) struct View<'a> {
    context: &'a Context,
    journal: &'a dyn Journal,
    run: RunId,
    after: u64,
    done: u64,
    bar: Option<ProgressBar>,
    begun: Instant,
    last_line: Instant,
    newest_step: BTreeMap<TaskId, String>,
}

impl<'a> View<'a> {
    /// A view that begins with what happens from now on.
    pub(crate) fn new(context: &'a Context, journal: &'a dyn Journal, run: &RunId) -> Result<Self, Failure> {
        let record = record(journal, run)?;
        let bar = context.live().then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(record.counters.total()), ProgressDrawTarget::stderr_with_hz(10));
            let plain = anstream::AutoStream::choice(&std::io::stderr()) == anstream::ColorChoice::Never;
            let colour = if plain { "" } else { ":.green" };
            let style =
                ProgressStyle::with_template(&format!("{{prefix}} {{wide_bar{colour}}} {{pos}}/{{len}} {{msg}}"));
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━ "));
            bar.set_prefix(shown(run.as_str()));
            bar
        });
        let now = Instant::now();
        let done = record.counters.total() - record.counters.open();
        Ok(Self {
            context,
            journal,
            run: run.clone(),
            after: record.last_seq,
            done,
            bar,
            begun: now,
            last_line: now,
            newest_step: BTreeMap::new(),
        })
    }

    /// Shows what is new.
    pub(crate) fn show(&mut self, record: &RunRecord) -> Result<(), Failure> {
        if self.context.quiet() || self.context.format().is_json() {
            return Ok(());
        }
        let total = record.counters.total();
        loop {
            let page = self.journal.events(&self.run, self.after, PAGE)?;
            let Some(last) = page.last() else { break };
            self.after = last.seq;
            for entry in &page {
                match (&entry.task, &entry.event) {
                    (Some(task), Event::Task(event)) => self.task(task, event, total),
                    (None, Event::Run(RunEvent::CohortHeld { .. } | RunEvent::CohortReleased { .. })) => {
                        self.line(&show::event(&entry.event));
                    }
                    _ => {}
                }
            }
        }
        let counters = record.counters;
        if let Some(bar) = &self.bar {
            bar.set_position(total - counters.open());
            let bad = if counters.bad() > 0 { format!(", {} not good", counters.bad()) } else { String::new() };
            bar.set_message(format!(
                "{} running{bad}, {} rows, {}, {}",
                counters.running,
                output::count(record.progress.rows),
                output::bytes(record.progress.bytes),
                output::duration(self.begun.elapsed().as_millis() as i64),
            ));
        } else if self.last_line.elapsed() >= SUMMARY_EVERY {
            self.line(&format!(
                "{}: {} of {total} ended, {} running, {} not good, {} rows",
                self.run,
                total - counters.open(),
                counters.running,
                counters.bad(),
                output::count(record.progress.rows),
            ));
        }
        Ok(())
    }

    fn task(&mut self, task: &TaskId, event: &TaskEvent, total: u64) {
        if let TaskEvent::StepDone { notes, .. } = event {
            for note in notes {
                self.line(&format!("{task}: {note}"));
            }
        }
        match event {
            TaskEvent::AttemptStarted { uses, .. } => {
                self.newest_step.insert(task.clone(), uses.clone());
            }
            TaskEvent::StepDone { next: None, uses, .. } => {
                self.newest_step.remove(task);
                self.done += 1;
                // A bar says it well enough; a pipe gets one line a dataset.
                if self.bar.is_none() {
                    let text = format!("{} of {total}  {task}  done ({uses})", self.done);
                    self.line(&text);
                }
            }
            TaskEvent::AttemptFailed { error, then: Then::Fail | Then::Quarantine, .. } => {
                self.done += 1;
                let step = self.newest_step.remove(task).unwrap_or_default();
                let text =
                    format!("{} of {total}  {task}  failed in {step} [{}]: {}", self.done, error.code, error.message);
                self.line(&text);
            }
            TaskEvent::MarkedStale { error } | TaskEvent::UndoRefused { error } => {
                self.done += 1;
                let text = format!("{} of {total}  {task}  [{}]: {}", self.done, error.code, error.message);
                self.line(&text);
            }
            TaskEvent::ApprovalWanted { uses, .. } => {
                let text = format!("{task} waits for an approval before {uses}");
                if self.bar.is_none() {
                    self.line(&text);
                }
            }
            _ => {}
        }
    }

    fn line(&mut self, text: &str) {
        self.last_line = Instant::now();
        match &self.bar {
            Some(bar) => bar.println(shown(text)),
            None => self.context.say(text),
        }
    }

    /// Ends the view with one closing line.
    pub(crate) fn finish(&mut self, record: &RunRecord) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if !self.context.format().is_json() {
            self.context.say(&closing(record, self.begun.elapsed()));
        }
    }
}

/// The one closing count line.
fn closing(record: &RunRecord, elapsed: Duration) -> String {
    let counters = record.counters;
    let mut parts = Vec::new();
    let named = [
        (counters.succeeded, "succeeded"),
        (counters.undone, "undone"),
        (counters.failed, "failed"),
        (counters.quarantined, "quarantined"),
        (counters.stale, "stale"),
        (counters.skipped, "skipped"),
        (counters.waiting, "waiting"),
        (counters.running + counters.ready + counters.pending, "left"),
    ];
    for (number, word) in named {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    let hint = if let Some((cohort, held)) = held(record) {
        let despite = if matches!(held, Held::Failures { .. }) { " --despite-failures" } else { "" };
        let words = show::why_held(held);
        let run = &record.id;
        format!("; held after cohort {cohort}, {words}: `greylag approve {run} --cohort {cohort}{despite}`")
    } else if !ended(record) && counters.waiting == 0 {
        format!("; go on with `greylag resume {}`", record.id)
    } else if counters.waiting > 0 && counters.running + counters.ready + counters.pending == 0 {
        format!("; `greylag approve {} …` says yes to what waits", record.id)
    } else if counters.bad() > 0 {
        format!("; `greylag status {} --failed` tells why", record.id)
    } else {
        String::new()
    };
    format!(
        "Run {} {}: {} of {} datasets ({}); {} rows, {}, {}{hint}",
        record.id,
        show::run_state(record),
        counters.succeeded + counters.undone,
        counters.total(),
        parts.join(", "),
        output::count(record.progress.rows),
        output::bytes(record.progress.bytes),
        output::duration(elapsed.as_millis() as i64),
    )
}
