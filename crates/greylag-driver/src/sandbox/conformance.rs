//! What every sandbox must do. Jobs are given as [`Act`]s, which each implementation turns into jobs of its own kind; what
//! a job sees of the world is asked of the implementation that has one, in its own tests.
#![expect(clippy::unwrap_used, reason = "a conformance suite is test code")]

use super::{Act, Ended, Job, LINE_BYTES, LOG_BYTES, Limit, Limits, OUTPUT_BYTES, Sandbox, Scripted};
use crate::error::DriverError;
use greylag_model::code::fleet as code;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Makes a sandbox and the command of a job that does these things in order.
pub trait Make {
    /// The sandbox; those of [`Scripted`] do what the script says.
    fn sandbox(&self, script: Vec<Act>) -> Box<dyn Sandbox>;
    /// Program and arguments of a job that does this.
    fn argv(&self, script: &[Act]) -> Vec<String>;
    /// Program and arguments of a job that writes what it reads.
    fn echo(&self) -> Vec<String>;
}

/// Makes [`Scripted`].
#[derive(Clone, Copy, Debug, Default)]
pub struct MakeScripted;

impl Make for MakeScripted {
    fn sandbox(&self, script: Vec<Act>) -> Box<dyn Sandbox> {
        Box::new(Scripted::new(move |job: &Job| match job.argv[0].as_str() {
            "echo" => vec![Act::Write(job.input.clone())],
            _ => script.clone(),
        }))
    }
    fn argv(&self, _: &[Act]) -> Vec<String> {
        vec!["script".to_owned()]
    }
    fn echo(&self) -> Vec<String> {
        vec!["echo".to_owned()]
    }
}

/// A job with room for everything that is no fault.
pub fn job(argv: Vec<String>) -> Job {
    Job {
        argv,
        folders: Vec::new(),
        directory: PathBuf::from("/tmp"),
        environment: BTreeMap::new(),
        input: Vec::new(),
        network: false,
        limits: Limits::default(),
        time_millis: 60_000,
    }
}

/// Runs the whole suite; panics where the sandbox differs.
pub fn conformance(make: &dyn Make) {
    make.sandbox(Vec::new()).probe().unwrap();
    lines_come_one_by_one(make);
    input_is_read(make);
    a_code_is_told(make);
    what_is_refused_ends_it(make);
    floods_end(make);
    a_long_line_ends(make);
    logs_keep_their_end(make);
    who_hangs_is_ended(make);
    who_is_cancelled_ends(make);
}

fn write(text: &str) -> Act {
    Act::Write(text.as_bytes().to_vec())
}

fn run(make: &dyn Make, script: Vec<Act>) -> (Vec<String>, Ended, String) {
    let job = job(make.argv(&script));
    run_job(make, script, &job, &|| false)
}

fn run_job(make: &dyn Make, script: Vec<Act>, job: &Job, cancelled: &dyn Fn() -> bool) -> (Vec<String>, Ended, String) {
    let mut lines = Vec::new();
    let mut line = |line: &[u8]| {
        lines.push(String::from_utf8_lossy(line).into_owned());
        Ok(())
    };
    let report = make.sandbox(script).run(job, &mut line, cancelled).unwrap();
    (lines, report.ended, report.log)
}

fn lines_come_one_by_one(make: &dyn Make) {
    let script = vec![write("a\n\nb"), write("c\nlast")];
    assert_eq!(run(make, script), (["a", "", "bc", "last"].map(str::to_owned).to_vec(), Ended::Exit(0), String::new()));
}

fn input_is_read(make: &dyn Make) {
    // More than a pipe holds, so that reading and writing go on together.
    let text = "0123456789abcde\n".repeat(20_000);
    let job = Job { input: text.clone().into_bytes(), ..job(make.echo()) };
    let (lines, ended, _) = run_job(make, Vec::new(), &job, &|| false);
    assert_eq!(ended, Ended::Exit(0));
    assert!(lines.join("\n") + "\n" == text);
    // Who does not read it loses nothing.
    let script = vec![Act::Exit(0)];
    let unread = Job { argv: make.argv(&script), ..job };
    assert_eq!(run_job(make, script, &unread, &|| false).1, Ended::Exit(0));
}

fn a_code_is_told(make: &dyn Make) {
    let (lines, ended, log) = run(make, vec![write("a\n"), Act::Complain("no\n".to_owned()), Act::Exit(7)]);
    assert_eq!((lines.len(), ended, log.as_str()), (1, Ended::Exit(7), "no\n"));
}

fn what_is_refused_ends_it(make: &dyn Make) {
    let script = vec![write("a\nb\n"), Act::Hang];
    let error = DriverError::permanent(code::JOB_PROTOCOL, "not that");
    let mut seen = 0;
    let mut refuse = |_: &[u8]| {
        seen += 1;
        Err(error.clone())
    };
    let told = make.sandbox(script.clone()).run(&job(make.argv(&script)), &mut refuse, &|| false);
    assert_eq!(told, Err(error.clone()));
    assert_eq!(seen, 1);
}

fn floods_end(make: &dyn Make) {
    let (lines, ended, _) = run(make, vec![Act::Flood(b"more and more and more\n".to_vec())]);
    assert_eq!(ended, Ended::Limit(Limit::Output));
    assert!(lines.iter().map(|line| line.len() + 1).sum::<usize>() <= OUTPUT_BYTES);
}

fn a_long_line_ends(make: &dyn Make) {
    let (lines, ended, _) = run(make, vec![write("a\n"), Act::Flood(b"more and more and more".to_vec())]);
    assert_eq!((lines, ended), (vec!["a".to_owned()], Ended::Limit(Limit::Line)));
    let longest = "x".repeat(LINE_BYTES);
    let job = Job { input: format!("{longest}\n").into_bytes(), ..job(make.echo()) };
    assert_eq!(run_job(make, Vec::new(), &job, &|| false), (vec![longest], Ended::Exit(0), String::new()));
}

fn logs_keep_their_end(make: &dyn Make) {
    let mut script: Vec<Act> = (0..20).map(|_| Act::Complain("y".repeat(LOG_BYTES / 8))).collect();
    script.push(Act::Complain(" the end".to_owned()));
    let (_, ended, log) = run(make, script);
    assert_eq!((ended, log.len()), (Ended::Exit(0), LOG_BYTES));
    assert!(log.ends_with("y the end"));
}

fn who_hangs_is_ended(make: &dyn Make) {
    let script = vec![write("a\n"), Act::Hang];
    let job = Job { time_millis: 300, ..job(make.argv(&script)) };
    let (lines, ended, _) = run_job(make, script, &job, &|| false);
    assert_eq!((lines.len(), ended), (1, Ended::Limit(Limit::Time)));
}

fn who_is_cancelled_ends(make: &dyn Make) {
    let script = vec![write("a\n"), Act::Hang];
    let looks = Cell::new(0);
    let cancelled = || {
        looks.set(looks.get() + 1);
        looks.get() > 3
    };
    let (_, ended, _) = run_job(make, script.clone(), &job(make.argv(&script)), &cancelled);
    assert_eq!(ended, Ended::Cancelled);
}

#[cfg(test)]
mod tests {
    #[test]
    fn scripted() {
        super::conformance(&super::MakeScripted);
    }
}
