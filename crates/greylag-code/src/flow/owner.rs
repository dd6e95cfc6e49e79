//! Whose code is, as its repository says: `catalog-info.yaml`, and the files of code owners that forges read.
//!
//! In a file of code owners the last pattern that fits a path counts, as it does on GitHub and GitLab. Patterns are those of
//! `.gitignore` without exceptions. The first owner named stands; `@org/team` is the group `team`, `@name` the user `name`, and an
//! address of e-mail is nobody whom a catalog knows.

use crate::tree::Tree;
use greylag_model::spec::LIMITS;
use greylag_model::yaml;
use std::io;

/// Where forges look for owners of code.
const FILES: [&str; 4] = ["CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS"];
/// The descriptor in the root.
const DESCRIPTOR: &str = "catalog-info.yaml";

/// Whose the files of a repository are.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// The component that the repository says it is.
    pub(super) name: Option<String>,
    /// Its owner.
    pub(super) owner: Option<String>,
    /// Patterns with their owners, the last one that fits counts.
    rules: Vec<(Pattern, Option<String>)>,
}

impl Owners {
    /// What a repository says.
    pub(super) fn of(tree: &dyn Tree) -> io::Result<Self> {
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
                owners.rules = rules(&String::from_utf8_lossy(&bytes));
                break;
            }
        }
        Ok(owners)
    }

    /// Whose a file is: by the last rule that fits it, else as the whole.
    pub(super) fn of_file(&self, path: &str) -> Option<String> {
        let parts: Vec<&str> = path.split('/').collect();
        let rule = self.rules.iter().rev().find(|(pattern, _)| pattern.fits(&parts));
        rule.map_or_else(|| self.owner.clone(), |(_, owner)| owner.clone())
    }
}

/// The lines of a file of owners.
fn rules(text: &str) -> Vec<(Pattern, Option<String>)> {
    let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    let rules = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '[', '^', '!']));
    rules
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let pattern = Pattern::of(words.next()?);
            Some((pattern, words.find_map(owner)))
        })
        .collect()
}

/// The reference of an owner.
fn owner(word: &str) -> Option<String> {
    let name = word.strip_prefix('@')?;
    match name.rsplit_once('/') {
        Some((_, team)) => Some(format!("group:default/{}", team.to_lowercase())),
        None => Some(format!("user:default/{}", name.to_lowercase())),
    }
}

/// A pattern of paths.
#[derive(Debug)]
struct Pattern {
    /// Its parts; `**` stands for any number of them.
    parts: Vec<String>,
    /// Whether only a folder fits it.
    folder: bool,
}

impl Pattern {
    fn of(text: &str) -> Self {
        let folder = text.ends_with('/');
        let inner = text.trim_matches('/');
        let anchored = text.starts_with('/') || inner.contains('/');
        let any = (!anchored).then(|| "**".to_owned());
        Self { parts: any.into_iter().chain(inner.split('/').map(str::to_owned)).collect(), folder }
    }

    /// Whether a path, or a folder that it lies in, fits.
    fn fits(&self, path: &[&str]) -> bool {
        // Which of the first parts of the path fit the first parts of the pattern.
        let mut fits = vec![false; path.len() + 1];
        fits[0] = true;
        for part in &self.parts {
            let mut next = vec![false; path.len() + 1];
            if part == "**" {
                let mut reached = false;
                for (at, fit) in fits.iter().enumerate() {
                    reached |= fit;
                    next[at] = reached;
                }
            } else {
                for (at, name) in path.iter().enumerate() {
                    next[at + 1] = fits[at] && is_like(part, name);
                }
            }
            fits = next;
        }
        // `*` alone at the end is for files of that folder and not for what lies deeper.
        let whole_only =
            self.parts.last().is_some_and(|last| last == "*") && self.parts.len() > 1 && self.parts[0] != "**";
        (1..=path.len()).any(|length| {
            fits[length] && (length < path.len() || !self.folder) && (!whole_only || length == path.len())
        })
    }
}

/// Whether a name is like a pattern with `*` and `?`.
fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let mut fits = vec![false; name.len() + 1];
    fits[0] = true;
    for letter in pattern {
        let mut next = vec![false; name.len() + 1];
        let mut reached = false;
        for at in 0..=name.len() {
            reached |= fits[at];
            next[at] = match letter {
                '*' => reached,
                '?' => at > 0 && fits[at - 1],
                letter => at > 0 && fits[at - 1] && name[at - 1] == letter,
            };
        }
        fits = next;
    }
    fits[name.len()]
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::tree::MemoryTree;

    #[test]
    fn the_last_pattern_that_fits_says_whose_a_file_is() {
        let text = "# owners\n* @org/everybody\n*.sql @org/Data @ada\n/jobs/ @ben\nmodels/**/marts @org/marts # late\n\
                    docs/* ada@example.com @cleo\n/jobs/free.sql\n[Section]\n";
        let tree = MemoryTree::new([("CODEOWNERS", text)]);
        let owners = Owners::of(&tree).unwrap();
        for (path, owner) in [
            ("readme.md", Some("group:default/everybody")),
            ("a/b.sql", Some("group:default/data")),
            ("jobs/daily.sql", Some("user:default/ben")),
            ("other/jobs/daily.sql", Some("group:default/data")),
            ("jobs/free.sql", None),
            ("models/marts/x.sql", Some("group:default/marts")),
            ("models/a/b/marts/deep/x.sql", Some("group:default/marts")),
            ("docs/x.md", Some("user:default/cleo")),
            ("docs/deep/x.md", Some("group:default/everybody")),
        ] {
            assert_eq!(owners.of_file(path).as_deref(), owner, "{path}");
        }
    }

    #[test]
    fn the_descriptor_says_whose_the_rest_is() {
        let descriptor =
            "kind: Group\nmetadata: {name: x}\n---\nkind: Component\nmetadata: {name: reports}\nspec: {owner: crm}\n";
        let owners = Owners::of(&MemoryTree::new([("catalog-info.yaml", descriptor)])).unwrap();
        assert_eq!((owners.name.as_deref(), owners.of_file("a.sql").as_deref()), (Some("reports"), Some("crm")));
    }
}
