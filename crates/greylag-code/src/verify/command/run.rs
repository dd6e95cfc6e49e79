//! Runs a command on both trees, and says what that means.

use super::Command;
use super::export::{Copy, WORK};
use super::output::{Tail, plain};
use crate::tree::Tree;
use greylag_driver::error::DriverError;
use greylag_driver::sandbox::{Ended, Folder, Job, Sandbox};
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code::fleet as code;
use greylag_model::spec::{ErrorClass, duration};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Name of the check.
const NAME: &str = "command";
/// Where the system's programs are.
const SYSTEM: &str = "/usr/local/bin:/usr/bin:/bin";

/// How a command ended on one tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How.
    pub ended: Ended,
    /// The end of what it said, on standard output and then on standard error, as text that can be shown.
    pub said: Vec<String>,
}

/// What was made of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    /// What it means.
    pub check: CheckResult,
    /// On the tree before the change; none if it could not be started.
    pub base: Option<Outcome>,
    /// On the tree after it; none if that would say nothing.
    pub new: Option<Outcome>,
}

/// Where commands are run.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    /// What limits them.
    pub sandbox: &'a dyn Sandbox,
    /// Where copies of files are made, and removed: a folder that nothing else writes into.
    pub scratch: &'a Path,
    /// Folders of programs that they see beside those of the system, at the same path: absolute ones, e.g. that of a virtual environment
    /// of Python. If there is a folder `bin` in one, its programs are found by their names, else those in the folder itself.
    pub tools: &'a [PathBuf],
    /// Whether nobody waits for them any more.
    pub cancelled: &'a dyn Fn() -> bool,
}

/// What a command gets besides a copy of the files.
#[derive(Clone, Debug, Default)]
pub(crate) struct More {
    /// The folder of the copy in which it starts.
    pub(crate) directory: String,
    pub(crate) folders: Vec<Folder>,
    pub(crate) environment: BTreeMap<String, String>,
}

/// Runs a command of `base` on it, and then with what `new` changes.
///
/// # Errors
/// Something of the world failed that may not fail a second time, or the caller has cancelled it. What will not get better (no
/// sandbox, no such program, a repository that is too large) is a check with verdict `unknown`.
pub fn run(command: &Command, base: &dyn Tree, new: &dyn Tree, runner: Runner<'_>) -> Result<Ran, DriverError> {
    let on = |name: &str, tree: &dyn Tree| of_tree(command, (base, tree), runner, (name, More::default()));
    let told = |error: DriverError| match error.class {
        ErrorClass::Permanent | ErrorClass::Denied => Ok(refused(&error)),
        _ => Err(error),
    };
    let before = match on("base", base) {
        Ok(outcome) => outcome,
        Err(error) => return Ok(Ran { check: told(error)?, base: None, new: None }),
    };
    if before.ended != Ended::Exit(0) {
        return Ok(Ran { check: judge(command, &before, None), base: Some(before), new: None });
    }
    match on("new", new) {
        Ok(after) => Ok(Ran { check: judge(command, &before, Some(&after)), base: Some(before), new: Some(after) }),
        Err(error) => Ok(Ran { check: told(error)?, base: Some(before), new: None }),
    }
}

/// Runs a command of `base` on another tree, in a folder of this name.
pub(crate) fn of_tree(
    command: &Command,
    (base, tree): (&dyn Tree, &dyn Tree),
    runner: Runner<'_>,
    (name, more): (&str, More),
) -> Result<Outcome, DriverError> {
    let folder = runner.scratch.join(name);
    // One that an earlier process has left.
    let _ = fs::remove_dir_all(&folder);
    let outcome = in_folder(&Copy { command, base, tree }, runner, (&folder, more));
    // What a command has made unremovable goes with the scratch folder.
    let _ = fs::remove_dir_all(&folder);
    outcome
}

