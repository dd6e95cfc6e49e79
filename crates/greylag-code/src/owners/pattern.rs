//! Patterns of paths in files of code owners.

/// A pattern of paths: parts with `*` and `?`, and `**` for any number of them.
#[derive(Debug)]
pub(super) struct Pattern {
    parts: Vec<Vec<char>>,
    /// Whether only a folder fits it.
    folder: bool,
}

/// Steps that may still be taken to find whose a file is. Who writes the patterns decides how many they take, so they are counted.
#[derive(Debug)]
pub(super) struct Steps(pub(super) u64);

impl Steps {
    /// Takes some; `None` if that are more than there are left.
    fn take(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.checked_sub(count as u64)?;
        Some(())
    }
}

impl Pattern {
    /// Reads one. With a `/` that is not its last letter it begins at the root, else anywhere.
    pub(super) fn of(text: &str) -> Self {
        let inner = text.trim_matches('/');
        let anchored = text.starts_with('/') || inner.contains('/');
        let any = (!anchored).then(|| vec!['*', '*']);
        let parts = any.into_iter().chain(inner.split('/').map(|part| part.chars().collect()));
        Self { parts: parts.collect(), folder: text.ends_with('/') }
    }

    /// Whether a path, or a folder that it lies in, fits; `None` if there are no steps left to tell.
    pub(super) fn fits(&self, path: &[Vec<char>], steps: &mut Steps) -> Option<bool> {
        // Which of the first parts of the path fit the first parts of the pattern.
        let mut fits = vec![false; path.len() + 1];
        fits[0] = true;
        for part in &self.parts {
            steps.take(fits.len())?;
            if !fits.contains(&true) {
                return Some(false);
            }
            let mut next = vec![false; path.len() + 1];
            if part.as_slice() == ['*', '*'] {
                let mut reached = false;
                for (at, fit) in fits.iter().enumerate() {
                    reached |= fit;
                    next[at] = reached;
                }
            } else {
                for (at, name) in path.iter().enumerate().filter(|(at, _)| fits[*at]) {
                    next[at + 1] = is_like(part, name, steps)?;
                }
            }
            fits = next;
        }
        // `*` at the end is for files of that folder and not for what lies deeper.
        let whole_only = self.parts.last().is_some_and(|last| last.as_slice() == ['*']);
        let fits = (1..=path.len()).any(|length| {
            fits[length] && (length < path.len() || !self.folder) && (!whole_only || length == path.len())
        });
        Some(fits)
    }
}

/// Whether a name is like a pattern with `*` and `?`. Only the last star that was met is ever tried again, with one letter more: what
/// lies before it fits as early as it can.
fn is_like(pattern: &[char], name: &[char], steps: &mut Steps) -> Option<bool> {
    let (mut at, mut of) = (0, 0);
    // Behind a star, and the first letter that it does not stand for.
    let mut star: Option<(usize, usize)> = None;
    while of < name.len() {
        steps.take(1)?;
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                star = Some((at, of));
            }
            Some(letter) if *letter == '?' || *letter == name[of] => {
                at += 1;
                of += 1;
            }
            _ => {
                let Some((behind, first)) = star else { return Some(false) };
                star = Some((behind, first + 1));
                (at, of) = (behind, first + 1);
            }
        }
    }
    Some(pattern[at..].iter().all(|letter| *letter == '*'))
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Steps, is_like};

    fn letters(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    fn fits(pattern: &str, path: &str) -> bool {
        let path: Vec<Vec<char>> = path.split('/').map(letters).collect();
        Pattern::of(pattern).fits(&path, &mut Steps(100_000)).unwrap_or_default()
    }

    /// The rules that GitHub's documentation gives by example.
    #[test]
    fn patterns_are_those_of_github() {
        for (pattern, path, expected) in [
            ("*", "a/b.sql", true),
            ("*.js", "web/app.js", true),
            ("*.js", "web/app.jsx", false),
            ("/build/logs/", "build/logs/a/b", true),
            ("/build/logs/", "sub/build/logs/a", false),
            ("/build/logs/", "build/logs", false),
            ("docs/*", "docs/start.md", true),
            ("docs/*", "docs/build/start.md", false),
            ("docs/*", "sub/docs/start.md", false),
            ("**/docs/*", "sub/docs/start.md", true),
            ("**/docs/*", "sub/docs/build/start.md", false),
            ("apps/", "deep/apps/x", true),
            ("apps/", "apps", false),
            ("/apps/github", "apps/github/x", true),
            ("**/logs", "deep/deeper/logs/x", true),
            ("**/logs", "logs", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b/z", true),
            ("a/**", "a", true),
            ("models/*_v?.sql", "models/users_v1.sql", true),
            ("models/*_v?.sql", "models/users_v10.sql", false),
            ("Docs", "docs/a", false),
            ("/", "a", false),
            ("ü*", "ümlaut", true),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn stars_are_matched_without_going_back_far() {
        let mut steps = Steps(1_000_000);
        let (pattern, name) = (letters(&("*a".repeat(400) + "b")), letters(&"a".repeat(2_000)));
        assert_eq!(is_like(&pattern, &name, &mut steps), Some(false));
        assert!(steps.0 > 100_000, "{}", steps.0);
    }

    #[test]
    fn nothing_is_said_beyond_the_steps() {
        assert_eq!(is_like(&letters("*b"), &letters(&"a".repeat(100)), &mut Steps(50)), None);
    }
}
