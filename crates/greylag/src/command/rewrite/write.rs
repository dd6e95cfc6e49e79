//! Puts rewritten files in the place of the old ones: all of them, or none.
//!
//! # When the process dies
//!
//! What is to be written, old texts and new ones, is noted in the state folder first, and on disk before any file of a
//! repository is touched. Then all new files are written beside the old ones, and renamed when all are there; last the
//! note goes. A process that dies leaves its note, and nobody who is alive holds its lock. The next `--write` finishes what it says, before it
//! reads anything: a file that has its new text is done, one that has its old text gets the new one, one that somebody
//! has changed since is left as it is, and named. So no half of a change stays, and a file that lies about from a dead process is
//! taken over only if a note of ours says that we put it there.

use crate::context::Context;
use crate::failure::Failure;
use crate::home::Home;
use greylag_model::code;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Where it goes, if it gets another path.
    pub(super) moved: Option<PathBuf>,
    /// Its text.
    pub(super) old: String,
    /// Its new text.
    pub(super) new: String,
}

/// What one process is to write.
struct Note {
    place: PathBuf,
    /// Locked as long as the process lives.
    file: File,
}

impl Written {
    fn target(&self) -> &Path {
        self.moved.as_deref().unwrap_or(&self.path)
    }

    /// Where its new text stands until all are there.
    fn beside(&self) -> PathBuf {
        let target = self.target();
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        target.with_file_name(format!(".{name}.greylag"))
    }
}

/// Writes files; one that was changed meanwhile is refused before any is written.
pub(super) fn write(home: &Home, files: &[Written]) -> Result<(), Failure> {
    if files.is_empty() {
        return Ok(());
    }
    files.iter().try_for_each(is_as_read)?;
    let note = Note::new(home, files)?;
    let mut staged = Vec::new();
    for file in files {
        match stage(file) {
            Ok(beside) => staged.push(beside),
            Err(failure) => {
                for beside in &staged {
                    drop(fs::remove_file(beside));
                }
                note.done()?;
                return Err(failure);
            }
        }
    }
    files.iter().zip(&staged).try_for_each(|(file, beside)| put(file, beside))?;
    note.done()
}

/// Whether a process has died while it wrote.
pub(super) fn is_unfinished(home: &Home) -> Result<bool, Failure> {
    Ok(!unfinished(home)?.is_empty())
}

/// Finishes what processes that died were writing.
pub(super) fn finish(context: &Context, home: &Home) -> Result<(), Failure> {
    for note in unfinished(home)? {
        let text = fs::read(&note.place).map_err(|error| unwritable(&note.place, &error))?;
        // A note that is not whole was never acted on.
        let files: Vec<Written> = serde_json::from_slice(&text).unwrap_or_default();
        for file in &files {
            if !finish_file(file)? {
                let path = file.path.display();
                context.say(&format!("`{path}` was changed after a `--write` that was stopped; it is left as it is"));
            }
        }
        if !files.is_empty() {
            context.say(&format!("finished a `--write` of {} files that was stopped", files.len()));
        }
        note.done()?;
    }
    Ok(())
}

/// Brings a file to where it was to be; false if somebody has changed it since.
fn finish_file(file: &Written) -> Result<bool, Failure> {
    let read = |path: &Path| match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::read(path).map(Some).map_err(|error| unwritable(path, &error)),
        _ => Ok(None),
    };
    let beside = file.beside();
    if fs::symlink_metadata(&beside).is_ok_and(|metadata| metadata.is_file()) {
        fs::remove_file(&beside).map_err(|error| unwritable(&beside, &error))?;
    }
    let (now, there) = (read(&file.path)?, read(file.target())?);
    let is_old = now.as_deref() == Some(file.old.as_bytes());
    if there.as_deref() == Some(file.new.as_bytes()) {
        if file.moved.is_some() && is_old {
            fs::remove_file(&file.path).map_err(|error| unwritable(&file.path, &error))?;
        }
        return Ok(file.moved.is_none() || now.is_none() || is_old);
    }
    if !is_old || file.moved.is_some() && there.is_some() {
        return Ok(false);
    }
    let beside = stage(file)?;
    put(file, &beside)?;
    Ok(true)
}

/// The notes of processes that are not alive.
fn unfinished(home: &Home) -> Result<Vec<Note>, Failure> {
    let folder = home.rewrites();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unwritable(&folder, &error)),
    };
    let mut notes = Vec::new();
    for entry in entries {
        let place = entry.map_err(|error| unwritable(&folder, &error))?.path();
        let Ok(file) = File::options().read(true).write(true).open(&place) else { continue };
        if file.try_lock().is_ok() {
            notes.push(Note { place, file });
        }
    }
    Ok(notes)
}

impl Note {
    fn new(home: &Home, files: &[Written]) -> Result<Self, Failure> {
        let folder = home.rewrites();
        fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        let place = folder.join(format!("{}.json", std::process::id()));
        let failed = |error: &dyn std::fmt::Display| unwritable(&place, error);
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&place)
            .map_err(|error| failed(&error))?;
        // A dead process may have had the same number; what it noted was finished before.
        file.lock().map_err(|error| failed(&error))?;
        file.set_len(0).map_err(|error| failed(&error))?;
        let text = serde_json::to_vec(files).map_err(|error| failed(&error))?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(|error| failed(&error))?;
        File::open(&folder).and_then(|folder| folder.sync_all()).map_err(|error| unwritable(&folder, &error))?;
        Ok(Self { place, file })
    }

    fn done(self) -> Result<(), Failure> {
        let gone = fs::remove_file(&self.place);
        drop(self.file);
        gone.map_err(|error| unwritable(&self.place, &error))
    }
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::error(code::cli::OUTPUT_UNWRITABLE, format!("`{}` cannot be written: {error}", path.display()))
}

