//! Every error code has a page, every page a code, and every code a test or a source that uses it.

use super::{Finding, sources};
use crate::workspace::Workspace;

pub(super) fn check(workspace: &Workspace, files: &[String]) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for page in greylag_model::code::pages() {
        let path = format!("docs/errors/{}.md", page.code);
        if !files.contains(&path) {
            let words = "has no page; run `cargo xtask codegen`".to_owned();
            findings.push(Finding { place: path, words });
        }
    }
    let mut text = String::new();
    for path in sources(files).filter(|path| !path.starts_with("crates/greylag-model/src/code/")) {
        text.push_str(&workspace.read(path)?);
    }
    for path in sources(files).filter(|path| path.starts_with("crates/greylag-model/src/code/")) {
        for (number, line) in workspace.read(path)?.lines().enumerate() {
            let Some((name, rest)) = line.trim().split_once(" = ") else { continue };
            let is_code =
                name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_' || letter.is_ascii_digit())
                    && rest.starts_with(|digit: char| digit.is_ascii_digit());
            if is_code && !mentions(&text, name) {
                let words = format!("nothing raises `{name}`: use it or remove it");
                findings.push(Finding { place: format!("{path}:{}", number + 1), words });
            }
        }
    }
    Ok(findings)
}

/// Whether the text has the name as a whole word.
fn mentions(text: &str, name: &str) -> bool {
    let part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.match_indices(name).any(|(at, _)| !text[..at].ends_with(part) && !text[at + name.len()..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn whole_words_only() {
        assert!(mentions("code::IO)", "IO"));
        assert!(!mentions("code::IO_LIMIT, RATIO", "IO"));
    }
}
