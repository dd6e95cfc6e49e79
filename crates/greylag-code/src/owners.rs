//! Whose code is, as its repository says: `catalog-info.yaml`, and the files of code owners that forges read.
//!
//! In a file of code owners the last rule that fits a path counts, as it does on GitHub. Patterns are GitHub's: those of `.gitignore`
//! without exceptions and sets of letters. The first owner named stands; `@org/team` is the group `team`, `@name` the user `name`, and an
//! address of e-mail is nobody whom a catalog knows. A rule without owners takes a file from everybody, unless it stands in a section of
//! GitLab's that names some for all of its rules. Lines that cannot be read say nothing, and are counted.
//!
//! **Hostile files.** A file that is longer than what GitHub reads says nothing, and neither do rules beyond a number of them. How long
//! it takes to find whose a path is is bounded for each path by itself: beyond that it is nobody's, whatever else was asked.

mod pattern;

use crate::tree::Tree;
use greylag_model::entity::name::is_name;
use greylag_model::spec::LIMITS;
use greylag_model::yaml;
use pattern::{Pattern, Steps};
use std::io;

/// Where forges look for owners of code; the first that is there counts.
const FILES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];
/// The descriptor in the root.
const DESCRIPTOR: &str = "catalog-info.yaml";
/// Longest file of owners; a longer one GitHub does not read either.
const LONGEST: usize = 3 << 20;
/// Most rules.
const RULES: usize = 20_000;
/// Longest pattern.
const PATTERN: usize = 1_024;
/// Most steps to find whose a file is.
const STEPS: u64 = 2_000_000;

/// Whose the files of a repository are.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// The component that the repository says it is.
    pub(crate) name: Option<String>,
    /// Its owner.
    pub(crate) owner: Option<String>,
    /// The file of owners, if there is one.
    pub(crate) file: Option<&'static str>,
    /// Lines of it that cannot be read.
    pub(crate) unread: u64,
    /// Patterns with their owners, the last one that fits counts.
    rules: Vec<(Pattern, Option<String>)>,
}

impl Owners {
    /// What a repository says.
    pub(crate) fn of(tree: &dyn Tree) -> io::Result<Self> {
        let mut owners = Self::default();
        if let Some(bytes) = tree.read(DESCRIPTOR)? {
            let stream = yaml::read_bytes(DESCRIPTOR, &bytes, &LIMITS);
            let components = stream.documents.iter().map(yaml::Document::root);
            let component = components
                .filter(|root| root.get("kind").and_then(yaml::Node::as_str) == Some("Component"))
                .find_map(|root| Some((root.get("metadata")?.get("name")?.as_str()?.to_owned(), root.get("spec"))));
            if let Some((name, spec)) = component {
                owners.owner = spec.and_then(|spec| spec.get("owner")?.as_str()).map(str::to_owned);
                owners.name = Some(name);
            }
        }
        for path in FILES {
            if let Some(bytes) = tree.read(path)? {
                owners.file = Some(path);
                owners.read(&bytes);
                break;
            }
        }
        Ok(owners)
    }

    /// Whose a file is: by the last rule that fits it, else as the whole.
    pub(crate) fn of_file(&self, path: &str) -> Option<String> {
        let parts: Vec<Vec<char>> = path.split('/').map(|part| part.chars().collect()).collect();
        let mut steps = Steps(STEPS);
        for (pattern, owner) in self.rules.iter().rev() {
            if pattern.fits(&parts, &mut steps)? {
                return owner.clone();
            }
        }
        self.owner.clone()
    }

    /// Reads the lines of a file of owners.
    fn read(&mut self, bytes: &[u8]) {
        if bytes.len() > LONGEST {
            self.unread = bytes.split(|byte| *byte == b'\n').count() as u64;
            return;
        }
        // The owners that the section names for its rules.
        let mut shared = None;
        for line in String::from_utf8_lossy(bytes).lines() {
            match Line::of(line) {
                Line::Nothing => {}
                Line::Section { owner } => shared = owner,
                Line::Rule { pattern, owner, is_bare } if self.rules.len() < RULES => {
                    let owner = if is_bare { shared.clone() } else { owner };
                    self.rules.push((Pattern::of(&pattern), owner));
                }
                Line::Rule { .. } | Line::Unread => self.unread += 1,
            }
        }
    }
}

/// A line of a file of owners.
enum Line {
    /// It is empty, or a comment.
    Nothing,
    /// A section of GitLab's begins, perhaps with an owner for its rules.
    Section { owner: Option<String> },
    /// Files have an owner, if the line names one whom a catalog may know; `is_bare` if it names nobody at all.
    Rule { pattern: String, owner: Option<String>, is_bare: bool },
    /// It cannot be read.
    Unread,
}

impl Line {
    fn of(line: &str) -> Self {
        let words = words(line);
        let Some((first, rest)) = words.split_first() else { return Self::Nothing };
        if first.starts_with('[') || first.starts_with("^[") {
            return section(line).unwrap_or(Self::Unread);
        }
        if first.starts_with('!') || first.contains('[') || first.len() > PATTERN {
            return Self::Unread;
        }
        let known = rest.iter().find_map(owner);
        // An address has its `@` within.
        let is_address = |word: &String| word.find('@').is_some_and(|at| at > 0);
        match (known, rest) {
            (None, []) => Self::Rule { pattern: first.clone(), owner: None, is_bare: true },
            (None, rest) if !rest.iter().any(is_address) => Self::Unread,
            (owner, _) => Self::Rule { pattern: first.clone(), owner, is_bare: false },
        }
    }
}

