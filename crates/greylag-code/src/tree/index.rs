//! The paths that a work tree's index has: what git tracks.
//!
//! Read as the format is published (`gitformat-index`), versions 2 to 4, with ids of 20 or of 32 bytes. An index that is split or
//! sparse does not name all paths, and is not read.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// Longest index that is read.
const LONGEST: u64 = 512 << 20;
/// Bytes of an entry before its id.
const STAT: usize = 40;

/// What is tracked, by the folder `.git`; none if that cannot be told. A repository that has no index yet tracks nothing.
pub(super) fn tracked(git: &Path) -> io::Result<Option<BTreeSet<Vec<u8>>>> {
    // A file or a link leads out of the tree.
    if !fs::symlink_metadata(git)?.is_dir() {
        return Ok(None);
    }
    let index = git.join("index");
    match fs::symlink_metadata(&index) {
        Ok(found) if found.is_file() && found.len() <= LONGEST => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(BTreeSet::new())),
        Err(error) => return Err(error),
    }
    let bytes = fs::read(index)?;
    Ok(paths(&bytes, 20).or_else(|| paths(&bytes, 32)))
}

/// The paths of an index whose ids have so many bytes; none if it is none, or does not name all.
fn paths(bytes: &[u8], digest: usize) -> Option<BTreeSet<Vec<u8>>> {
    let body = bytes.get(..bytes.len().checked_sub(digest)?)?;
    let number = |at: usize| Some(u32::from_be_bytes(body.get(at..at + 4)?.try_into().ok()?));
    let version = number(4)?;
    if body.get(..4)? != b"DIRC" || !(2..=4).contains(&version) {
        return None;
    }
    let mut found = BTreeSet::new();
    let (mut at, mut last) = (12, Vec::new());
    for _ in 0..number(8)? {
        let flags = u16::from_be_bytes(body.get(at + STAT + digest..at + STAT + digest + 2)?.try_into().ok()?);
        let more = if version >= 3 && flags & 0x4000 != 0 { 2 } else { 0 };
        let mut name = at + STAT + digest + 2 + more;
        if version == 4 {
            let (strip, next) = varint(body, name)?;
            last.truncate(last.len().checked_sub(strip)?);
            name = next;
        } else {
            last.clear();
        }
        let length = body.get(name..)?.iter().position(|byte| *byte == 0)?;
        last.extend_from_slice(body.get(name..name + length)?);
        let end = name + length;
        // All but the last version fill entries up to a multiple of eight with one to eight zeros.
        at = if version == 4 { end + 1 } else { at + (end - at) / 8 * 8 + 8 };
        if last.is_empty() || last.ends_with(b"/") {
            return None;
        }
        found.insert(last.clone());
    }
    extensions(body, at).then_some(found)
}

/// Whether what follows the entries is extensions and nothing else, none of which says that paths are elsewhere.
fn extensions(body: &[u8], mut at: usize) -> bool {
    while at < body.len() {
        let (Some(name), Some(length)) = (body.get(at..at + 4), body.get(at + 4..at + 8)) else { return false };
        if matches!(name, b"link" | b"sdir") || !name.iter().all(u8::is_ascii_alphabetic) {
            return false;
        }
        at += 8 + length.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
    }
    at == body.len()
}

/// A number as offsets in packs are written, and where it ends.
fn varint(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut byte = *bytes.get(at)?;
    let mut number = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        at += 1;
        byte = *bytes.get(at)?;
        number = number.checked_add(1)?.checked_mul(128)? | usize::from(byte & 0x7f);
    }
    Some((number, at + 1))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

    use super::tracked;
    use std::fs;
    use std::process::Command;

    /// What is read of an index that people's git has written, after some more commands.
    fn read(version: &str, format: &str, more: &[&[&str]]) -> Option<Vec<String>> {
        let root = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.args(["-c", &format!("index.version={version}"), "-c", "user.name=a", "-c", "user.email=a@b"]);
            command.args(arguments).current_dir(root.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
            assert!(command.status().unwrap().success(), "{arguments:?}");
        };
        git(&["init", "-q", "--object-format", format]);
        for path in ["a", "dir/one.sql", "dir/one.sql.old", "dir/other/two", "z".repeat(200).as_str()] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        git(&["add", "."]);
        for arguments in more {
            git(arguments);
        }
        let found = tracked(&root.path().join(".git")).unwrap()?;
        Some(found.into_iter().map(|path| String::from_utf8(path).unwrap()).collect())
    }

    #[test]
    fn all_versions_are_read() {
        let all = ["a", "dir/one.sql", "dir/one.sql.old", "dir/other/two"].map(str::to_owned);
        let all: Vec<String> = all.into_iter().chain(["z".repeat(200)]).collect();
        for format in ["sha1", "sha256"] {
            for version in ["2", "4"] {
                assert_eq!(read(version, format, &[]), Some(all.clone()), "{version} {format}");
            }
            // An entry that is only meant to be added has more flags, and so another version.
            let meant: &[&[&str]] = &[&["rm", "-q", "--cached", "a"], &["add", "-N", "a"]];
            assert_eq!(read("2", format, meant), Some(all.clone()), "3 {format}");
        }
    }

    #[test]
    fn one_that_does_not_name_all_is_not_read() {
        assert_eq!(read("2", "sha1", &[&["update-index", "--split-index"]]), None);
    }

    #[test]
    fn what_is_damaged_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        let git = root.path().join(".git");
        fs::create_dir(&git).unwrap();
        assert_eq!(tracked(&git).unwrap().map(|found| found.len()), Some(0));
        for bytes in [&b""[..], b"DIRC", b"DIRC\0\0\0\x02\xff\xff\xff\xff", &[b'x'; 400]] {
            fs::write(git.join("index"), bytes).unwrap();
            assert_eq!(tracked(&git).unwrap(), None, "{bytes:?}");
        }
    }
}
