//! A directory on disk, as its repository has it.
//!
//! What git ignores in a work tree and does not track (what was built or installed there, files with secrets) is nobody's code:
//! it is not in the tree, and counted. What has a name that is not UTF-8 cannot be told by a path: it is not in the tree, and named.
//! Git is not asked, since that would run what a repository's configuration says: its rules and its index are read here, as files.

use super::ignored::{Rules, Verdict};
use super::index;
use super::{Mode, Tree, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most folders inside each other.
const DEPTH: usize = 256;

/// A directory on disk, without what git keeps in it and without what it ignores there. Of one that is ignored itself nothing is left out.
#[derive(Debug, Clone)]
pub struct DirectoryTree {
    root: PathBuf,
}

/// What lies in a directory and is not in its tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Files and folders that git ignores.
    pub ignored: Vec<String>,
    /// What has a name that is not UTF-8, as it can be shown.
    pub unnamed: Vec<String>,
}

/// What a walk finds.
#[derive(Default)]
struct Found {
    files: Vec<String>,
    modes: BTreeMap<String, Mode>,
    left_out: LeftOut,
}

impl DirectoryTree {
    /// The files below a directory.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// What is not in the tree.
    pub fn left_out(&self) -> io::Result<LeftOut> {
        Ok(self.walk()?.left_out)
    }

    fn walk(&self) -> io::Result<Found> {
        let mut walk = Walk { found: Found::default(), repository: Repository::around(&self.root)? };
        walk.folder(&self.root, "", false, DEPTH)?;
        let mut found = walk.found;
        found.files.sort();
        Ok(found)
    }

    /// Whether each part of a path is a plain name and no part of it is a link.
    fn is_plain(&self, path: &str) -> bool {
        let mut at = self.root.clone();
        path.split('/').all(|part| {
            at.push(part);
            !matches!(part, "" | "." | "..")
                && fs::symlink_metadata(&at).is_ok_and(|metadata| !metadata.file_type().is_symlink())
        })
    }
}

impl Tree for DirectoryTree {
    fn paths(&self) -> io::Result<Vec<String>> {
        Ok(self.walk()?.files)
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        let file = self.root.join(path);
        if !self.is_plain(path) || !fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
            return Ok(None);
        }
        fs::read(file).map(|bytes| Some(Arc::from(bytes)))
    }

    fn installed(&self, folder: &str) -> io::Result<Vec<String>> {
        let at = self.root.join(folder);
        if !self.is_plain(folder) || !fs::symlink_metadata(&at).is_ok_and(|metadata| metadata.is_dir()) {
            return Ok(Vec::new());
        }
        let mut walk = Walk { found: Found::default(), repository: None };
        walk.folder(&at, folder, false, DEPTH)?;
        walk.found.files.sort();
        Ok(walk.found.files)
    }

    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        let file = self.root.join(path);
        let metadata = fs::symlink_metadata(&file).ok().filter(|metadata| metadata.is_file());
        let Some(metadata) = metadata.filter(|_| self.is_plain(path)) else { return Ok(None) };
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Ok(Some(Version::Stat {
            size: metadata.size(),
            inode: metadata.ino(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }))
    }

    fn modes(&self) -> io::Result<BTreeMap<String, Mode>> {
        Ok(self.walk()?.modes)
    }
}

/// The work tree that a directory is, or lies in.
struct Repository {
    rules: Rules,
    /// The path from its root to the directory, with a slash behind it; empty for the root.
    within: String,
    /// What it tracks.
    tracked: BTreeSet<Vec<u8>>,
}

impl Repository {
    /// None where there is none, or none whose index can be read: then nothing is ignored.
    fn around(root: &Path) -> io::Result<Option<Self>> {
        let Ok(root) = fs::canonicalize(root) else { return Ok(None) };
        let Some(top) = root.ancestors().find(|folder| fs::symlink_metadata(folder.join(".git")).is_ok()) else {
            return Ok(None);
        };
        let Some(tracked) = index::tracked(&top.join(".git"))? else { return Ok(None) };
        let Some(within) = root.strip_prefix(top).ok().and_then(Path::to_str) else { return Ok(None) };
        let mut rules = Rules::default();
        rules.add(top, &top.join(".git/info/exclude"));
        // Those of folders around; the directory's own comes when it is walked.
        let mut at = top.to_owned();
        for part in Path::new(within) {
            rules.add(&at, &at.join(".gitignore"));
            at.push(part);
        }
        let within = if within.is_empty() { String::new() } else { format!("{within}/") };
        Ok(Some(Self { rules, within, tracked }))
    }

