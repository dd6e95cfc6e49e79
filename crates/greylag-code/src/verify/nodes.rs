//! Nodes of a project, each against what it was: what makes a changed dataset makes the new one, all others make what they made; and
//! what hung on their names hangs on them still.
//!
//! A model's name stands in many places that are not its file: its entry in YAML, keys of `dbt_project.yml`, every `ref`. One that was
//! left behind breaks nothing that a text shows: the model is a view where it was a table, in another schema, without a contract or
//! tests. So all of this is compared for each pair of nodes, whoever says that it moved.

use super::Complaints;
use super::compared::{Compared, Pair};
use super::names::Renamed;
use crate::dbt::{Column, Config, Edge, Exposure, Node, Target};
use crate::repository::makes::{self, Names};
use greylag_model::consumer::TableChange;
use greylag_model::table::Meeting;
use greylag_syntax::trace::Traced;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(pair: &Pair, compared: &Compared<'_>, complaints: &mut Complaints) {
    for nodes in &pair.nodes {
        let (Some(old), Some(new)) = (pair.old.nodes.get(nodes.old), nodes.new.and_then(|new| pair.new.nodes.get(new)))
        else {
            continue;
        };
        let both = Both {
            pair,
            old,
            new,
            makes: nodes.makes.and_then(|number| pair.changes.get(number)),
            held: compared.is_held(pair.old.files.path(old.file)),
        };
        both.relation(complaints);
        both.entries(complaints);
        both.configuration(complaints);
        both.columns(complaints);
        both.settings(complaints);
        both.references(complaints);
    }
    exposures(pair, complaints);
}

/// A node before and after.
struct Both<'a> {
    pair: &'a Pair,
    old: &'a Node,
    new: &'a Node,
    /// The change whose new dataset it makes in place of the old one.
    makes: Option<&'a TableChange>,
    /// Whether it is left to somebody.
    held: bool,
}

