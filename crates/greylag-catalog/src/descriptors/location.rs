//! Targets of `Location` entities: relative paths, perhaps with `*` and `?` in the names.

use super::files::{Found, Gathered, Walk};
use greylag_model::code::catalog as code;
use greylag_model::diagnostic::{Diagnostic, Place};
use std::path::{Component, Path, PathBuf};

/// Reads the files that a target leads to. `from` is the file that names it: resolved, and as shown.
pub(super) fn follow(
    gathered: &mut Gathered,
    walk: Walk<'_>,
    from: (&Path, &Path),
    target: &str,
    place: &Place,
    chain: &mut Vec<PathBuf>,
) {
    let refuse = |gathered: &mut Gathered, what: &str, hint: &str| {
        let message = format!("the target `{target}` {what}");
        gathered.error(Diagnostic::error(code::ILLEGAL_TARGET, message).at(Some(place.clone())).hint(hint));
    };
    if target.contains("://") || target.starts_with("file:") {
        return refuse(gathered, "is an address", "write a path relative to the descriptor");
    }
    let relative = Path::new(target);
    if relative.is_absolute() {
        return refuse(gathered, "is an absolute path", "write a path relative to the descriptor");
    }
    let parent = |path: &Path| path.parent().map(Path::to_owned).unwrap_or_default();
    let mut matches = vec![(parent(from.0), parent(from.1))];
    for component in relative.components() {
        matches = match component {
            Component::CurDir => matches,
            Component::ParentDir => {
                matches.into_iter().map(|(path, shown)| (path.join(".."), shown.join(".."))).collect()
            }
            Component::Normal(name) => match name.to_str() {
                Some(pattern) if pattern.contains(['*', '?']) => {
                    matches.iter().flat_map(|(path, shown)| expand(walk, path, shown, pattern)).collect()
                }
                _ => matches.into_iter().map(|(path, shown)| (path.join(name), shown.join(name))).collect(),
            },
            Component::RootDir | Component::Prefix(_) => Vec::new(),
        };
    }
    let globbed = target.contains(['*', '?']);
    if globbed {
        matches.retain(|(path, _)| path.is_file());
    }
    if matches.is_empty() {
        return refuse(gathered, "matches no file", "look at the path; it starts at the descriptor that names it");
    }
    for (path, shown) in matches {
        // A pattern that also matches the file it stands in does not mean it.
        if globbed && path.canonicalize().is_ok_and(|resolved| resolved == from.0) {
            continue;
        }
        gathered.file(walk, &path, &shown, Found::Named, Some(place.clone()), chain);
    }
}

/// The entries of a directory below the root whose names match, in order; hidden ones only by a pattern that begins with
/// a dot. A directory outside the root is not even listed.
fn expand(walk: Walk<'_>, path: &Path, shown: &Path, pattern: &str) -> Vec<(PathBuf, PathBuf)> {
    if !path.canonicalize().is_ok_and(|resolved| resolved.starts_with(walk.root)) {
        return Vec::new();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| (!name.starts_with('.') || pattern.starts_with('.')) && matches(pattern, name));
    names.sort();
    names.into_iter().map(|name| (path.join(&name), shown.join(&name))).collect()
}

/// Whether a name matches a pattern of `*` (any letters) and `?` (one letter). Linear in memory, and at most quadratic in
/// time: on a mismatch only the last `*` takes one letter more.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < name.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, seen));
            at += 1;
        } else if pattern.get(at).is_some_and(|letter| *letter == '?' || *letter == name[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((after, taken)) = star {
            star = Some((after, taken + 1));
            at = after + 1;
            seen = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", ".yaml", true),
            ("*.yaml", "a.yml", false),
            ("a?c*", "abc", true),
            ("a?c*", "abd", false),
            ("**", "anything", true),
            ("", "", true),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xaxxbc", false),
            ("é?", "é日", true),
            (&"*a".repeat(50), &"a".repeat(49), false),
        ] {
            assert_eq!(matches(pattern, name), expected, "`{pattern}` on `{name}`");
        }
    }
}