fn in_folder(copy: &Copy<'_>, runner: Runner<'_>, (folder, more): (&Path, More)) -> Result<Outcome, DriverError> {
    fs::create_dir_all(folder).map_err(|error| {
        DriverError::transient(code::JOB_START, format!("`{}` cannot be made: {error}", folder.display()))
    })?;
    let kept = copy.write(folder)?;
    let mut folders = vec![Folder { path: folder.to_owned(), at: PathBuf::from(WORK), writable: true }];
    folders.extend(kept);
    folders.extend(more.folders);
    let mut environment = more.environment;
    let tools = runner.tools.iter().filter(|tools| tools.is_dir());
    folders.extend(tools.clone().map(|path| Folder { path: path.clone(), at: path.clone(), writable: false }));
    let programs = tools.map(|tools| Some(tools.join("bin")).filter(|bin| bin.is_dir()).unwrap_or(tools.clone()));
    let programs: Vec<String> = programs.map(|path| path.display().to_string()).collect();
    if !programs.is_empty() {
        environment.insert("PATH".to_owned(), format!("{}:{SYSTEM}", programs.join(":")));
    }
    let job = Job {
        argv: copy.command.run.clone(),
        folders,
        directory: Path::new(WORK).join(&more.directory),
        environment,
        input: Vec::new(),
        network: false,
        limits: copy.command.limits,
        time_millis: copy.command.timeout_millis,
    };
    let mut tail = Tail::default();
    let mut line = |line: &[u8]| {
        tail.push(&String::from_utf8_lossy(line));
        Ok(())
    };
    let report = runner.sandbox.run(&job, &mut line, runner.cancelled)?;
    if report.ended == Ended::Cancelled {
        return Err(DriverError::transient(code::JOB_FAILED, "the command was ended, as was asked for"));
    }
    report.log.lines().for_each(|line| tail.push(line));
    Ok(Outcome { ended: report.ended, said: tail.lines() })
}

/// What both ends mean.
fn judge(command: &Command, before: &Outcome, after: Option<&Outcome>) -> CheckResult {
    let name = command.words();
    let told = |outcome: &Outcome| match outcome.ended {
        Ended::Exit(code) => format!("ended with code {code}"),
        Ended::Signal(signal) => format!("was ended by signal {signal}"),
        Ended::Limit(limit) => format!("went beyond its limit of {}", limit.as_str()),
        Ended::Cancelled => "was ended, as was asked for".to_owned(),
    };
    let time = duration::text(command.timeout_millis);
    let (verdict, detail, hint) = match after.map(|after| (after, after.ended)) {
        None => {
            let detail = format!("`{name}` {} before the change already", told(before));
            (Verdict::Unknown, detail, Some("mend the command, or raise its limits, then verify again".to_owned()))
        }
        Some((_, Ended::Exit(0))) => (Verdict::Pass, format!("`{name}` is green before and after the change"), None),
        Some((after, Ended::Limit(_))) => {
            let detail = format!("`{name}` {} after the change, and was green before", told(after));
            (Verdict::Unknown, detail, Some(format!("raise its limits (its time is {time}), then verify again")))
        }
        Some((after, _)) => {
            let detail = format!("`{name}` {} after the change, and was green before", told(after));
            (Verdict::Fail, detail, Some("look at the end of what it said".to_owned()))
        }
    };
    CheckResult { name: NAME.to_owned(), verdict, detail, hint }
}

/// A command that was not run, and will not be.
fn refused(error: &DriverError) -> CheckResult {
    let detail = format!("it was not run: {}", plain(&error.message));
    CheckResult { name: NAME.to_owned(), verdict: Verdict::Unknown, detail, hint: hint(error) }
}