impl<'a> Both<'a> {
    /// The new file, for messages.
    fn path(&self) -> &'a str {
        self.pair.new.files.path(self.new.file)
    }

    /// What the node makes.
    fn relation(&self, complaints: &mut Complaints) {
        let (was, is) = (&self.old.relation, &self.new.relation);
        let path = self.path();
        if let Some(change) = self.makes {
            let beside = |name: &[String]| [parents(name), &[change.new.last().to_owned()]].concat();
            let moved = makes::meeting(self.new, change, Names::New) == Some(Meeting::Whole) || *is == beside(was);
            // Whoever has it may leave it where it is.
            let is_left = self.held && was == is;
            if !moved && !is_left {
                let meant = self.pair.meant(change);
                complaints.wrong(format!("`{path}` makes `{}`, where `{meant}` must be made", is.join(".")));
            }
        } else if was != is {
            complaints.wrong(format!("`{path}` makes `{}`, and made `{}`", is.join("."), was.join(".")));
        } else if let Some(change) = self.left() {
            let (was, meant) = (was.join("."), self.pair.meant(change));
            complaints.wrong(format!("`{path}` still makes `{was}`, where `{meant}` must be made"));
        }
    }

    /// The change of a dataset that the node makes as before, though it should make another one, and nobody is to decide on that.
    fn left(&self) -> Option<&'a TableChange> {
        let changes = &self.pair.changes;
        let change = makes::made_by(self.old, changes, Names::Old).and_then(|number| changes.get(number))?;
        let stays = makes::meeting(self.new, change, Names::New).is_some();
        (!stays && !self.held).then_some(change)
    }

    /// The entries of YAML that are its own by its name, and the keys that configure it.
    fn entries(&self, complaints: &mut Complaints) {
        let places =
            [(&self.old.name_at, &self.new.name_at, "entry"), (&self.old.keys, &self.new.keys, "configuration")];
        for (was, is, what) in places {
            let lost = was.first().filter(|_| is.len() < was.len());
            if let Some(first) = lost {
                let (old, new, file) = (&self.old.name, &self.new.name, self.pair.old.files.path(first.file));
                complaints.wrong(format!("`{file}`: the {what} of `{old}` is lost: it is none of `{new}`"));
            }
        }
    }

    /// How it is built.
    fn configuration(&self, complaints: &mut Complaints) {
        let texts = |config: &Config| {
            let text = |text: &Option<Traced>| text.as_ref().map(|text| text.text().to_owned());
            let enabled = config.enabled.map(|enabled| enabled.to_string());
            let contract = config.is_contract.then(|| "enforced".to_owned());
            let (materialized, schema) = (text(&config.materialized), text(&config.schema));
            [
                ("materialized", materialized),
                ("schema", schema),
                ("database", text(&config.database)),
                ("enabled", enabled),
                ("contract", contract),
            ]
        };
        // Where the new dataset is in another schema, that is what was meant.
        let whole = |change: &TableChange| makes::meeting(self.new, change, Names::New) == Some(Meeting::Whole);
        let elsewhere = self.makes.is_some_and(whole);
        for ((key, was), (_, is)) in texts(&self.old.config).into_iter().zip(texts(&self.new.config)) {
            if elsewhere && matches!(key, "schema" | "database") {
                continue;
            }
            self.same(key, was.as_slice(), is.as_slice(), Renamed::No, complaints);
        }
    }

    /// What else it is configured with, at its entry and in its text.
    fn settings(&self, complaints: &mut Complaints) {
        let renamed = self.makes.map_or(Renamed::No, Renamed::Made);
        let known = ["materialized", "schema", "database", "enabled", "contract", "alias"];
        let (was, is) = (settings(self.old), settings(self.new));
        for (key, values) in was.iter().filter(|(key, _)| !known.contains(key)) {
            self.same(key, values, is.get(key).map(Vec::as_slice).unwrap_or_default(), renamed, complaints);
        }
        for (key, values) in is.iter().filter(|(key, _)| !known.contains(key) && !was.contains_key(*key)) {
            self.same(key, &[], values, renamed, complaints);
        }
    }

    /// Complains if a setting has another value.
    fn same(&self, key: &str, was: &[String], is: &[String], renamed: Renamed<'_>, complaints: &mut Complaints) {
        let fits = was.len() == is.len() && was.iter().zip(is).all(|(was, is)| renamed.says_the_same(was, is));
        if fits {
            return;
        }
        let path = self.path();
        let words = |values: &[String]| values.join(", ").escape_debug().to_string();
        complaints.wrong(match (was, is) {
            (was, []) => format!("`{path}` has lost `{key}: {}`", words(was)),
            ([], is) => format!("`{path}` has `{key}: {}`, which it had not", words(is)),
            (was, is) => format!("`{path}` has `{key}: {}`, where it had `{}`", words(is), words(was)),
        });
    }

    /// The columns that its entry declares.
    fn columns(&self, complaints: &mut Complaints) {
        let renamed = self.makes.map_or(Renamed::No, Renamed::Made);
        let path = self.path();
        let declares =
            |name: &str| self.new.columns.iter().find(|column| column.name.text().eq_ignore_ascii_case(name));
        let untouched = self.held && self.names(&self.old.columns) == self.names(&self.new.columns);
        if untouched {
            return;
        }
        let mut meant: BTreeSet<String> = BTreeSet::new();
        for column in &self.old.columns {
            let names = renamed.of(column.name.text());
            meant.extend(names.iter().map(|name| name.to_lowercase()));
            // One that is declared twice is the one that is declared as it was.
            let is_same = |now: &&Column| {
                let kind = |column: &Column| column.data_type.as_ref().map(|kind| kind.text().to_lowercase());
                names.iter().any(|name| now.name.text().eq_ignore_ascii_case(name)) && kind(now) == kind(column)
            };
            let same = self.new.columns.iter().find(is_same);
            let now = same.or_else(|| names.iter().find_map(|name| declares(name)));
            match now {
                Some(now) => self.data_type(column, now, complaints),
                None if names.is_empty() => {}
                None => {
                    let (was, meant) = (column.name.text(), names.join("`, `"));
                    complaints.wrong(format!("the entry of `{path}` declares no `{meant}`, and declared `{was}`"));
                }
            }
        }
        let new = |name: &str| {
            self.makes.is_some_and(|change| change.target.iter().any(|target| target.eq_ignore_ascii_case(name)))
        };
        for column in &self.new.columns {
            let name = column.name.text();
            if !meant.contains(&name.to_lowercase()) && !new(name) {
                complaints.wrong(format!("the entry of `{path}` declares `{name}`, which is not there"));
            }
        }
        if let Some(change) = self.makes.filter(|_| self.new.config.is_contract) {
            for name in change.target.iter().filter(|name| declares(name).is_none()) {
                complaints.wrong(format!("`{path}` has a contract, and its entry declares no `{name}`"));
            }
        }
    }

    fn names(&self, columns: &[Column]) -> Vec<String> {
        columns.iter().map(|column| column.name.text().to_owned()).collect()
    }

    /// The type that a column is declared with.
    fn data_type(&self, before: &Column, after: &Column, complaints: &mut Complaints) {
        let text = |column: &Column| column.data_type.as_ref().map(|text| text.text().to_lowercase());
        let (path, name) = (self.path(), after.name.text());
        match (text(before), text(after)) {
            (Some(was), None) => complaints.wrong(format!("`{name}` of `{path}` has lost its type `{was}`")),
            (Some(was), Some(is)) if was != is && self.keeps_type(before.name.text(), name) => {
                complaints.wrong(format!("`{name}` of `{path}` is declared as `{is}`, and was as `{was}`"));
            }
            _ => {}
        }
    }

    /// Whether a column is the old one under whatever name.
    fn keeps_type(&self, before: &str, after: &str) -> bool {
        let Some(change) = self.makes else { return true };
        let Some(column) = change.column(before) else { return true };
        let made = change.made.iter().find(|made| made.name.eq_ignore_ascii_case(after));
        made.is_some_and(
            |made| matches!(&made.value.node, greylag_model::expr::Node::Column(name) if *name == column.name),
        )
    }

    /// What it refers to.
    fn references(&self, complaints: &mut Complaints) {
        let path = self.path();
        for name in nowhere(self.new).difference(&nowhere(self.old)) {
            complaints.wrong(format!("`{path}` refers to `{name}`, which is nowhere"));
        }
        if self.held {
            return;
        }
        let edges = |node: &Node, now: &dyn Fn(usize) -> Option<usize>| -> BTreeSet<usize> {
            let nodes = node.edges.iter().filter_map(|edge| match edge.target {
                Target::Node(at) => now(at),
                Target::Source(_) => None,
            });
            nodes.collect()
        };
        let was = edges(self.old, &|old| self.pair.successor(old));
        let is = edges(self.new, &Some);
        let id = |at: &usize| self.pair.new.nodes.get(*at).map_or("", |node| &node.id);
        for lost in was.difference(&is) {
            complaints.wrong(format!("`{path}` does not refer to `{}` any more", id(lost)));
        }
        for new in is.difference(&was) {
            complaints.wrong(format!("`{path}` refers to `{}`, and did not before", id(new)));
        }
    }
}

