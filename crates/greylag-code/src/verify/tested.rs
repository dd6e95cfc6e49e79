//! Tests that stand at models, sources and their columns: each is where it was, at what its subject is now, and says the same.

use super::Complaints;
use super::compared::{Compared, Pair};
use super::names::Renamed;
use super::sources;
use super::unit::{Meant, meant};
use crate::dbt::{ColumnTest, Edge, Target};
use greylag_model::consumer::TableChange;

pub(super) fn check<'a>(pair: &'a Pair, compared: &'a Compared<'_>, complaints: &mut Complaints) {
    let (changes, sources) = (&*compared.changes, sources::successors(pair));
    let tests = Tests { pair, changes, sources };
    let mut used = vec![false; pair.new.tests.len()];
    for before in &pair.old.tests {
        let Some(subject) = tests.now(before.subject) else { continue };
        let renamed = tests.renamed(subject);
        let column = before.column.as_ref().map(|column| renamed.of(column.text()));
        // What is said of a column that is gone goes with it.
        if column.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        let is_it = |after: &ColumnTest| {
            let fits = || match (&column, &after.column) {
                (None, None) => true,
                (Some(names), Some(after)) => names.iter().any(|name| name.eq_ignore_ascii_case(after.text())),
                _ => false,
            };
            after.subject == subject && after.test.text() == before.test.text() && fits()
        };
        let all = pair.new.tests.iter().enumerate();
        match all.filter(|(at, _)| !used[*at]).find(|(_, after)| is_it(after)) {
            Some((at, after)) => {
                used[at] = true;
                tests.says(before, after, complaints);
                tests.leads(before, after, complaints);
            }
            None => complaints.wrong(format!("{} is lost", tests.name(before))),
        }
    }
    for (_, test) in pair.new.tests.iter().enumerate().filter(|(at, _)| !used[*at]) {
        complaints.wrong(format!("the test `{}` of `{}` was not there before", test.test, tests.id_now(test.subject)));
    }
}

struct Tests<'a> {
    pair: &'a Pair,
    changes: &'a [TableChange],
    sources: Vec<Option<usize>>,
}

impl<'a> Tests<'a> {
    /// What something is in the new project.
    fn now(&self, target: Target) -> Option<Target> {
        match target {
            Target::Node(old) => self.pair.successor(old).map(Target::Node),
            Target::Source(old) => self.sources.get(old).copied().flatten().map(Target::Source),
        }
    }

    /// How the columns of something in the new project are called now.
    fn renamed(&self, target: Target) -> Renamed<'a> {
        match target {
            Target::Node(new) => self.pair.made(new).map_or(Renamed::No, Renamed::Made),
            Target::Source(new) => {
                let Some(source) = self.pair.new.sources.get(new) else { return Renamed::No };
                match meant(&source.relation(), self.changes) {
                    Meant::New(number) => self.changes.get(number).map_or(Renamed::No, Renamed::Read),
                    _ => Renamed::No,
                }
            }
        }
    }

    fn id_now(&self, target: Target) -> &'a str {
        match target {
            Target::Node(new) => self.pair.new.nodes.get(new).map_or("", |node| &node.id),
            Target::Source(new) => self.pair.new.sources.get(new).map_or("", |source| &source.id),
        }
    }

    /// An old test, for messages: with its file.
    fn name(&self, test: &ColumnTest) -> String {
        let path = test.test.sources().first().map(|at| format!("`{}`: ", self.pair.old.files.path(at.file)));
        let of = match test.subject {
            Target::Node(old) => self.pair.old.nodes.get(old).map_or("", |node| &node.name),
            Target::Source(old) => self.pair.old.sources.get(old).map_or("", |source| source.table.text()),
        };
        let column = test.column.as_ref().map_or_else(String::new, |column| format!("`{column}` of "));
        format!("{}the test `{}` of {column}`{of}`", path.unwrap_or_default(), test.test)
    }

    /// Whether a test leads to what it led to.
    fn leads(&self, before: &ColumnTest, after: &ColumnTest, complaints: &mut Complaints) {
        for target in before.edges.iter().filter_map(|edge| self.now(edge.target)) {
            if !after.edges.iter().any(|edge| edge.target == target) {
                let (name, id) = (self.name(before), self.id_now(target));
                complaints.wrong(format!("{name} does not lead to `{id}` any more"));
            }
        }
    }

    /// What a test says of columns, sources and models.
    fn says(&self, before: &'a ColumnTest, after: &'a ColumnTest, complaints: &mut Complaints) {
        let called = |edge: &Edge, old: bool| {
            let project = if old { &self.pair.old } else { &self.pair.new };
            match edge.target {
                Target::Source(at) => project.sources.get(at).map(|source| source.table.text().to_owned()),
                Target::Node(at) => project.nodes.get(at).map(|node| node.name.clone()),
            }
        };
        let was: Vec<String> = before.edges.iter().filter_map(|edge| called(edge, true)).collect();
        let is: Vec<String> = after.edges.iter().filter_map(|edge| called(edge, false)).collect();
        let elsewhere = after.edges.iter().find(|edge| edge.target != after.subject).map(|edge| edge.target);
        for ((name, one), (_, other)) in before.arguments.iter().zip(&after.arguments) {
            let (one, other) = (one.text(), other.text());
            let field = elsewhere.filter(|_| name == "field");
            let renamed = self.renamed(field.unwrap_or(after.subject));
            let of_it = || was.iter().zip(&is).any(|(was, is)| one.replace(was.as_str(), is) == other);
            let is_column = field.is_some() || ColumnTest::lists_columns(name);
            let fits = match (is_column, renamed.of(one).as_slice()) {
                (true, [only]) => *only == other,
                _ => one == other || of_it() || renamed.says_the_same(one, other),
            };
            if !fits {
                let meant = renamed.of(one).first().copied().unwrap_or(one);
                let test = &after.test;
                complaints.wrong(format!("the test `{test}` says `{name}: {other}`, where `{meant}` is meant"));
            }
        }
    }
}
