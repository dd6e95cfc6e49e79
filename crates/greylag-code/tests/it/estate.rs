//! Repositories for tests, made by people's git and by hand.

use greylag_code::git::{Git, ObjectId, Person, Remote, Repository, Safety, Signed};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder with a repository of somebody's, and room beside it.
pub(crate) struct Estate {
    pub(crate) folder: TempDir,
}

impl Estate {
    /// Nothing but a folder.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A repository `theirs.git` with these files on `main`.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let estate = Self::new();
        estate.git(&["init", "-q", "--bare", "-b", "main", "theirs.git"]);
        estate.change("main", None, files);
        estate
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Git as people have it, in the folder.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.try_git(arguments, b"");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The same, in `theirs.git`.
    pub(crate) fn theirs(&self, arguments: &[&str]) -> String {
        self.theirs_fed(arguments, b"")
    }

    pub(crate) fn theirs_fed(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = self.try_git(&[&["--git-dir=theirs.git"], arguments].concat(), input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[expect(clippy::disallowed_methods, reason = "tests play other people, who use git")]
    pub(crate) fn try_git(&self, arguments: &[&str], input: &[u8]) -> Output {
        use std::io::Write;
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.folder.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.env("HOME", self.folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@example.com"), ("DATE", "@1700000000 +0000")] {
            command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let feeder = std::thread::spawn(move || {
            // Whoever does not read it is seen by its exit code.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        output
    }

    /// Somebody commits these files (an empty text deletes one) to a branch, from where it is or from another commit.
    pub(crate) fn change(&self, branch: &str, from: Option<&ObjectId>, files: &[(&str, &str)]) -> ObjectId {
        let mut stream = format!("commit refs/heads/{branch}\ncommitter Ada <ada@example.com> 1700000000 +0000\n");
        stream.push_str("data 6\nchange\n");
        let now = self
            .try_git(&["--git-dir=theirs.git", "rev-parse", "--verify", "-q", &format!("refs/heads/{branch}")], b"");
        let now = String::from_utf8(now.stdout).unwrap();
        if let Some(from) = from.map(ObjectId::as_str).or(Some(now.trim()).filter(|now| !now.is_empty())) {
            writeln!(stream, "from {from}").unwrap();
        }
        for (path, text) in files {
            if text.is_empty() {
                writeln!(stream, "D {path}").unwrap();
            } else {
                writeln!(stream, "M 100644 inline {path}\ndata {}\n{text}", text.len()).unwrap();
            }
        }
        self.theirs_fed(&["fast-import", "--quiet", "--force"], stream.as_bytes());
        ObjectId::parse(&self.theirs(&["rev-parse", &format!("refs/heads/{branch}")])).unwrap()
    }

    /// An entry of a tree: mode, name, id.
    pub(crate) fn raw_tree(&self, entries: &[(&str, &[u8], &ObjectId)]) -> ObjectId {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend_from_slice(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(name);
            bytes.push(0);
            for pair in id.as_str().as_bytes().chunks(2) {
                bytes.push(u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
            }
        }
        self.object("tree", &bytes)
    }

    /// Writes an object, whatever is in it.
    pub(crate) fn object(&self, kind: &str, bytes: &[u8]) -> ObjectId {
        ObjectId::parse(&self.theirs_fed(&["hash-object", "-t", kind, "-w", "--literally", "--stdin"], bytes)).unwrap()
    }

    /// Puts a branch at a new commit of a tree.
    pub(crate) fn point(&self, branch: &str, tree: &ObjectId) -> ObjectId {
        let commit = ObjectId::parse(&self.theirs(&["commit-tree", tree.as_str(), "-m", "by hand"])).unwrap();
        self.theirs(&["update-ref", &format!("refs/heads/{branch}"), commit.as_str()]);
        commit
    }

    pub(crate) fn remote(&self) -> Remote {
        Remote::at(&self.path("theirs.git"))
    }

    /// A workspace of ours.
    pub(crate) fn ours(&self) -> Repository {
        Repository::make(Git::default(), self.path("ours.git"), Safety::Cache).unwrap()
    }
}

pub(crate) fn signed(message: &str) -> Signed {
    let person = Person { name: "Greylag".to_owned(), email: "greylag@example.com".to_owned() };
    Signed { author: person.clone(), committer: person, seconds: 1_700_000_000, message: message.to_owned() }
}

/// All files below a folder, with their sizes.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found.sort();
    found
}