/// All parts of a name but the last.
fn parents(name: &[String]) -> &[String] {
    name.split_last().map_or(&[], |(_, parents)| parents)
}

/// The names that a node refers to and nothing has.
fn nowhere(node: &Node) -> BTreeSet<String> {
    let all = node.renderings.iter().flat_map(|way| &way.references);
    let lost = all.filter(|reference| reference.target.is_none() && !reference.arguments.is_empty());
    let words = |reference: &crate::dbt::Reference| {
        reference.arguments.iter().map(|argument| argument.text()).collect::<Vec<_>>().join(".")
    };
    lost.map(words).collect()
}

/// What a node is configured with, by key: at its entry and in its first way.
fn settings(node: &Node) -> BTreeMap<&str, Vec<String>> {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let declared = node.settings.iter().map(|(key, value)| (key.as_str(), value.text()));
    let given =
        node.renderings.first().into_iter().flat_map(|way| &way.config).map(|(key, value)| (&**key, value.text()));
    for (key, value) in declared.chain(given) {
        found.entry(key).or_default().push(value.to_owned());
    }
    found
}

/// Whether exposures lead where they led.
fn exposures(pair: &Pair, complaints: &mut Complaints) {
    for before in &pair.old.exposures {
        let Some(after) = pair.new.exposures.iter().find(|after| after.name.text() == before.name.text()) else {
            complaints.wrong(format!("the exposure `{}` is gone", before.name));
            continue;
        };
        let nodes = |exposure: &Exposure| -> Vec<usize> {
            let node = |edge: &Edge| match edge.target {
                Target::Node(at) => Some(at),
                Target::Source(_) => None,
            };
            exposure.edges.iter().filter_map(node).collect()
        };
        let is = nodes(after);
        for now in nodes(before).into_iter().filter_map(|old| pair.successor(old)).filter(|now| !is.contains(now)) {
            let path = before.name.sources().first().map_or("", |at| pair.old.files.path(at.file));
            let id = pair.new.nodes.get(now).map_or("", |node| &node.id);
            complaints.wrong(format!("`{path}`: the exposure `{}` does not lead to `{id}` any more", before.name));
        }
    }
}
