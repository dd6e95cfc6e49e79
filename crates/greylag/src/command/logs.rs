//! `greylag logs`: a run's journal, line by line.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, shown};
use crate::output::{self, Format};
use crate::{follow, show};
use clap::Args;
use greylag_model::task::Entry;
use std::io::{self, Write};

/// Events are read in pages of this size.
const PAGE: usize = 1_000;

/// Show a run's journal: what happened, in order.
///
/// Every line is an event: its number, its time (UTC), the task or `run`, and what happened. Numbers have no gaps.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag logs -f                        follow the newest run\n  \
                        greylag logs RUN --task users_v2       one dataset's story\n  \
                        greylag logs RUN -o ndjson | jq .      one JSON value a line, the first names the version")]
pub(crate) struct Logs {
    /// The run; the default is the newest.
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Keep showing new events until the run ends.
    #[arg(short, long)]
    follow: bool,
    /// Only events of this task.
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Only events after this sequence number.
    #[arg(long, default_value_t = 0, value_name = "SEQ")]
    after: u64,
}

impl Logs {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let journal = context.journal()?;
        let run = super::select::run(journal, self.run.as_deref())?;
        if let Some(task) = &self.task {
            super::select::task(journal, &run.id, task)?;
        }
        if self.follow && !follow::ended(&run) && !show::driven(&run) {
            context.say(&format!("nobody drives `{0}` now; `greylag resume {0}` goes on with it", run.id));
        }
        let format = if context.format() == Format::Json { Format::Ndjson } else { context.format() };
        let mut out = io::BufWriter::new(io::stdout().lock());
        if format == Format::Ndjson && output::version_line(&mut out, "events").is_err() {
            return Ok(Exit::Done);
        }
        let mut after = self.after;
        loop {
            // The state is read before the events: once it says "ended", the last page is complete.
            let ended = match journal.run(&run.id)? {
                Some(run) => follow::ended(&run),
                None => true,
            };
            loop {
                let page = journal.events(&run.id, after, PAGE)?;
                let Some(last) = page.last() else { break };
                after = last.seq;
                for entry in page.iter().filter(|entry| self.wants(entry)) {
                    if write_entry(&mut out, format, entry).is_err() {
                        return Ok(Exit::Done);
                    }
                }
            }
            output::finish(out.flush())?;
            if !self.follow || ended {
                return Ok(Exit::Done);
            }
            if context.interrupted() {
                return Err(Failure::interrupted());
            }
            follow::pause_for_change(context, journal)?;
        }
    }

    fn wants(&self, entry: &Entry) -> bool {
        self.task.as_ref().is_none_or(|task| entry.task.as_ref().is_some_and(|id| id.as_str() == task))
    }
}

fn write_entry(out: &mut impl Write, format: Format, entry: &Entry) -> io::Result<()> {
    if format == Format::Ndjson {
        serde_json::to_writer(&mut *out, entry)?;
        return writeln!(out);
    }
    if format == Format::Name {
        return writeln!(out, "{}", entry.seq);
    }
    let subject = entry.task.as_ref().map_or("run", |task| task.as_str());
    writeln!(
        out,
        "{:>6}  {}  {}  {}",
        entry.seq,
        show::instant(entry.at),
        shown(subject),
        shown(&show::event(&entry.event))
    )
}