/// `[Name]`, `^[Name with spaces]`, `[Name][2] @owner`.
fn section(line: &str) -> Option<Line> {
    let (_, behind) = line.split_once(']')?;
    let count = behind.strip_prefix('[').and_then(|count| count.split_once(']'));
    let owners = match count {
        Some((count, owners)) if count.bytes().all(|byte| byte.is_ascii_digit()) => owners,
        _ => behind,
    };
    let ends = owners.is_empty() || owners.starts_with(char::is_whitespace);
    ends.then(|| Line::Section { owner: owners.split_whitespace().find_map(owner) })
}

/// The words of a line up to a comment; a backslash takes the meaning from the letter behind it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next()),
            '#' if word.is_empty() => break,
            letter if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            letter => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The reference of an owner.
fn owner(word: impl AsRef<str>) -> Option<String> {
    let name = word.as_ref().strip_prefix('@')?;
    let (kind, name) = match name.rsplit_once('/') {
        Some((_, team)) => ("group", team),
        None => ("user", name),
    };
    is_name(name).then(|| format!("{kind}:default/{}", name.to_lowercase()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::tree::MemoryTree;

    fn owners(text: &str) -> Owners {
        Owners::of(&MemoryTree::new([("CODEOWNERS", text)])).unwrap()
    }

    #[test]
    fn the_last_pattern_that_fits_says_whose_a_file_is() {
        let text = "# owners\n* @org/everybody\n*.sql @org/Data @ada\n/jobs/ @ben\nmodels/**/marts @org/marts # late\n\
                    docs/* ada@example.com @cleo\n/jobs/free.sql\n/mail.sql dan@example.com\nwith\\ space/ @eve\n";
        let owners = owners(text);
        for (path, owner) in [
            ("readme.md", Some("group:default/everybody")),
            ("a/b.sql", Some("group:default/data")),
            ("jobs/daily.sql", Some("user:default/ben")),
            ("other/jobs/daily.sql", Some("group:default/data")),
            ("jobs/free.sql", None),
            ("mail.sql", None),
            ("models/marts/x.sql", Some("group:default/marts")),
            ("models/a/b/marts/deep/x.sql", Some("group:default/marts")),
            ("docs/x.md", Some("user:default/cleo")),
            ("docs/deep/x.md", Some("group:default/everybody")),
            ("with space/x.sql", Some("user:default/eve")),
        ] {
            assert_eq!(owners.of_file(path).as_deref(), owner, "{path}");
        }
        assert_eq!(owners.unread, 0);
    }

    #[test]
    fn sections_of_gitlab_are_read_and_what_cannot_be_read_is_counted() {
        let text = "* @org/all\n[Data team][2] @org/data\n*.sql\nfree/ @ada\n^[Docs]\n*.md\n[open\n!x.sql @ada\n\
                    [ab].sql @ada\nnobody.sql somebody\nodd.sql @or!g\n";
        let owners = owners(text);
        for (path, owner) in [
            ("a.py", Some("group:default/all")),
            ("a.sql", Some("group:default/data")),
            ("free/a.py", Some("user:default/ada")),
            ("readme.md", None),
            ("nobody.sql", Some("group:default/data")),
        ] {
            assert_eq!(owners.of_file(path).as_deref(), owner, "{path}");
        }
        assert_eq!(owners.unread, 5);
    }

    #[test]
    fn the_file_of_the_first_place_counts() {
        let files = [".gitlab/CODEOWNERS", "docs/CODEOWNERS", "CODEOWNERS", ".github/CODEOWNERS"];
        for count in 1..=files.len() {
            let files: Vec<(&str, String)> =
                files[..count].iter().map(|path| (*path, format!("* @n{}", path.len()))).collect();
            let tree = MemoryTree::new(files.iter().map(|(path, text)| (*path, text.as_str())));
            let last = files.last().unwrap();
            let owners = Owners::of(&tree).unwrap();
            assert_eq!(
                (owners.file, owners.of_file("a")),
                (Some(last.0), Some(format!("user:default/n{}", last.0.len())))
            );
        }
    }

    #[test]
    fn the_descriptor_says_whose_the_rest_is() {
        let descriptor =
            "kind: Group\nmetadata: {name: x}\n---\nkind: Component\nmetadata: {name: reports}\nspec: {owner: crm}\n";
        let owners = Owners::of(&MemoryTree::new([("catalog-info.yaml", descriptor)])).unwrap();
        assert_eq!((owners.name.as_deref(), owners.of_file("a.sql").as_deref()), (Some("reports"), Some("crm")));
    }

    /// Files that are written to take long, or to be long, end all the same, and what one path is told does not hang on the others.
    #[test]
    fn hostile_files_of_owners_say_nothing() {
        let slow = owners(&format!("* @ada\n{}", format!("**/{}b @ben\n", "*a".repeat(400)).repeat(2_000)));
        let deep = format!("{}/x.sql", vec!["a".repeat(200); 15].join("/"));
        assert_eq!(slow.of_file(&deep), None);
        assert_eq!(slow.of_file("x.sql").as_deref(), Some("user:default/ada"));
        let many = owners(&"*.sql @ada\n".repeat(RULES + 3));
        assert_eq!((many.rules.len(), many.unread), (RULES, 3));
        let long = owners(&"# x\n".repeat(LONGEST / 4 + 1));
        assert!(long.rules.is_empty() && long.unread > 0);
        assert_eq!(owners(&format!("{} @ada\n", "a".repeat(PATTERN + 1))).unread, 1);
    }
}