/// Whether a file is what it was when it was read, and nothing is where it goes.
fn is_as_read(file: &Written) -> Result<(), Failure> {
    let now = fs::read(&file.path).map_err(|error| unwritable(&file.path, &error))?;
    if now != file.old.as_bytes() {
        return Err(unwritable(&file.path, &"it was changed while it was read").hint("do it again"));
    }
    match &file.moved {
        Some(moved) if fs::symlink_metadata(moved).is_ok() => {
            Err(unwritable(moved, &"something is there already").hint("do it again"))
        }
        _ => Ok(()),
    }
}

/// Writes a file's new text beside it, and answers where that is.
fn stage(file: &Written) -> Result<PathBuf, Failure> {
    let beside = file.beside();
    // What a repository has put there, a link perhaps, is not written through.
    let made = File::create_new(&beside).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => unwritable(file.target(), &format!("`{}` is in the way", beside.display()))
            .hint("name each path once; if nobody else is writing there, look at it and remove it"),
        _ => unwritable(file.target(), &error),
    })?;
    write_beside(made, &file.path, &file.new).map_err(|error| {
        drop(fs::remove_file(&beside));
        unwritable(file.target(), &error)
    })?;
    Ok(beside)
}

fn write_beside(mut file: File, path: &Path, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.set_permissions(fs::metadata(path)?.permissions())?;
    file.sync_all()
}

/// Puts a file that stands beside its place into it.
fn put(file: &Written, beside: &Path) -> Result<(), Failure> {
    fs::rename(beside, file.target()).map_err(|error| unwritable(file.target(), &error))?;
    match file.moved {
        Some(_) => fs::remove_file(&file.path).map_err(|error| unwritable(&file.path, &error)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use tempfile::TempDir;

    /// A folder with files `a` and `b` of the text `old`, and their rewriting; `b` moves to `c`.
    fn folder() -> (TempDir, Home, Vec<Written>) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::locate(Some(&folder.path().join("state"))).unwrap();
        home.create().unwrap();
        let file = |name: &str, moved: Option<&str>| {
            let path = folder.path().join(name);
            fs::write(&path, "old").unwrap();
            let moved = moved.map(|name| folder.path().join(name));
            Written { path, moved, old: "old".to_owned(), new: "new".to_owned() }
        };
        let files = vec![file("a", None), file("b", Some("c"))];
        (folder, home, files)
    }

    /// Names and texts of the files in a folder.
    fn texts(folder: &TempDir) -> String {
        let mut found: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| format!("{}={}", path.file_name().unwrap().display(), fs::read_to_string(&path).unwrap()))
            .collect();
        found.sort();
        found.join(" ")
    }

    fn finished(home: &Home) -> usize {
        let notes = unfinished(home).unwrap();
        let count = notes.len();
        for note in notes {
            let files: Vec<Written> = serde_json::from_slice(&fs::read(&note.place).unwrap()).unwrap();
            for file in &files {
                finish_file(file).unwrap();
            }
            note.done().unwrap();
        }
        count
    }

    #[test]
    fn nothing_is_written_where_a_file_was_changed_meanwhile() {
        let (folder, home, files) = folder();
        fs::write(folder.path().join("b"), "somebody else's").unwrap();
        let failure = write(&home, &files).unwrap_err();
        assert!(failure.diagnostics[0].message.contains("it was changed while it was read"));
        assert_eq!(texts(&folder), "a=old b=somebody else's");
        fs::write(folder.path().join("b"), "old").unwrap();
        fs::write(folder.path().join("c"), "in the way").unwrap();
        assert!(write(&home, &files).unwrap_err().diagnostics[0].message.contains("something is there already"));
        fs::remove_file(folder.path().join("c")).unwrap();
        write(&home, &files).unwrap();
        assert_eq!(texts(&folder), "a=new c=new");
        assert!(!is_unfinished(&home).unwrap());
    }

    #[test]
    fn nothing_is_left_of_a_file_that_cannot_be_staged() {
        let (folder, home, files) = folder();
        fs::write(folder.path().join(".c.greylag"), "of the repository").unwrap();
        let failure = write(&home, &files).unwrap_err();
        assert!(failure.diagnostics[0].message.contains("is in the way"));
        assert_eq!(texts(&folder), ".c.greylag=of the repository a=old b=old");
        assert!(!is_unfinished(&home).unwrap());
    }

    #[test]
    fn what_a_dead_process_has_begun_is_finished() {
        // Dead after so many effects: a note, two files beside, two renames, the old path gone.
        for effects in 0..=4 {
            let (folder, home, files) = folder();
            let note = Note::new(&home, &files).unwrap();
            let staged: Vec<PathBuf> = files.iter().take(effects).map(|file| stage(file).unwrap()).collect();
            for (file, beside) in files.iter().zip(&staged).take(effects.saturating_sub(2)) {
                fs::rename(beside, file.target()).unwrap();
            }
            assert_eq!(unfinished(&home).unwrap().len(), 0, "its process is alive");
            drop(note);
            assert_eq!(finished(&home), 1);
            assert_eq!(texts(&folder), "a=new c=new", "after {effects} effects");
            assert!(!is_unfinished(&home).unwrap());
        }
    }

    #[test]
    fn what_was_changed_since_is_left_alone() {
        let (folder, home, files) = folder();
        drop(Note::new(&home, &files).unwrap());
        fs::write(folder.path().join("a"), "mine").unwrap();
        assert_eq!(finished(&home), 1);
        assert_eq!(texts(&folder), "a=mine c=new");
    }
}
