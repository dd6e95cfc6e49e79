//! Rules, made ready: expressions read, patterns compiled.

use super::{OF_COLUMN, OF_DATASET};
use crate::cel::{Expression, Text, Variables};
use crate::code::spec as code;
use crate::diagnostic::Diagnostic;
use crate::schema::Column;
use crate::spec::{MatchSpec, MigrationTemplate, RuleSpec, SetSpec};
use crate::yaml::Places;
use regex::{Captures, Regex};
use serde_json::Value;

/// A template whose texts are understood.
#[derive(Debug)]
pub(super) struct Ready<'a> {
    pub(super) select: Expression,
    pub(super) to: Text,
    pub(super) location: Option<Text>,
    pub(super) rules: Vec<Rule<'a>>,
}

#[derive(Debug)]
pub(super) struct Rule<'a> {
    pub(super) spec: &'a RuleSpec,
    name: Option<Regex>,
    data_type: Option<Regex>,
    when: Option<Expression>,
    pub(super) texts: Texts,
}

/// The texts of a rule's `set`.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) name: Option<Text>,
    pub(super) expr: Option<Text>,
    pub(super) data_type: Option<Text>,
    pub(super) default: Option<Text>,
}

/// Everything that is wrong with a template's conditions, texts and patterns.
pub fn check(template: &MigrationTemplate, places: &Places) -> Vec<Diagnostic> {
    ready(template, places).err().unwrap_or_default()
}

/// Reads what a template has in it, or says all that is wrong.
pub(super) fn ready<'a>(template: &'a MigrationTemplate, places: &Places) -> Result<Ready<'a>, Vec<Diagnostic>> {
    let mut reader = Reader { places, errors: Vec::new() };
    let spec = &template.spec;
    let select = reader.expression("/spec/select", &spec.select, &OF_DATASET);
    let to = reader.text("/spec/to", &spec.to, &OF_DATASET);
    let location = spec.location.as_ref().map(|text| reader.text("/spec/location", text, &OF_DATASET));
    let rules: Vec<Option<Rule<'a>>> =
        spec.rules.iter().enumerate().map(|(at, rule)| reader.rule(&format!("/spec/rules/{at}"), rule)).collect();
    match (select, to, location, reader.errors) {
        (Some(select), Some(to), location, errors) if errors.is_empty() => {
            Ok(Ready { select, to, location: location.flatten(), rules: rules.into_iter().flatten().collect() })
        }
        (_, _, _, errors) => Err(errors),
    }
}

