//! References as git stores them in files, read without a process.
//!
//! Where a branch is gets asked a dozen times for one change request, and a process costs a hundred times what the answer
//! does. So the two plain forms are read here, as `gitrepository-layout(5)` and `git-pack-refs(1)` describe them: a file of a
//! branch's own that holds an id, and a line of `packed-refs`. Whatever looks different (a symbolic reference, another
//! format of references, a file that cannot be read) is not guessed at: git is asked. Nothing is ever written here.
//!
//! **Invariant:** what is told was true at some moment during the call. A branch has a file of its own from when it moves to
//! when it is packed, and `packed-refs` is in place before that file goes; so its own file is read first.

use super::object::ObjectId;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Longest file that holds a reference, and longest list of packed ones: beyond it git is asked.
const LONGEST: [u64; 2] = [1 << 10, 4 << 20];

/// What the files say of a reference.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// It is here.
    At(ObjectId),
    /// There is none.
    Nowhere,
    /// Only git can tell.
    Unknown,
}

/// Where a branch is. Its name must have been checked.
pub(super) fn branch(folder: &Path, name: &str) -> Stored {
    let name = format!("refs/heads/{name}");
    match read(&folder.join(&name), LONGEST[0]) {
        Ok(text) => text.and_then(|text| id(text.strip_suffix('\n')?)).map_or(Stored::Unknown, Stored::At),
        Err(ErrorKind::NotFound) => packed(folder, &name),
        Err(_) => Stored::Unknown,
    }
}

/// The branch that its users see first, if the files say it plainly.
pub(super) fn head(folder: &Path) -> Option<String> {
    let text = read(&folder.join("HEAD"), LONGEST[0]).ok()??;
    text.strip_prefix("ref: refs/heads/")?.strip_suffix('\n').map(str::to_owned)
}

fn packed(folder: &Path, name: &str) -> Stored {
    let text = match read(&folder.join("packed-refs"), LONGEST[1]) {
        Ok(Some(text)) => text,
        Ok(None) => return Stored::Unknown,
        // A folder that is no branch's, or a list, must be there for this to be a repository of this format.
        Err(ErrorKind::NotFound) if folder.join("refs/heads").is_dir() => return Stored::Nowhere,
        Err(_) => return Stored::Unknown,
    };
    let of_name = text.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' '));
    of_name.map_or(Stored::Nowhere, |text| id(text).map_or(Stored::Unknown, Stored::At))
}

/// A regular file's text; none if it is something else, too long or no text.
fn read(path: &Path, longest: u64) -> Result<Option<String>, ErrorKind> {
    let kind = |error: std::io::Error| error.kind();
    if !fs::symlink_metadata(path).map_err(kind)?.is_file() {
        return Ok(None);
    }
    let mut text = Vec::new();
    fs::File::open(path).and_then(|file| file.take(longest + 1).read_to_end(&mut text)).map_err(kind)?;
    Ok(String::from_utf8(text).ok().filter(|text| text.len() as u64 <= longest))
}

fn id(text: &str) -> Option<ObjectId> {
    ObjectId::parse(text).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Stored, branch, head};
    use crate::git::ObjectId;
    use std::fs;

    #[test]
    fn plain_forms_are_read_and_git_is_asked_of_all_others() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let at = |letter: &str| Stored::At(ObjectId::parse(&letter.repeat(40)).unwrap());
        let told = |name: &str| branch(folder.path(), name);
        write("refs/heads/main", &format!("{}\n", "a".repeat(40)));
        assert_eq!((told("main"), told("other")), (at("a"), Stored::Nowhere));
        let packed = format!("# pack-refs with: peeled fully-peeled sorted \n{} refs/heads/x/other\n", "c".repeat(40));
        write(
            "packed-refs",
            &format!("{packed}{} refs/heads/other\n{} refs/heads/main\n", "b".repeat(40), "d".repeat(40)),
        );
        assert_eq!((told("main"), told("other"), told("x/other")), (at("a"), at("b"), at("c")));
        assert_eq!((told("oth"), told("x")), (Stored::Nowhere, Stored::Nowhere));
        write("refs/heads/symbolic", "ref: refs/heads/main\n");
        write("refs/heads/cut", &"a".repeat(40));
        write("refs/heads/short", "abc\n");
        write("refs/heads/long", &"a".repeat(2_000));
        std::os::unix::fs::symlink("main", folder.path().join("refs/heads/link")).unwrap();
        for name in ["symbolic", "cut", "short", "long", "link", "main/below"] {
            assert_eq!(told(name), Stored::Unknown, "{name}");
        }
        write("HEAD", "ref: refs/heads/trunk\n");
        assert_eq!(head(folder.path()).as_deref(), Some("trunk"));
        write("HEAD", &format!("{}\n", "a".repeat(40)));
        assert_eq!(head(folder.path()), None);
    }

    #[test]
    fn another_format_of_references_is_gits_matter() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("refs")).unwrap();
        fs::write(folder.path().join("refs/heads"), "this repository uses the reftable format\n").unwrap();
        assert_eq!(branch(folder.path(), "main"), Stored::Unknown);
        fs::remove_file(folder.path().join("refs/heads")).unwrap();
        assert_eq!(branch(folder.path(), "main"), Stored::Unknown);
    }
}
