//! Where the workspace is, and how commands are run in it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace that this command belongs to.
pub(crate) struct Workspace {
    /// Its root.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// The workspace around this crate.
    pub(crate) fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Self { target: root.join(target), root }
    }

    /// `cargo` with these arguments, in the workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        self.command(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
    }

    /// A program with these arguments, in the workspace, with the workspace's tools on its path.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root).env("PATH", self.path());
        command
    }

    /// Where tools are looked for: those that this command installed come first.
    pub(crate) fn path(&self) -> std::ffi::OsString {
        let before = env::var_os("PATH").unwrap_or_default();
        let own = [self.target.join("tools/bin"), self.target.join("venv/bin")];
        env::join_paths(own.into_iter().chain(env::split_paths(&before))).unwrap_or(before)
    }

    /// Text of a file of the workspace.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Result<String, String> {
        let path = self.root.join(path);
        fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
    }

    /// Paths of all files that git knows or would add, below the root, sorted.
    pub(crate) fn files(&self) -> Result<Vec<String>, String> {
        let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let text = output(&mut self.command("git", &arguments))?;
        let mut files: Vec<String> = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        // A file that was deleted but not yet committed is still in the index.
        files.retain(|path| self.root.join(path).exists());
        files.sort();
        files.dedup();
        Ok(files)
    }
}

/// Runs a command whose output goes to the terminal.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", words(command))) }
}

/// Runs a command and answers what it wrote to standard output; what it wrote to standard error is in the error.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|_| format!("`{}` wrote no text", words(command)));
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("`{}` ended with {}\n{}", words(command), output.status, String::from_utf8_lossy(&said).trim_end()))
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` cannot be started: {error}", words(command))
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}
