//! Which paths of a repository are plain.
//!
//! A tree of git can hold any name. What a checkout on some system would take for `.git` (in any case, by its short name
//! on NTFS, with characters that HFS+ ignores), what leads out of the tree, and what would not be seen as it is when it is
//! printed is no plain name: such entries are in no [`Tree`](crate::tree::Tree), and no such path is ever written.

use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;

/// Longest path, as most systems have it.
pub(super) const LONGEST: usize = 4_096;

/// Says why a path is none that may be written.
pub fn check(path: &str) -> Result<(), DriverError> {
    let why = if path.is_empty() {
        "it is empty"
    } else if path.len() > LONGEST {
        "it is longer than 4096 bytes"
    } else if path.starts_with('/') {
        "it is absolute"
    } else if path.chars().any(is_hidden) {
        "it has control characters"
    } else if let Some(part) = path.split('/').find(|part| !is_plain(part.as_bytes())) {
        return Err(refused(path, &format!("its part `{}` is reserved", part.escape_debug())));
    } else {
        return Ok(());
    };
    Err(refused(path, why))
}

pub(crate) fn refused(path: &str, why: &str) -> DriverError {
    let shown: String = path.chars().take(200).collect();
    DriverError::denied(code::GIT_PATH, format!("the path `{}` is not written: {why}", shown.escape_debug()))
}

/// Whether an entry of a tree with this name can be told by a path and is what it seems.
pub fn is_plain(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    if name.is_empty() || name == "." || name == ".." || name.len() > LONGEST {
        return false;
    }
    !name.chars().any(|letter| is_hidden(letter) || matches!(letter, '/' | '\\')) && !is_dot_git(name)
}

/// Whether some system takes this name for `.git`, or for the folder itself or the one above it.
fn is_dot_git(name: &str) -> bool {
    // HFS+ leaves out characters that join or direct others.
    let seen: String = name.chars().filter(|letter| !is_ignored(*letter)).collect();
    // NTFS ends names at a colon (a stream), and drops dots and spaces at their end.
    let seen = seen.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    seen.eq_ignore_ascii_case(".git") || seen.eq_ignore_ascii_case("git~1") || seen.is_empty()
}

/// What HFS+ ignores in a name.
fn is_ignored(letter: char) -> bool {
    matches!(letter, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// What is not seen, or turns round what is seen, when it is printed.
fn is_hidden(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::{check, is_plain};
    use proptest::prelude::*;

    #[test]
    fn plain_paths_are_written() {
        for path in ["a", "models/a b.sql", ".github/x", ".gitignore", "git", "é/日本", "a..b", "git~2", "a.git"] {
            assert!(check(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn others_are_not() {
        let paths = [
            "",
            "/a",
            "a//b",
            "a/",
            "..",
            "a/../b",
            "./a",
            ".git",
            ".GIT/config",
            "a/.Git/hooks/x",
            "git~1",
            "GIT~1/x",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".git\u{200d}/a",
            ".git.",
            ".git ",
            ".git. .",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            "a\nb",
            "a\u{1b}[2J",
            "a\0",
            "a\\b",
            "..\\a",
            "a\u{202e}b",
            "a\u{2067}",
            ".. ",
            "...",
            "\u{85}",
        ];
        for path in paths {
            assert!(check(path).is_err(), "{path:?}");
        }
        assert!(check(&"a/".repeat(4_000)).is_err());
        assert!(!is_plain(b"\xff"));
    }

    proptest! {
        #[test]
        fn no_checked_path_leads_out(path in "[./a-cA-C~1:git\\\\\u{200c} ]{0,12}") {
            if check(&path).is_ok() {
                let inside = std::path::Path::new(&path)
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(name) if !name.eq_ignore_ascii_case(".git")));
                prop_assert!(inside, "{path}");
            }
        }
    }
}