struct Reader<'p> {
    places: &'p Places,
    errors: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn error(&mut self, pointer: &str, message: String, hint: &str) {
        let place = self.places.value(pointer);
        self.errors.push(Diagnostic::error(code::TEMPLATE, message).at(Some(place)).hint(hint));
    }

    fn expression(&mut self, pointer: &str, text: &str, variables: &[&str]) -> Option<Expression> {
        match Expression::parse(text, variables) {
            Ok(expression) => Some(expression),
            Err(why) => {
                self.error(pointer, format!("the condition `{text}` {why}"), "it is CEL: https://cel.dev");
                None
            }
        }
    }

    fn text(&mut self, pointer: &str, text: &str, variables: &[&str]) -> Option<Text> {
        match Text::parse(text, variables) {
            Ok(text) => Some(text),
            Err(why) => {
                self.error(pointer, format!("the text `{text}` {why}"), "what is in `${{ }}` is CEL: https://cel.dev");
                None
            }
        }
    }

    fn pattern(&mut self, pointer: &str, pattern: &str) -> Option<Regex> {
        match Regex::new(&format!("^(?:{pattern})$")) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.error(
                    pointer,
                    format!("the pattern `{pattern}` cannot be read: {why}"),
                    "it is a regular expression",
                );
                None
            }
        }
    }

    fn rule<'a>(&mut self, pointer: &str, spec: &'a RuleSpec) -> Option<Rule<'a>> {
        let MatchSpec { name, data_type, tag, annotation, when } = &spec.matches;
        if name.is_none() && data_type.is_none() && tag.is_none() && annotation.is_none() && when.is_none() {
            let message = "the rule matches every column".to_owned();
            self.error(&format!("{pointer}/match"), message, "say which columns; `name: .*` is all of them");
        }
        match (&spec.set, &spec.drop) {
            (Some(_), Some(_)) => {
                self.error(pointer, "the rule both changes and drops".to_owned(), "make two rules of it");
            }
            (None, None) => {
                self.error(pointer, "the rule does nothing".to_owned(), "add `set` or `drop`");
            }
            (Some(set), None) if *set == SetSpec::default() => {
                self.error(
                    &format!("{pointer}/set"),
                    "the rule sets nothing".to_owned(),
                    "set `name`, `type` or `expr`",
                );
            }
            _ => {}
        }
        let before = self.errors.len();
        let name = name.as_ref().map(|pattern| self.pattern(&format!("{pointer}/match/name"), pattern));
        let data_type = data_type.as_ref().map(|glob| {
            let pattern = regex::escape(glob).replace(r"\*", ".*");
            self.pattern(&format!("{pointer}/match/type"), &pattern)
        });
        let when = when.as_ref().map(|text| self.expression(&format!("{pointer}/match/when"), text, &OF_COLUMN));
        let mut texts = Texts::default();
        if let Some(set) = &spec.set {
            let mut read = |key: &str, text: &Option<String>| {
                let text = text.as_ref()?;
                self.text(&format!("{pointer}/set/{key}"), text, &OF_COLUMN)
            };
            texts = Texts {
                name: read("name", &set.name),
                expr: read("expr", &set.expr),
                data_type: read("type", &set.data_type),
                default: read("default", &set.default),
            };
        }
        (self.errors.len() == before).then(|| Rule {
            spec,
            name: name.flatten(),
            data_type: data_type.flatten(),
            when: when.flatten(),
            texts,
        })
    }
}

impl Rule<'_> {
    /// What it is called in messages: its name, or its number from 1.
    pub(super) fn called(&self, number: usize) -> String {
        self.spec.name.as_ref().map_or_else(|| format!("rule {}", number + 1), |name| format!("rule `{name}`"))
    }

    /// Whether it is for a dataset at all.
    pub(super) fn is_for(&self, dataset: &Value) -> bool {
        let tag = self.spec.matches.tag.as_ref();
        let tagged = |tag: &String| {
            dataset["tags"].as_array().is_some_and(|tags| tags.iter().any(|one| one.as_str() == Some(tag)))
        };
        let annotated = |wanted: &String| {
            let (key, value) =
                wanted.split_once('=').map_or((wanted.as_str(), None), |(key, value)| (key, Some(value)));
            let found = dataset["annotations"].get(key).and_then(Value::as_str);
            found.is_some_and(|found| value.is_none_or(|value| value == found))
        };
        tag.is_none_or(tagged) && self.spec.matches.annotation.as_ref().is_none_or(annotated)
    }

    /// Whether it matches a column; with a pattern for the name, its groups.
    pub(super) fn matches<'c>(&self, column: &'c Column, variables: &Variables) -> Result<Option<Groups<'c>>, String> {
        let groups = match &self.name {
            None => None,
            Some(pattern) => match pattern.captures(&column.name) {
                None => return Ok(None),
                groups => groups,
            },
        };
        if self.data_type.as_ref().is_some_and(|pattern| !pattern.is_match(&column.data_type.to_string())) {
            return Ok(None);
        }
        if let Some(when) = &self.when
            && !when.holds(variables).map_err(|why| format!("the condition `{}` {why}", when.text()))?
        {
            return Ok(None);
        }
        Ok(Some(Groups(groups)))
    }
}

/// Groups of a name's pattern.
pub(super) struct Groups<'c>(Option<Captures<'c>>);

impl Groups<'_> {
    /// A text of the rule that matched.
    pub(super) fn write(&self, text: &Text, variables: &Variables) -> Result<String, String> {
        text.write(variables, |literal, out| match &self.0 {
            Some(groups) => groups.expand(literal, out),
            None => out.push_str(literal),
        })
    }
}
