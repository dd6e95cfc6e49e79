//! How every process of git is started.

use super::limit::Limits;
use super::process::{Output, Process};
use super::remote::{Remote, Way};
use super::repository::Safety;
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// What no configuration of a repository may say otherwise. None of it is needed while all goes well: repositories that
/// this program has made say nothing of the sort.
const CONFIG: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.alternateRefsCommand=true",
    "core.quotePath=true",
    "core.logAllRefUpdates=false",
    "core.packedGitLimit=256m",
    "core.deltaBaseCacheLimit=32m",
    "core.bigFileThreshold=64m",
    "safe.bareRepository=explicit",
    "protocol.allow=never",
    "transfer.fsckObjects=true",
    "transfer.credentialsInUrl=die",
    "transfer.bundleURI=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.unpackLimit=1",
    "fetch.writeCommitGraph=false",
    "fastimport.unpackLimit=1",
    "gc.auto=0",
    "maintenance.auto=false",
    "pack.threads=1",
    "index.threads=1",
    "credential.helper=",
    "credential.interactive=false",
    "core.askPass=true",
    "core.sshCommand=false",
    "http.followRedirects=false",
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=60",
    "commit.gpgSign=false",
    "diff.external=",
    "merge.renameLimit=1000",
    "diff.renameLimit=1000",
    "merge.directoryRenames=false",
    "i18n.commitEncoding=utf-8",
    // Old histories have these; none of them does anything.
    "fetch.fsck.badTimezone=ignore",
    "fetch.fsck.missingSpaceBeforeDate=ignore",
    "fetch.fsck.missingEmail=ignore",
    "fetch.fsck.missingNameBeforeEmail=ignore",
    "fetch.fsck.zeroPaddedFilemode=ignore",
    "fetch.fsck.zeroPaddedDate=ignore",
];

/// Another repository on this machine is somebody else's: what it says of commands does not count.
pub(super) const OTHER_END: &str = "git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.alternateRefsCommand=true \
     -c receive.autogc=false -c gc.auto=0 -c maintenance.auto=false -c pack.threads=1";

/// The program `git`, hardened. Cheap to clone.
///
/// Each of its processes has an empty environment but for what follows, so nothing of the user's configuration counts:
/// no system-wide and no global configuration and attributes, no prompt, no helper for passwords, no protocol but the one
/// that is needed, no replaced objects, no fetching on demand, no hooks, no monitor of files; and limits, see [`Limits`].
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    limits: Arc<Limits>,
    ssh: Option<String>,
}

impl Default for Git {
    fn default() -> Self {
        Self::new("git")
    }
}

