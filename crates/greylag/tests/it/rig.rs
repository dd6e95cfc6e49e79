//! An estate and a state folder of its own for each test, and the binary to work on them.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with a state folder, and perhaps an estate.
pub(crate) struct Rig {
    root: TempDir,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) killed: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Panics with what was said unless the command ended with `code`.
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

impl Rig {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    /// One with an estate of so many small datasets, none of them hostile, its catalog imported.
    pub(crate) fn with_estate(seed: u64, datasets: usize) -> Self {
        let rig = Self::new();
        let (seed, datasets) = (seed.to_string(), datasets.to_string());
        let estate = rig.path("estate");
        let args = ["--seed", &seed, "--datasets", &datasets, "--rows", "60", "--hostile", "0", "--out"];
        rig.run(["lab", "generate"].into_iter().chain(args).map(OsStr::new).chain([estate.as_os_str()])).ended(0);
        let catalog = rig.path("estate/catalog");
        rig.run([OsStr::new("catalog"), OsStr::new("import"), catalog.as_os_str()]).ended(0);
        rig
    }

    /// A path below the rig's folder.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Writes a file below the rig's folder.
    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The binary, on this rig's state folder, in an environment without surprises.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greylag"));
        command.env_clear().env("USER", "tester").env("GREYLAG_HOME", self.path("home")).current_dir(self.root.path());
        command
    }

    /// Runs the binary.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Said {
        said(&self.command().args(args).output().unwrap())
    }

    /// Runs the binary with armed fault points; answers what it said and which of them fired.
    pub(crate) fn run_with_faults(&self, faults: &str, args: &[&str]) -> (Said, Vec<String>) {
        let log = self.path("faults.log");
        let _ = fs::remove_file(&log);
        let output =
            self.command().args(args).env("GREYLAG_FAULTS", faults).env("GREYLAG_FAULTS_LOG", &log).output().unwrap();
        let fired = fs::read_to_string(&log).unwrap_or_default().lines().map(str::to_owned).collect();
        (said(&output), fired)
    }

    /// Runs a line in a shell that finds the binary; answers what it says on both streams, in order.
    pub(crate) fn shell(&self, line: &str, faults: Option<&str>) -> String {
        let folder = Path::new(env!("CARGO_BIN_EXE_greylag")).parent().unwrap();
        let mut command = Command::new("sh");
        // `exec` would hide that a child was killed; dash says so for a child of its own.
        command.arg("-c").arg(format!("{{ {line}; }} 2>&1")).env_clear().current_dir(self.root.path());
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display())).env("LC_ALL", "C.UTF-8");
        command.env("USER", "tester").env("GREYLAG_HOME", self.path("home"));
        if let Some(faults) = faults {
            command.env("GREYLAG_FAULTS", faults);
        }
        String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
    }

    /// Runs the binary and answers its JSON.
    pub(crate) fn json<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Value {
        let output = self.command().args(args).args(["-o", "json"]).output().unwrap();
        said(&output).json()
    }

    /// Plans the migrations of a directory and answers the plans' ids.
    pub(crate) fn plans(&self, directory: &str) -> Vec<String> {
        let migrations = self.path(directory);
        let said = self.run([
            OsStr::new("plan"),
            OsStr::new("-o"),
            OsStr::new("name"),
            OsStr::new("-f"),
            migrations.as_os_str(),
        ]);
        said.ended(0).stdout.lines().map(str::to_owned).collect()
    }

    /// Panics unless the estate is as its truth says.
    pub(crate) fn assert_true(&self, args: &[&str]) {
        let estate = self.path("estate");
        let args = [OsStr::new("lab"), OsStr::new("compare"), estate.as_os_str()]
            .into_iter()
            .chain(args.iter().map(OsStr::new));
        self.run(args).ended(0);
    }
}

pub(crate) fn said(output: &Output) -> Said {
    Said {
        code: output.status.code(),
        killed: output.status.signal() == Some(9),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
