//! Words that must not get into the repository: paths of somebody's machine, marks of unfinished work, conflict markers.

use super::Finding;
use crate::workspace::Workspace;

/// What must not occur, and why. Split here, so that this file does not find itself.
const WORDS: &[(&[&str], &str)] = &[
    (&["/ro", "ot/"], "is a path of somebody's machine"),
    (&["/wo", "rk/"], "is a path of somebody's machine"),
    (&["/tmp", "/gl/"], "is a path of somebody's machine"),
    (&["TO", "DO"], "marks unfinished work: finish it or file an issue"),
    (&["FIX", "ME"], "marks unfinished work: finish it or file an issue"),
    (&["XX", "X"], "marks unfinished work: finish it or file an issue"),
    (&["<<<<", "<<<"], "is a mark of a conflict"),
    (&[">>>>", ">>>"], "is a mark of a conflict"),
];

pub(super) fn check(workspace: &Workspace, files: &[String]) -> Result<Vec<Finding>, String> {
    let words: Vec<(String, &str)> = WORDS.iter().map(|(parts, why)| (parts.concat(), *why)).collect();
    let mut findings = Vec::new();
    for path in files.iter().filter(|path| !path.ends_with("Cargo.lock")) {
        let Ok(bytes) = std::fs::read(workspace.root.join(path)) else { continue };
        let Ok(text) = String::from_utf8(bytes) else { continue };
        findings.extend(find(path, &text, &words));
    }
    Ok(findings)
}

fn find(path: &str, text: &str, words: &[(String, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (word, why) in words.iter().filter(|(word, _)| stands_alone(line, word)) {
            findings.push(Finding { place: format!("{path}:{}", number + 1), words: format!("`{word}` {why}") });
        }
    }
    findings
}

/// Whether the word is in the line and is not a part of a longer one (`https://example.com/place/` is no path).
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == '.')
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn words_are_found_where_they_stand_alone() {
        let words = [("/place/".to_owned(), "is a path")];
        let text = "see https://example.com/place/x\ncp /place/me/x .\n";
        let found = find("a.md", text, &words);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].place.as_str(), found[0].words.as_str()), ("a.md:2", "`/place/` is a path"));
    }
}