impl Git {
    /// The program at a path, or the system's of that name.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), limits: Arc::new(Limits::default()), ssh: None }
    }

    /// The same with other limits.
    pub fn limited(self, limits: Limits) -> Self {
        Self { limits: Arc::new(limits), ..self }
    }

    /// The same with a command for `ssh` remotes, e.g. `ssh -F none -i KEY -oBatchMode=yes`. Without one they are refused.
    pub fn with_ssh(self, command: impl Into<String>) -> Self {
        Self { ssh: Some(command.into()), ..self }
    }

    /// How much a repository may cost.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The version of the program, e.g. `2.47.3`; an error if it cannot be started or is too old.
    pub fn version(&self) -> Result<String, DriverError> {
        let mut command = self.bare();
        command.arg("version");
        let output = Process::start(command, "tell its version", &self.limits, false)?.finish(&[], 4_096)?;
        let text = String::from_utf8_lossy(&output.bytes).trim().to_owned();
        let version = text.split(' ').nth(2).unwrap_or_default().to_owned();
        let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
        match (numbers.next(), numbers.next()) {
            (Some(major), Some(minor)) if (major, minor) >= (2, 40) => Ok(version),
            _ => Err(DriverError::permanent(code::GIT_START, format!("git says `{text}`; at least 2.40 is needed"))),
        }
    }

    /// A process without any repository.
    #[expect(clippy::disallowed_methods, reason = "the one place where git is started, without environment, hardened")]
    fn bare(&self) -> Command {
        let mut command = Command::new(&self.program);
        let beside = self.program.parent().filter(|folder| folder.is_absolute());
        let path = beside.map(|folder| format!("{}:", folder.display())).unwrap_or_default();
        command
            .env_clear()
            .env("PATH", format!("{path}/usr/local/bin:/usr/bin:/bin"))
            .env("HOME", "/dev/null")
            .env("XDG_CONFIG_HOME", "/dev/null")
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", "")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_ALLOC_LIMIT", (self.limits.memory_bytes / 4).to_string())
            .current_dir("/")
            .stdin(Stdio::null());
        command
    }

    /// A command in a repository.
    pub(super) fn command(&self, folder: &Path, safety: Safety, arguments: &[&str]) -> Command {
        let mut git_dir = std::ffi::OsString::from("--git-dir=");
        git_dir.push(folder);
        let mut command = self.configured(safety);
        command.arg(git_dir).args(arguments);
        command
    }

    /// A command that finds its repository itself.
    pub(super) fn command_without(&self, safety: Safety, arguments: &[&str]) -> Command {
        let mut command = self.configured(safety);
        command.args(arguments);
        command
    }

    fn configured(&self, safety: Safety) -> Command {
        let mut command = self.bare();
        command.arg("--no-pager").arg("--literal-pathspecs");
        for setting in CONFIG.iter().chain(safety.config()) {
            command.arg("-c").arg(setting);
        }
        command
    }

    /// A command in a repository that speaks to a remote. What is secret goes through the environment.
    pub(super) fn remote_command(
        &self,
        folder: &Path,
        safety: Safety,
        remote: &Remote,
        arguments: &[&str],
    ) -> Result<Command, DriverError> {
        let mut command = self.command(folder, safety, arguments);
        command.env("GIT_ALLOW_PROTOCOL", remote.way.as_str());
        if remote.way == Way::Ssh {
            let ssh = self.ssh.as_ref().ok_or_else(|| {
                DriverError::denied(code::GIT_URL, "there is no command for `ssh` remotes")
                    .hint("configure one, or use `https`")
            })?;
            command.env("GIT_SSH_COMMAND", ssh);
        }
        if let Some(path) = &remote.path {
            refuse_alternates(path)?;
        }
        if let Some(header) = &remote.header {
            command.env("GIT_CONFIG_COUNT", "1");
            command.env("GIT_CONFIG_KEY_0", "http.extraHeader").env("GIT_CONFIG_VALUE_0", header);
        }
        Ok(command)
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, command: Command, what: &'static str, input: &[u8]) -> Result<Output, DriverError> {
        let process = Process::start(command, what, &self.limits, !input.is_empty())?;
        process.finish(input, self.limits.output_bytes)
    }
}

/// A repository can say that its objects lie elsewhere, and so hand out those of any repository of this machine.
fn refuse_alternates(path: &Path) -> Result<(), DriverError> {
    for place in ["objects/info/alternates", ".git/objects/info/alternates", "objects/info/http-alternates"] {
        if path.join(place).symlink_metadata().is_ok() {
            let message = format!("the repository `{}` takes objects from elsewhere", path.display());
            return Err(DriverError::denied(code::GIT_URL, message)
                .hint("make it whole: `git repack -a -d`, then remove `objects/info/alternates`"));
        }
    }
    Ok(())
}

/// The error of a command that did not end as it should.
pub(super) fn failed(what: &str, output: &Output) -> DriverError {
    let said: String = output.log.chars().filter(|letter| *letter == '\n' || !letter.is_control()).collect();
    let end = match output.exit() {
        Some(exit) => format!("exit code {exit}"),
        None => "it was ended by a signal: most likely a limit".to_owned(),
    };
    let said = if said.is_empty() { end } else { said };
    let beyond = output.exit().is_none() || said.contains("over limit") || said.contains("ut of memory");
    if beyond {
        return DriverError::permanent(code::GIT_LIMIT, format!("git could not {what}: {said}"));
    }
    DriverError::permanent(code::GIT_FAILED, format!("git could not {what}: {said}"))
}
