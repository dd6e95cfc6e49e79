//! Who said what of an entity, and whose word stands.
//!
//! # Terms
//!
//! A **fact** is one field of an entity: its owner, its location, one annotation, one tag, one relation. Its **key**
//! names the field (`spec.owner`, `metadata.tags.pii`, `spec.dependsOn.resource:default/users`), see [`facts`].
//! A **source** is who states facts: a descriptor file, a scan of a directory or of code, the run of a migration. What one source
//! states of one entity is its **statement**. The entity that people see is the fold of its statements:
//! [`resolve`].
//!
//! # Whose word stands
//!
//! Each fact carries a precedence and the time since when its source has been saying this very value. The highest
//! precedence stands, among equals the latest, and if even that is equal the source whose name sorts first (so that
//! the fold never depends on the order of imports).
//!
//! | precedence | who |
//! |---|---|
//! | [`SCANNED`] | a scan: it only infers |
//! | [`DESCRIBED`] | a descriptor that says this for the first time |
//! | [`DECIDED`] | a migration that published or cut over; a descriptor *edited* to say something else |
//!
//! Why an edit ranks with a migration: files have no trustworthy date (a fresh clone of an old branch is newer than
//! everything), so a descriptor is not taken at its modification time. What counts is evidence: if the same file said
//! something else at the last import, a person changed their mind since, and the later decision stands, be it theirs or
//! a later migration's. A file that repeats what it always said, is read for the first time, or changed in other fields
//! does not take back what a migration published.
//!
//! A fact that its source no longer states is gone from the fold. A migration that is undone takes its facts back, and
//! what was said before stands again. An entity exists while some source states its `identity`; statements about an
//! entity that nobody identifies wait, invisible, until somebody does.

pub mod facts;

use crate::entity::{Entity, EntityRef};
use crate::id::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Precedence of what a scan inferred.
pub const SCANNED: u8 = 10;
/// Precedence of what a descriptor says for the first time.
pub const DESCRIBED: u8 = 20;
/// Precedence of decisions: a migration's, or an edit of a descriptor.
pub const DECIDED: u8 = 30;

/// Who states facts. Its text form is `descriptor:<file>`, `scan:<root>`, `code:<repository>` or `migration:<run>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A descriptor file, by its path.
    Descriptor(String),
    /// A scan, by its root.
    Scan(String),
    /// A scan of code, by its repository.
    Code(String),
    /// A run of a migration, by its id.
    Migration(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Descriptor(file) => write!(f, "descriptor:{file}"),
            Self::Scan(root) => write!(f, "scan:{root}"),
            Self::Code(repository) => write!(f, "code:{repository}"),
            Self::Migration(run) => write!(f, "migration:{run}"),
        }
    }
}

impl std::str::FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("descriptor", file)) => Ok(Self::Descriptor(file.to_owned())),
            Some(("scan", root)) => Ok(Self::Scan(root.to_owned())),
            Some(("code", repository)) => Ok(Self::Code(repository.to_owned())),
            Some(("migration", run)) => Ok(Self::Migration(run.to_owned())),
            _ => Err(format!("`{text}` is not a source")),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Source {
    /// Precedence of a value that this source states, given what it stated of the same key before.
    fn precedence(&self, before: Option<&Stated>) -> u8 {
        match (self, before) {
            (Self::Scan(_) | Self::Code(_), _) => SCANNED,
            (Self::Descriptor(_), None) => DESCRIBED,
            (Self::Descriptor(_), Some(_)) | (Self::Migration(_), _) => DECIDED,
        }
    }
}

/// What a source says of an entity: fact key → value.
pub type Values = BTreeMap<String, Value>;

/// What a source says of an entity, with since when and how weightily.
pub type Statement = BTreeMap<String, Stated>;

/// One value that a source states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stated {
    /// The value.
    #[serde(rename = "v")]
    pub value: Value,
    /// Since when the source has been saying it.
    #[serde(rename = "t")]
    pub since: Timestamp,
    /// See the module's table.
    #[serde(rename = "p")]
    pub precedence: u8,
}

/// The statement of a source that now says `values` and nothing else. Values that it said before keep their time and
/// precedence; others get `at`; keys that are absent vanish.
pub fn restate(source: &Source, before: &Statement, values: Values, at: Timestamp) -> Statement {
    let mut after = Statement::new();
    for (key, value) in values {
        let old = before.get(&key);
        let stated = match old {
            Some(old) if old.value == value => old.clone(),
            _ => Stated { value, since: at, precedence: source.precedence(old) },
        };
        after.insert(key, stated);
    }
    after
}

