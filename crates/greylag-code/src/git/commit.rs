//! Writing a commit from edits, without a work tree.

use super::object::{ObjectId, damaged};
use super::path::{check, refused};
use super::repository::Repository;
use super::tree::{CommitTree, Listing};
use crate::tree::Tree;
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What happens to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A regular file that is there gets these bytes, and keeps its mode.
    Replace(Vec<u8>),
    /// A new file with these bytes, where nothing is.
    Create(Vec<u8>),
    /// A regular file that is there goes.
    Delete,
}

/// Edits by path.
pub type Edits = BTreeMap<String, Edit>;

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// As people call them.
    pub name: String,
    /// Where they are written to.
    pub email: String,
}

/// What a commit says of itself. The same edits of the same base, signed the same way, are the same commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Who wrote the change.
    pub author: Person,
    /// Who committed it.
    pub committer: Person,
    /// When, in seconds since 1970; shown as UTC.
    pub seconds: i64,
    /// Why.
    pub message: String,
}

impl Signed {
    /// For commands that read it from their environment.
    pub(super) fn environment(&self) -> Result<[(&'static str, String); 6], DriverError> {
        let date = format!("@{} +0000", self.seconds.max(0));
        Ok([
            ("GIT_AUTHOR_NAME", plain(&self.author.name)?),
            ("GIT_AUTHOR_EMAIL", plain(&self.author.email)?),
            ("GIT_AUTHOR_DATE", date.clone()),
            ("GIT_COMMITTER_NAME", plain(&self.committer.name)?),
            ("GIT_COMMITTER_EMAIL", plain(&self.committer.email)?),
            ("GIT_COMMITTER_DATE", date),
        ])
    }
}

/// A name or address that cannot be taken for more than that.
fn plain(text: &str) -> Result<String, DriverError> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(|letter| letter.is_control() || matches!(letter, '<' | '>')) {
        let message = format!("`{}` cannot be the name or address of a person", text.escape_debug());
        return Err(DriverError::permanent(code::GIT_PATH, message));
    }
    Ok(text.to_owned())
}

/// A regular file of a first commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether it can be run.
    pub executable: bool,
}

impl Repository {
    /// Writes a commit without a parent that has these files, by path. Nothing refers to it yet. Fails with class denied if a
    /// path is none that may be written.
    pub fn first_commit(&self, files: &BTreeMap<String, NewFile>, signed: &Signed) -> Result<ObjectId, DriverError> {
        let mut stream = head(signed)?;
        for (path, file) in files {
            check(path)?;
            put(&mut stream, path, &file.bytes, file.executable);
        }
        // Repositories that this program makes name objects by SHA-1.
        end(&mut stream, &"0".repeat(40));
        self.import(&stream)
    }

    /// Writes a commit whose parent is the commit of `base`. Nothing refers to it yet. Fails with class denied if an edit
    /// is not of a kind that may be made.
    pub fn commit(&self, base: &CommitTree, edits: &Edits, signed: &Signed) -> Result<ObjectId, DriverError> {
        check_edits(base.listing(), edits)?;
        self.import(&stream(base, edits, signed)?)
    }

    fn import(&self, stream: &[u8]) -> Result<ObjectId, DriverError> {
        let arguments = ["fast-import", "--quiet", "--force", "--done", "--date-format=raw"];
        let output = self.run("write a commit", &arguments, stream)?;
        let said = String::from_utf8_lossy(&output.bytes);
        ObjectId::parse(said.lines().next().unwrap_or_default()).map_err(|_| damaged("git did not tell the commit"))
    }

    /// The commit in which a file is changed; `None` where nothing would be other than before.
    pub fn commit_if_new(
        &self,
        base: &CommitTree,
        edits: &Edits,
        signed: &Signed,
    ) -> Result<Option<ObjectId>, DriverError> {
        for (path, edit) in edits {
            let same = match edit {
                Edit::Replace(bytes) => {
                    let before = base.read(path).map_err(|error| damaged(&error.to_string()))?;
                    before.as_deref() == Some(bytes.as_slice())
                }
                Edit::Create(_) | Edit::Delete => false,
            };
            if !same {
                return self.commit(base, edits, signed).map(Some);
            }
        }
        Ok(None)
    }
}