    fn tracks(&self, path: &str) -> bool {
        self.tracked.contains(format!("{}{path}", self.within).as_bytes())
    }

    /// Whether it tracks anything in a folder.
    fn tracks_in(&self, path: &str) -> bool {
        let folder = format!("{}{path}/", self.within).into_bytes();
        self.tracked.range(folder.clone()..).next().is_some_and(|next| next.starts_with(&folder))
    }
}

struct Walk {
    found: Found,
    repository: Option<Repository>,
}

impl Walk {
    /// Walks a folder, links not followed; `ignored` says whether all that is not tracked in it is.
    fn folder(&mut self, folder: &Path, prefix: &str, ignored: bool, depth: usize) -> io::Result<()> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(io::Error::other(format!("`{prefix}` lies in more than {DEPTH} folders")));
        };
        let canonical = fs::canonicalize(folder)?;
        let added = self.repository.as_mut().map(|found| found.rules.add(&canonical, &canonical.join(".gitignore")));
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let shown = name.as_bytes().escape_ascii();
                let path = if prefix.is_empty() { shown.to_string() } else { format!("{prefix}/{shown}") };
                self.found.left_out.unnamed.push(path);
                continue;
            };
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            if name != ".git" || !entry.file_type()?.is_dir() {
                self.entry(&entry, path, &canonical.join(name), ignored, depth)?;
            }
        }
        if let (Some(repository), Some(true)) = (&mut self.repository, added) {
            repository.rules.remove();
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &DirEntry,
        path: String,
        canonical: &Path,
        ignored: bool,
        depth: usize,
    ) -> io::Result<()> {
        let is_folder = entry.file_type()?.is_dir();
        let mut is_ignored = ignored;
        if let Some(repository) = &self.repository {
            match repository.rules.of(canonical, is_folder) {
                Verdict::Ignored => is_ignored = true,
                // What lies in an ignored folder is never taken back.
                Verdict::Kept | Verdict::Unsaid => {}
            }
            let is_there = if is_folder { repository.tracks_in(&path) } else { repository.tracks(&path) };
            if is_ignored && !is_there {
                self.found.left_out.ignored.push(path);
                return Ok(());
            }
        }
        if is_folder {
            return self.folder(&entry.path(), &path, is_ignored, depth);
        }
        let metadata = entry.metadata()?;
        let mode = match metadata.file_type() {
            kind if kind.is_file() => (metadata.permissions().mode() & 0o100 != 0).then_some(Mode::Executable),
            kind if kind.is_symlink() => {
                let target = fs::read_link(entry.path())?;
                Some(Mode::Other(format!("a link to `{}`", target.to_string_lossy().escape_debug())))
            }
            _ => Some(Mode::Other("neither a file nor a link".to_owned())),
        };
        if metadata.is_file() {
            self.found.files.push(path.clone());
        }
        self.found.modes.extend(mode.map(|mode| (path, mode)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

    use super::*;
    use std::ffi::OsStr;
    use std::process::Command;

    #[test]
    fn a_directory_has_its_regular_files_and_nothing_behind_links() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "s").unwrap();
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("models/.git")).unwrap();
        fs::create_dir_all(root.path().join(".git")).unwrap();
        fs::write(root.path().join(".git/config"), "").unwrap();
        fs::write(root.path().join("models/a.sql"), "select 1").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("out")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), root.path().join("models/link.sql")).unwrap();
        let tree = DirectoryTree::new(root.path());
        assert_eq!(tree.paths().unwrap(), ["models/a.sql"]);
        assert_eq!(tree.read("models/a.sql").unwrap().as_deref(), Some(&b"select 1"[..]));
        for path in ["out/secret", "models/link.sql", "../secret", "models", "none", "", "models/../models/a.sql"] {
            assert_eq!(tree.read(path).unwrap(), None, "{path}");
        }
        fs::write(root.path().join("run.sh"), "").unwrap();
        fs::set_permissions(root.path().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        let modes = tree.modes().unwrap();
        assert_eq!(modes.keys().collect::<Vec<_>>(), ["models/link.sql", "out", "run.sh"]);
        assert_eq!(modes["run.sh"], Mode::Executable);
        assert_eq!(modes["out"], Mode::Other(format!("a link to `{}`", outside.path().display())));
    }

    #[test]
    fn names_that_are_no_text_are_named() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(OsStr::from_bytes(b"a\xff.sql")), "select 1").unwrap();
        fs::create_dir(root.path().join("sub")).unwrap();
        fs::create_dir(root.path().join(OsStr::from_bytes(b"sub/\xfe"))).unwrap();
        let mut unnamed = DirectoryTree::new(root.path()).left_out().unwrap().unnamed;
        unnamed.sort();
        assert_eq!(unnamed, ["a\\xff.sql", "sub/\\xfe"]);
    }

    /// A work tree of people's git.
    fn work_tree(files: &[&str], tracked: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "select 1").unwrap();
        }
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.args(arguments).current_dir(root.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
            assert!(command.status().unwrap().success(), "{arguments:?}");
        };
        git(&["init", "-q"]);
        if !tracked.is_empty() {
            git(&[&["add", "-f"], tracked].concat());
        }
        root
    }

    #[test]
    fn what_git_ignores_is_left_out_unless_it_is_tracked() {
        let files =
            ["a.sql", "target/b.sql", "target/kept.sql", "x.log", "sub/y.log", "sub/z.log", "sub/own.sql", "c.tmp"];
        let root = work_tree(&files, &["a.sql", "target/kept.sql"]);
        let write = |path: &str, text: &str| fs::write(root.path().join(path), text).unwrap();
        write(".gitignore", "/target/\n*.log\n");
        write("sub/.gitignore", "!y.log\nown.sql\n");
        fs::create_dir_all(root.path().join(".git/info")).unwrap();
        write(".git/info/exclude", "*.tmp\n");
        let tree = DirectoryTree::new(root.path());
        let expected = [".gitignore", "a.sql", "sub/.gitignore", "sub/y.log", "target/kept.sql"];
        assert_eq!(tree.paths().unwrap(), expected);
        let mut ignored = tree.left_out().unwrap().ignored;
        ignored.sort();
        assert_eq!(ignored, ["c.tmp", "sub/own.sql", "sub/z.log", "target/b.sql", "x.log"]);
        // A part of it follows the rules of all of it.
        assert_eq!(DirectoryTree::new(root.path().join("sub")).paths().unwrap(), [".gitignore", "y.log"]);
        // Whoever names an ignored folder itself means all of it.
        assert_eq!(DirectoryTree::new(root.path().join("target")).paths().unwrap(), ["b.sql", "kept.sql"]);
        // What git itself says.
        let mut git = Command::new("git");
        git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root.path());
        let said = String::from_utf8(git.output().unwrap().stdout).unwrap();
        let mut said: Vec<&str> = said.lines().collect();
        said.sort_unstable();
        assert_eq!(said, expected);
    }

    #[test]
    fn without_an_index_that_can_be_read_nothing_is_ignored() {
        let root = work_tree(&["a.sql", "b.log"], &["a.sql"]);
        fs::write(root.path().join(".gitignore"), "*.log\n").unwrap();
        let tree = DirectoryTree::new(root.path());
        assert_eq!(tree.paths().unwrap(), [".gitignore", "a.sql"]);
        fs::write(root.path().join(".git/index"), "DIRC\0\0\0\x09").unwrap();
        assert_eq!(tree.paths().unwrap(), [".gitignore", "a.sql", "b.log"]);
        // Without any repository rules are rules of nothing.
        fs::remove_dir_all(root.path().join(".git")).unwrap();
        assert_eq!(tree.paths().unwrap(), [".gitignore", "a.sql", "b.log"]);
    }
}
