//! Projects of dbt whose templates can go in more ways than are looked at, and the questions that make the ways.
//!
//! A question about the target or a variable can be settled by a word in `.greylag.yaml`, so an owner is told which to write first:
//! those that most of the templates in question ask.

use super::settings::FILE;
use crate::dbt::Project;
use greylag_model::code::repository as code;
use greylag_model::diagnostic::{Diagnostic, Place};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Questions that are named.
const NAMED: usize = 3;

/// A project of which not all ways were looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cut {
    /// Its folder.
    root: String,
    /// Its templates.
    templates: u64,
    /// Those that can go in more ways.
    truncated: u64,
    /// How many of these ask for what, of what can be said.
    asked: Vec<(Subject, u64)>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Subject {
    /// A key of the target.
    Target(String),
    /// A variable.
    Var(String),
}

impl Cut {
    /// What is cut of a project; nothing of one whose templates do not ask what can be said.
    pub(super) fn of(root: &str, project: &Project) -> Option<Self> {
        let of_templates = || project.nodes.iter().filter(|node| !node.renderings.is_empty());
        let (mut truncated, mut asked) = (0, BTreeMap::<Subject, u64>::new());
        for node in of_templates().filter(|node| node.truncated || node.in_threes) {
            let decisions = node.renderings.iter().flat_map(|way| &way.decisions);
            let subjects: BTreeSet<Subject> = decisions.flat_map(|decision| subjects(&decision.what)).collect();
            truncated += u64::from(!subjects.is_empty());
            for subject in subjects {
                *asked.entry(subject).or_default() += 1;
            }
        }
        let asked = asked.into_iter().collect();
        let cut = Self { root: root.to_owned(), templates: of_templates().count() as u64, truncated, asked };
        (truncated > 0).then_some(cut)
    }

    /// What its owner is told.
    pub(super) fn told(&self, paths: &[String]) -> Diagnostic {
        let mut asked: Vec<(&Subject, u64)> = self.asked.iter().map(|(subject, count)| (subject, *count)).collect();
        asked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        asked.truncate(NAMED);
        let named = asked.iter().map(|(subject, count)| format!("{} ({count})", subject.words()));
        let named = named.collect::<Vec<_>>().join(", ");
        let Self { templates, truncated, .. } = self;
        let message = format!(
            "{truncated} of {templates} templates of a dbt project can go in more ways than are looked at; most ask for {named}"
        );
        let at =
            if self.root.is_empty() { "dbt_project.yml".to_owned() } else { format!("{}/dbt_project.yml", self.root) };
        let is_alone = !paths.iter().any(|path| *path != at && path.ends_with("/dbt_project.yml"));
        let place = Place { file: at, line: 1, column: 1, span: (0, 0) };
        let said = self.said(&asked, is_alone || self.root.is_empty());
        let hint = format!("say in `{FILE}` what is the same in every run that matters: `{said}`");
        Diagnostic::warning(code::TARGET_OPEN, message).at(Some(place)).hint(hint)
    }

    /// What is to be written into the repository's settings.
    fn said(&self, asked: &[(&Subject, u64)], is_of_all: bool) -> String {
        let of = |key: &str, name: &dyn Fn(&Subject) -> Option<String>| {
            let words: Vec<String> = asked.iter().filter_map(|(subject, _)| name(subject)).collect();
            (!words.is_empty()).then(|| format!("{key}: {{{}}}", words.join(", ")))
        };
        let target = of("target", &|subject| match subject {
            Subject::Target(key) => Some(format!("{key}: …")),
            Subject::Var(_) => None,
        });
        let vars = of("vars", &|subject| match subject {
            Subject::Var(name) => Some(format!("{name}: …")),
            Subject::Target(_) => None,
        });
        let said = [target, vars].into_iter().flatten().collect::<Vec<_>>().join(", ");
        if is_of_all { format!("dbt: {{{said}}}") } else { format!("dbt: {{projects: {{{}: {{{said}}}}}}}", self.root) }
    }
}

impl Subject {
    fn words(&self) -> String {
        match self {
            Self::Target(key) => format!("`target.{key}`"),
            Self::Var(name) => format!("`var('{name}')`"),
        }
    }
}

/// What a question asks for, of what can be said.
fn subjects(question: &str) -> Vec<Subject> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let word = |text: &str| text.chars().take_while(|letter| is_word(*letter)).collect::<String>();
    let mut found = Vec::new();
    for begin in ["target.", "var("] {
        for (at, _) in question.match_indices(begin) {
            let is_inside = question[..at].chars().next_back().is_some_and(|before| is_word(before) || before == '.');
            let word = word(&question[at + begin.len()..]);
            if is_inside || word.is_empty() {
                continue;
            }
            found.push(if begin == "var(" { Subject::Var(word) } else { Subject::Target(word) });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Subject, subjects};

    #[test]
    fn questions_ask_for_the_target_and_for_variables() {
        let asked = |question: &str| subjects(question).iter().map(Subject::words).collect::<Vec<_>>().join(" ");
        assert_eq!(asked("target.name == 'prod'"), "`target.name`");
        assert_eq!(asked("var(days) > target.threads"), "`target.threads` `var('days')`");
        assert_eq!(asked("env_var(X) == my_target.name and a.target.b"), "");
        assert_eq!(asked("is_incremental()"), "");
    }
}