/// Whether every edit is of a plain path, and of what it says that is there.
fn check_edits(listing: &Listing, edits: &Edits) -> Result<(), DriverError> {
    for (path, edit) in edits {
        check(path)?;
        match edit {
            Edit::Replace(_) | Edit::Delete if listing.files.contains_key(path) => {}
            Edit::Replace(_) | Edit::Delete if listing.others.contains_key(path) => {
                return Err(refused(path, "it is a link or a submodule"));
            }
            Edit::Replace(_) | Edit::Delete => return Err(refused(path, "there is no such regular file")),
            Edit::Create(_) => check_new(listing, edits, path)?,
        }
    }
    Ok(())
}

/// Whether nothing is where a new file shall be, nor takes it for something else where letters' case does not count.
fn check_new(listing: &Listing, edits: &Edits, path: &str) -> Result<(), DriverError> {
    let stays = |other: &&String| !matches!(edits.get(other.as_str()), Some(Edit::Delete));
    let there = listing.files.keys().filter(stays).chain(listing.others.keys());
    let created = edits.iter().filter(|(other, edit)| other.as_str() != path && matches!(edit, Edit::Create(_)));
    for other in there.chain(created.map(|(other, _)| other)) {
        if other.eq_ignore_ascii_case(path) || is_inside(path, other) || is_inside(other, path) {
            return Err(refused(path, &format!("`{}` is in its place", other.escape_debug())));
        }
    }
    Ok(())
}

fn is_inside(path: &str, folder: &str) -> bool {
    let head = path.get(..folder.len()).is_some_and(|head| head.eq_ignore_ascii_case(folder));
    head && path.as_bytes().get(folder.len()) == Some(&b'/')
}

/// What `fast-import` reads.
fn stream(base: &CommitTree, edits: &Edits, signed: &Signed) -> Result<Vec<u8>, DriverError> {
    let mut stream = head(signed)?;
    stream.extend_from_slice(format!("from {}\n", base.commit()).as_bytes());
    for (path, edit) in edits {
        let executable = base.listing().files.get(path).is_some_and(|file| file.executable);
        match edit {
            Edit::Delete => stream.extend_from_slice(format!("D {}\n", quoted(path)).as_bytes()),
            Edit::Replace(bytes) | Edit::Create(bytes) => put(&mut stream, path, bytes, executable),
        }
    }
    end(&mut stream, &base.commit().zero());
    Ok(stream)
}

/// Its beginning: who, when, why.
fn head(signed: &Signed) -> Result<Vec<u8>, DriverError> {
    // The reference is only for `fast-import`, which takes it away again before it would be written.
    let mut head = format!("commit {TEMPORARY}\nmark :1\n");
    for (role, person) in [("author", &signed.author), ("committer", &signed.committer)] {
        let (name, email) = (plain(&person.name)?, plain(&person.email)?);
        // Writing to a string does not fail.
        let _ = writeln!(head, "{role} {name} <{email}> {} +0000", signed.seconds.max(0));
    }
    let mut stream = head.into_bytes();
    data(&mut stream, signed.message.as_bytes());
    Ok(stream)
}

fn put(stream: &mut Vec<u8>, path: &str, bytes: &[u8], executable: bool) {
    let mode = if executable { "100755" } else { "100644" };
    stream.extend_from_slice(format!("M {mode} inline {}\n", quoted(path)).as_bytes());
    data(stream, bytes);
}

/// Its end, which asks for the commit's id.
fn end(stream: &mut Vec<u8>, zero: &str) {
    stream.extend_from_slice(format!("\nget-mark :1\nreset {TEMPORARY}\nfrom {zero}\n\ndone\n").as_bytes());
}

const TEMPORARY: &str = "refs/none";

fn data(stream: &mut Vec<u8>, bytes: &[u8]) {
    stream.extend_from_slice(format!("data {}\n", bytes.len()).as_bytes());
    stream.extend_from_slice(bytes);
    stream.push(b'\n');
}

/// A path in the quotes of C, so that nothing of it can end it.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}
