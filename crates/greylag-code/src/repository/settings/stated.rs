//! What somebody says of a project of dbt that stands in none of its files.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest word that is said of a target, in bytes.
const LONGEST: usize = 256;
/// Most words and variables that are said.
pub(super) const MOST: usize = 1_000;

/// What is said of a project. It is believed: what another target or another variable makes of the project is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stated {
    target: BTreeMap<String, String>,
    vars: BTreeMap<String, Value>,
}

/// Words of one kind of database for what all call otherwise: its kind, its word, the word of all. Templates are given both.
const OWN_WORDS: &[(&str, &str, &str)] = &[
    ("athena", "catalog", "database"),
    ("bigquery", "dataset", "schema"),
    ("bigquery", "project", "database"),
    ("databricks", "catalog", "database"),
    ("postgres", "dbname", "database"),
    ("redshift", "dbname", "database"),
    ("trino", "catalog", "database"),
];

impl Stated {
    /// Says something of the target: `name`, `schema`, `database`, `type` … What was said of it before is forgotten.
    ///
    /// # Errors
    /// The key is none, or the value is no plain word.
    pub fn say_target(&mut self, key: &str, value: &str) -> Result<(), String> {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if key.is_empty() || key.len() > LONGEST || !key.chars().all(is_letter) {
            return Err(format!("`{}` is no key of a target: write e.g. `schema`", key.escape_default()));
        }
        if value.is_empty() || value.len() > LONGEST || value.chars().any(char::is_control) {
            return Err(format!("`{key}` of a target is a word of 1 to {LONGEST} bytes"));
        }
        if value.contains("{{") || value.contains("{%") {
            return Err(format!("`{key}` of a target is a plain word: a template is not rendered here"));
        }
        let common = OWN_WORDS.iter().find(|(_, own, _)| *own == key).map_or(key, |(_, _, common)| common);
        for (_, own, _) in OWN_WORDS.iter().filter(|(_, _, of)| *of == common) {
            self.target.remove(*own);
        }
        for key in [key, common] {
            self.target.insert(key.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// Says what a variable is.
    ///
    /// # Errors
    /// There is no such name of a variable.
    pub fn say_var(&mut self, name: &str, value: Value) -> Result<(), String> {
        if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
            return Err(format!("`{}` is no name of a variable", name.escape_default()));
        }
        self.vars.insert(name.to_owned(), value);
        Ok(())
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.target.is_empty() && self.vars.is_empty()
    }

    /// Says more, which comes before what was said.
    pub(super) fn extend(&mut self, more: &Self) {
        // The word of a kind of database last, since that of all is there as well.
        let is_own = |key: &str| OWN_WORDS.iter().any(|(_, own, _)| *own == key);
        let (own, common): (Vec<_>, Vec<_>) = more.target.iter().partition(|(key, _)| is_own(key));
        for (key, value) in common.into_iter().chain(own) {
            // It was a word before.
            let _ = self.say_target(key, value);
        }
        self.vars.extend(more.vars.clone());
    }

    /// The kind of database.
    pub(super) fn adapter(&self) -> Option<&str> {
        self.target.get("type").map(String::as_str)
    }

    /// The target and the variables, as templates have them.
    pub(super) fn given(mut self, adapter: Option<&str>) -> (BTreeMap<String, String>, BTreeMap<String, Value>) {
        self.target.remove("type");
        for (_, own, common) in OWN_WORDS.iter().filter(|(of, _, _)| adapter == Some(of)) {
            if let Some(value) = self.target.get(*common).cloned() {
                self.target.entry((*own).to_owned()).or_insert(value);
            }
        }
        (self.target, self.vars)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::Stated;

    fn stated(words: &[(&str, &str)]) -> Stated {
        let mut stated = Stated::default();
        for (key, value) in words {
            stated.say_target(key, value).unwrap();
        }
        stated
    }

    fn given(stated: Stated, adapter: Option<&str>) -> String {
        let (target, _) = stated.given(adapter);
        target.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_has_two_names_is_given_by_both() {
        let database = || stated(&[("type", "bigquery"), ("database", "a")]);
        assert_eq!(given(database(), Some("bigquery")), "database=a project=a");
        assert_eq!(given(database(), Some("snowflake")), "database=a");
        assert_eq!(given(stated(&[("dbname", "a")]), None), "database=a dbname=a");
        assert_eq!(given(stated(&[("dataset", "a")]), None), "dataset=a schema=a");
    }

    #[test]
    fn what_is_said_later_comes_first() {
        let mut first = stated(&[("project", "a"), ("schema", "s")]);
        first.extend(&stated(&[("database", "b")]));
        assert_eq!(given(first.clone(), None), "database=b schema=s");
        first.extend(&stated(&[("dataset", "t"), ("project", "c")]));
        assert_eq!(given(first, None), "database=c dataset=t project=c schema=t");
    }

    #[test]
    fn what_is_no_word_is_refused() {
        let refused = |key: &str, value: &str| Stated::default().say_target(key, value).unwrap_err();
        assert_eq!(refused("sch-ema", "x"), "`sch-ema` is no key of a target: write e.g. `schema`");
        assert_eq!(refused("schema", ""), "`schema` of a target is a word of 1 to 256 bytes");
        assert_eq!(refused("schema", "a\nb"), "`schema` of a target is a word of 1 to 256 bytes");
        let template = refused("name", "{{ env_var('x') }}");
        assert_eq!(template, "`name` of a target is a plain word: a template is not rendered here");
        assert!(Stated::default().say_var("", serde_json::Value::Null).is_err());
    }
}
