//! Layout of crates: one binary of integration tests at most (each links a query engine), no tests that are switched off,
//! no lint that is silenced without a reason.

use super::{Finding, sources};
use crate::workspace::Workspace;
use std::collections::BTreeMap;

pub(super) fn check(workspace: &Workspace, files: &[String]) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    let mut binaries: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for path in sources(files) {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["crates", name, "tests", _] => binaries.entry(name).or_default().push(path),
            ["crates", name, "tests", _, "main.rs"] => binaries.entry(name).or_default().push(path),
            _ => {}
        }
        findings.extend(lines(path, &workspace.read(path)?));
    }
    for paths in binaries.into_values().filter(|paths| paths.len() > 1) {
        let words = "is a second binary of integration tests: make it a module of `tests/it/main.rs`".to_owned();
        findings.push(Finding { place: paths[1].clone(), words });
    }
    Ok(findings)
}

fn lines(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |number: usize, words: &str| {
        findings.push(Finding { place: format!("{path}:{}", number + 1), words: words.to_owned() });
    };
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.starts_with("#[ignore]") {
            find(number, "a test is switched off: mend it, or say why it is slow with `#[ignore = \"nightly: …\"]`");
        } else if line.starts_with("#[ignore = ") && !line.contains("\"nightly: ") {
            find(number, "only slow tests may be left to `--nightly`: `#[ignore = \"nightly: …\"]`");
        } else if line.starts_with("#[allow(") || line.starts_with("#![allow(") {
            find(number, "silences a lint for ever: use `#[expect(…, reason = \"…\")]`");
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn attributes_that_hide_things_are_found() {
        let text =
            "#[ignore]\nfn a() {}\n    #[allow(dead_code)]\n#[ignore = \"nightly: an hour\"]\n#[ignore = \"flaky\"]\n";
        let places: Vec<String> = lines("a.rs", text).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["a.rs:1", "a.rs:3", "a.rs:5"]);
    }
}