/// The statement of a source that now also says `set` and no longer says `unset`; all else stays.
pub fn amend(source: &Source, before: &Statement, set: Values, unset: &[String], at: Timestamp) -> Statement {
    let mut after = before.clone();
    for key in unset {
        after.remove(key);
    }
    after.append(&mut restate(source, before, set, at));
    after
}

/// One stated fact, with everything that decides whether it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// The field, e.g. `spec.owner`.
    pub key: String,
    /// The value stated.
    pub value: Value,
    /// Who states it.
    pub source: Source,
    /// Since when this source has been saying it.
    pub since: Timestamp,
    /// How weightily; the highest stands.
    pub precedence: u8,
}

impl Fact {
    /// Sorts by key, then the fact that stands before those that do not.
    fn rank(&self, other: &Self) -> std::cmp::Ordering {
        (self.key.cmp(&other.key))
            .then(other.precedence.cmp(&self.precedence))
            .then(other.since.cmp(&self.since))
            .then_with(|| self.source.cmp(&other.source))
    }
}

/// A fact that a source states in vain, because another source's word stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overruled {
    /// What is said in vain.
    pub said: Fact,
    /// What stands instead.
    pub stands: Fact,
}

/// For people: what was kept and why.
impl fmt::Display for Overruled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (said, stands) = (&self.said, &self.stands);
        write!(
            f,
            "`{}` stays {} as {} says; {} says {}",
            said.key, stands.value, stands.source, said.source, said.value
        )
    }
}

/// The fold of the statements about one entity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// The entity as it stands; `None` if nobody states its identity.
    pub entity: Option<Entity>,
    /// Every stated fact, by key; of each key the first one stands.
    pub facts: Vec<Fact>,
}

impl Resolved {
    /// The fact that stands for `key`.
    pub fn standing(&self, key: &str) -> Option<&Fact> {
        let index = self.facts.partition_point(|fact| fact.key.as_str() < key);
        self.facts.get(index).filter(|fact| fact.key == key)
    }

    /// The facts that stand and whose key begins with `prefix`, in the order of their keys.
    pub fn standing_below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Fact> + 'a {
        let start = self.facts.partition_point(|fact| fact.key.as_str() < prefix);
        let mut last: Option<&str> = None;
        self.facts[start..].iter().take_while(move |fact| fact.key.starts_with(prefix)).filter(move |fact| {
            let first = last != Some(&fact.key);
            last = Some(&fact.key);
            first
        })
    }

    /// Every fact that stands, in the order of the keys.
    pub fn all_standing(&self) -> impl Iterator<Item = &Fact> {
        self.standing_below("")
    }

    /// What is said in vain: facts whose value differs from the one that stands for their key.
    pub fn overruled(&self) -> impl Iterator<Item = Overruled> + '_ {
        self.facts.chunk_by(|a, b| a.key == b.key).flat_map(|same| {
            let stands = &same[0];
            same[1..]
                .iter()
                .filter(|said| said.value != stands.value)
                .map(|said| Overruled { said: said.clone(), stands: stands.clone() })
        })
    }
}

/// Folds the statements about `reference` into the entity that stands.
pub fn resolve<'a>(
    reference: &EntityRef,
    statements: impl IntoIterator<Item = (&'a Source, &'a Statement)>,
) -> Resolved {
    let mut all = Vec::new();
    for (source, statement) in statements {
        all.extend(statement.iter().map(|(key, stated)| Fact {
            key: key.clone(),
            value: stated.value.clone(),
            source: source.clone(),
            since: stated.since,
            precedence: stated.precedence,
        }));
    }
    let deprecations: Vec<Fact> = (all.iter())
        .filter(|fact| fact.key.starts_with(facts::SUCCESSOR))
        .map(|fact| Fact { key: facts::LIFECYCLE.to_owned(), value: Value::from("deprecated"), ..fact.clone() })
        .collect();
    all.extend(deprecations);
    all.sort_by(Fact::rank);
    let mut resolved = Resolved { entity: None, facts: all };
    resolved.entity = facts::to_entity(reference, &resolved);
    resolved
}

#[cfg(test)]
mod tests;