/// What to do about a command that was not run.
pub fn hint(error: &DriverError) -> Option<String> {
    let programs = "name a program of the system, one of a folder in `GREYLAG_TOOLS` (a virtual environment needs that of its Python, \
                    too), or an executable file of the repository";
    if error.code == code::JOB_START { Some(programs.to_owned()) } else { error.hints.first().cloned() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::{Command, Purpose};
    use super::{Ran, Runner, run};
    use crate::tree::{MemoryTree, Mode};
    use greylag_driver::sandbox::{Act, Job, Scripted};
    use greylag_model::check::Verdict;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    const BASE: &[(&str, &str)] = &[
        (".greylag.yaml", "verify: {run: [sh, ci.sh], limits: {processes: 7}, timeout: 9s}"),
        ("ci.sh", "base"),
        ("a.sql", "old"),
        ("tests/kept.py", "assert"),
        ("more/tests/one.sql", "one"),
        ("more/tests/two.sql", "two"),
    ];

    fn base() -> MemoryTree {
        MemoryTree::new(BASE.iter().copied()).with_mode("ci.sh", Mode::Executable)
    }

    fn new() -> MemoryTree {
        let files = BASE.iter().map(|(path, text)| match *path {
            "a.sql" | "more/tests/one.sql" => (*path, "new"),
            "ci.sh" => (*path, "exit 0"),
            ".greylag.yaml" => (*path, "verify: [true]"),
            _ => (*path, *text),
        });
        MemoryTree::new(files)
    }

    /// Runs a command that does what a script says of the job and of whether the change is in it.
    fn ran(script: impl Fn(&Job, bool) -> Vec<Act> + Send + Sync + 'static) -> Ran {
        let scratch = tempfile::tempdir().unwrap();
        let sandbox = Scripted::new(move |job: &Job| {
            let text = fs::read_to_string(job.folders[0].path.join("a.sql")).unwrap();
            script(job, text == "new")
        });
        let command = Command::of(&base(), Purpose::Verify).unwrap().unwrap();
        let runner = Runner { sandbox: &sandbox, scratch: scratch.path(), tools: &[], cancelled: &|| false };
        let ran = run(&command, &base(), &new(), runner).unwrap();
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "copies are removed");
        ran
    }

    fn said(ran: &Ran) -> (Verdict, &str) {
        (ran.check.verdict, &ran.check.detail)
    }

    #[test]
    fn a_command_that_stays_green_passes() {
        let ran = ran(|_, new| {
            vec![Act::Write(format!("new: {new}\n").into_bytes()), Act::Complain("\u{1b}[1mok".to_owned())]
        });
        assert_eq!(said(&ran), (Verdict::Pass, "`sh ci.sh` is green before and after the change"));
        assert_eq!(ran.base.unwrap().said, ["new: false", "ok"]);
        assert_eq!(ran.new.unwrap().said, ["new: true", "ok"]);
    }

    #[test]
    fn one_that_becomes_red_fails_and_one_that_was_red_says_nothing() {
        let becomes = ran(|_, new| vec![Act::Exit(i32::from(new))]);
        assert_eq!(
            said(&becomes),
            (Verdict::Fail, "`sh ci.sh` ended with code 1 after the change, and was green before")
        );
        let was = ran(|_, _| vec![Act::Exit(2)]);
        assert_eq!(said(&was), (Verdict::Unknown, "`sh ci.sh` ended with code 2 before the change already"));
        assert!(was.new.is_none());
        let slow = ran(|_, new| if new { vec![Act::Hang] } else { vec![] });
        let beyond = "`sh ci.sh` went beyond its limit of time after the change, and was green before";
        assert_eq!(said(&slow), (Verdict::Unknown, beyond));
    }

    #[test]
    fn it_gets_the_edits_and_the_bases_command_and_nothing_else() {
        let ran = ran(|job, new| {
            let read = |path: &str| fs::read_to_string(job.folders[0].path.join(path)).unwrap();
            assert_eq!((job.argv.as_slice(), job.network), (["sh", "ci.sh"].map(str::to_owned).as_slice(), false));
            assert_eq!((job.limits.processes, job.time_millis), (7, 9_000));
            assert!(job.folders[0].writable && job.environment.is_empty());
            assert_eq!(read("ci.sh"), "base");
            assert_eq!(read(".greylag.yaml"), BASE[0].1);
            assert_eq!(read("more/tests/one.sql"), if new { "new" } else { "one" });
            let mode = fs::metadata(job.folders[0].path.join("ci.sh")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755);
            assert!(job.folders[1..].iter().all(|folder| !folder.writable));
            let kept = job.folders[1..].iter().map(|folder| folder.at.strip_prefix(&job.directory).unwrap());
            let kept: Vec<&str> = kept.map(|path| path.to_str().unwrap()).collect();
            let tests = if new { "more/tests/two.sql" } else { "more/tests" };
            assert_eq!(kept, [".greylag.yaml", "ci.sh", tests, "tests"]);
            Vec::new()
        });
        assert_eq!(ran.check.verdict, Verdict::Pass);
    }
}
