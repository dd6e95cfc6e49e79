//! Makers: nodes whose relation is a dataset that changes.
//!
//! A model that makes the old dataset makes the new one instead: it takes the new name, and gives the new columns (see
//! `rewrite::writer`). A model is called as its file is, so the file moves, unless an alias names its relation; then the alias changes.
//! With the name goes what hangs on it: its entry in YAML, its key in `dbt_project.yml`, every literal by which it is called, and
//! in its entry the columns, and the tests that speak of them. It moves with all of its readers, or nothing of it does.

use super::makes::{Names, made_by, meeting};
use super::source::{replaced, span, speaks_of};
use super::{Held, Look, Placed};
use crate::dbt::{Column, ColumnTest, Node, NodeKind, Target};
use crate::repository::line_and_position;
use crate::rewrite::Style;
use greylag_model::consumer::{Class, MadeColumn, TableChange};
use greylag_model::expr;
use greylag_model::table::Meeting;
use greylag_syntax::trace::{FileId, Span, Traced};
use std::collections::{BTreeMap, BTreeSet};

/// Arguments of tests, and configuration, whose texts are values or words, not columns.
pub(super) const WORDS: [&str; 14] = [
    "values",
    "value",
    "description",
    "severity",
    "name",
    "tags",
    "meta",
    "docs",
    "group",
    "owner",
    "materialized",
    "schema",
    "alias",
    "database",
];
/// Configuration whose value is a column or a list of columns.
const COLUMN_SETTINGS: [&str; 8] = [
    "unique_key",
    "cluster_by",
    "partition_by",
    "sort",
    "dist",
    "merge_update_columns",
    "merge_exclude_columns",
    "updated_at",
];

/// What a column of a maker becomes where YAML speaks of it.
enum Said<'a> {
    Same,
    Renamed(&'a MadeColumn),
    Gone,
}

impl Look<'_> {
    /// The nodes that make a changed dataset, with the change.
    pub(super) fn find_makers(&self) -> BTreeMap<usize, usize> {
        let nodes = self.project.nodes.iter().enumerate();
        nodes.filter_map(|(number, node)| Some((number, made_by(node, &self.changes, Names::Old)?))).collect()
    }

    /// Why no rule moves a maker, if none does.
    pub(super) fn unmovable(&self, maker: usize, change: usize) -> Option<Held> {
        let node = &self.project.nodes[maker];
        let change_of = &self.changes[change];
        let new = change_of.new.last();
        let parents = change_of.new.parts().len().checked_sub(2).map(|at| change_of.new.parts()[at].as_str());
        let schema = node.relation.len().checked_sub(2).map(|at| node.relation[at].as_str());
        let source = self.concerned.contains(&Some(change));
        let plain =
            !new.is_empty() && new.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'));
        let why = match node.kind {
            NodeKind::PythonModel => "a model in Python makes it, which is not read".to_owned(),
            NodeKind::Seed => "a seed makes it, whose rows are data".to_owned(),
            NodeKind::Snapshot => "a snapshot makes it, whose history stands under the old name".to_owned(),
            _ if node.version.is_some() => "a version of a model makes it".to_owned(),
            _ if source && meeting(node, change_of, Names::Old) == Some(Meeting::End) => {
                format!("a source is called as the model `{}` is, and either may be the dataset", node.name)
            }
            _ if parents.is_some_and(|new| schema.is_some_and(|old| !new.eq_ignore_ascii_case(old))) => {
                "the model that makes it would have to be in another schema".to_owned()
            }
            _ if !plain => format!("`{new}` is no name of a model"),
            _ => return None,
        };
        Some(Held { class: Class::Agentic, why })
    }

    /// Whether a maker gets another name, and not only other columns.
    fn is_renamed(&self, maker: usize) -> bool {
        let new = self.makers.get(&maker).map(|change| self.changes[*change].new.last());
        new.is_some_and(|new| self.project.nodes[maker].relation.last().is_none_or(|old| old != new))
    }

    /// The literal that names a maker's relation beside its own name, if one does.
    fn alias(&self, maker: usize) -> Option<&Traced> {
        self.project.nodes[maker].config.alias.as_ref()
    }

    /// Where a maker's file goes, if it goes anywhere.
    pub(super) fn new_path(&self, maker: usize) -> Option<(FileId, String)> {
        let node = &self.project.nodes[maker];
        let change = &self.changes[*self.makers.get(&maker)?];
        let path = self.project.files.path(node.file);
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        let (stem, extension) = name.rsplit_once('.')?;
        if self.alias(maker).is_some() || stem != node.name || !self.is_renamed(maker) {
            return None;
        }
        let name = format!("{}.{extension}", change.new.last());
        Some((node.file, if folder.is_empty() { name } else { format!("{folder}/{name}") }))
    }

    /// All edits outside a maker's text that let it make the new dataset; an error says why there are none.
    pub(super) fn moved_maker(&self, maker: usize) -> Result<BTreeSet<Placed>, Held> {
        let node = &self.project.nodes[maker];
        let Some(change) = self.makers.get(&maker).map(|number| &self.changes[*number]) else {
            return Ok(BTreeSet::new());
        };
        let mut edits = BTreeSet::new();
        match self.alias(maker) {
            _ if !self.is_renamed(maker) => {}
            Some(alias) => {
                let at =
                    span(alias).ok_or_else(|| agentic("nothing that stands in a file is the alias of the model"))?;
                edits.insert(replaced(at, change.new.last()));
            }
            None => self.new_name(maker, change.new.last(), &mut edits)?,
        }
        self.unread_names(maker, &edits)?;
        self.entry(node, change, &mut edits)?;
        self.tests_of(maker, change, &mut edits)?;
        self.settings_of(node, change, &mut edits)?;
        Ok(edits)
    }

    fn new_name(&self, maker: usize, new: &str, edits: &mut BTreeSet<Placed>) -> Result<(), Held> {
        let node = &self.project.nodes[maker];
        let is_taken = |other: &Node| other.name == new && !matches!(other.kind, NodeKind::Analysis | NodeKind::Test);
        if self.project.nodes.iter().any(is_taken) {
            return Err(agentic(format!("there is a model `{new}` already")));
        }
        let Some((_, path)) = self.new_path(maker) else {
            return Err(agentic(format!("the file of the model `{}` is called otherwise", node.name)));
        };
        if self.paths.binary_search(&path).is_ok() {
            return Err(agentic(format!("there is a file `{path}` already")));
        }
        edits.extend(node.name_at.iter().chain(&node.keys).map(|at| replaced(*at, new)));
        self.calls(Target::Node(maker), &node.name, new, edits)
    }

    /// Places of YAML that are the model's name or call it, and that nothing here knows: semantic models, unit tests.
    fn unread_names(&self, maker: usize, edits: &BTreeSet<Placed>) -> Result<(), Held> {
        let node = &self.project.nodes[maker];
        let literals = self.literals(Target::Node(maker));
        for at in &self.scalars {
            let text = self.project.files.bytes(*at);
            let word = text.trim_matches(['"', '\'']);
            if !(word == node.name || word.contains("ref(") && has_word(word, &node.name)) {
                continue;
            }
            let edited =
                |edit: &Placed| edit.file == at.file && edit.start < at.end as usize && (at.start as usize) < edit.end;
            let known = node.name_at.iter().chain(&node.keys).chain(&literals).any(|known| known.overlaps(*at));
            if !known && !edits.iter().any(edited) {
                let path = self.project.files.path(at.file);
                let (line, _) = line_and_position(self.project.files.text(at.file), at.start as usize);
                return Err(agentic(format!("`{path}` names the model in line {line}, where nothing is known of it")));
            }
        }
        Ok(())
    }

    /// The literals by which a target is called.
    fn literals(&self, target: Target) -> Vec<Span> {
        let nodes = self.project.nodes.iter().flat_map(|node| &node.edges);
        let tests = self.project.tests.iter().flat_map(|test| &test.edges);
        let exposures = self.project.exposures.iter().flat_map(|exposure| &exposure.edges);
        let edges = nodes.chain(tests).chain(exposures).filter(|edge| edge.target == target);
        edges.flat_map(|edge| &edge.places).flat_map(|(_, literals)| literals).copied().collect()
    }

    /// The columns that YAML declares.
    fn entry(&self, node: &Node, change: &TableChange, edits: &mut BTreeSet<Placed>) -> Result<(), Held> {
        for column in &node.columns {
            match said(change, column.name.text())? {
                Said::Same => {}
                Said::Renamed(made) => {
                    let at = span(&column.name).ok_or_else(|| agentic("the name of a column is made up"))?;
                    if column.name.text() != made.name {
                        edits.insert(replaced(at, &made.name));
                    }
                    self.new_type(column, change, made, edits)?;
                }
                Said::Gone => {
                    let others =
                        node.columns.iter().any(|other| !matches!(said(change, other.name.text()), Ok(Said::Gone)));
                    let at = self.item(column.at).filter(|_| others);
                    let at =
                        at.ok_or_else(|| agentic(format!("the entry of `{}` cannot be taken out", column.name)))?;
                    edits.insert(replaced(at, ""));
                }
            }
        }
        let contract = node.config.is_contract
            || node
                .renderings
                .iter()
                .flat_map(|way| &way.config)
                .any(|(key, value)| &**key == "contract" && value.text().contains("True"));
        let declared = |made: &MadeColumn| {
            made.value
                .columns()
                .iter()
                .any(|old| node.columns.iter().any(|column| column.name.text().eq_ignore_ascii_case(old)))
        };
        if contract && let Some(made) = change.made.iter().find(|made| !declared(made)) {
            return Err(agentic(format!("the model has a contract, which must have `{}`", made.name)));
        }
        Ok(())
    }

    /// The type of a column that gets another one.
    fn new_type(
        &self,
        column: &Column,
        change: &TableChange,
        made: &MadeColumn,
        edits: &mut BTreeSet<Placed>,
    ) -> Result<(), Held> {
        let Some(data_type) = &column.data_type else { return Ok(()) };
        let old = change.column(column.name.text()).map(|found| &found.name);
        if matches!(&made.value.node, expr::Node::Column(name) if Some(name) == old) {
            return Ok(());
        }
        let upper = !data_type.text().chars().any(char::is_lowercase);
        let style = Style { dialect: self.dialect, qualifier: "", upper, texts: &[] };
        let new = style.type_of(&made.data_type, made.value.nullable);
        let new = new.map_err(|why| agentic(format!("the type of `{}`: {why}", made.name)))?;
        let at = span(data_type).ok_or_else(|| agentic("the type of a column is made up"))?;
        edits.insert(replaced(at, &new));
        Ok(())
    }

    /// All lines of an item of a list in YAML, if it begins one with a dash and ends one.
    pub(super) fn item(&self, at: Span) -> Option<Span> {
        let text = self.project.files.text(at.file);
        let (start, end) = (at.start as usize, at.end as usize);
        let line = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let before = text.get(line..start)?.trim();
        let dash = before == "-" || before.strip_prefix('-').is_some_and(|rest| rest.trim() == "{");
        let rest = text.get(end..)?;
        let behind = if text.get(..end)?.ends_with('\n') { 0 } else { rest.find('\n')? + 1 };
        let ends = rest.get(..behind)?.trim_matches([' ', '\t', '\r', '\n', ']', '}', '"', '\'']).is_empty();
        (dash && ends).then(|| Span::new(at.file, line as u32..(end + behind) as u32))
    }

    /// What tests say of the maker's columns.
    fn tests_of(&self, maker: usize, change: &TableChange, edits: &mut BTreeSet<Placed>) -> Result<(), Held> {
        let target = Target::Node(maker);
        for test in &self.project.tests {
            let leads_there = test.edges.iter().any(|edge| edge.target == target);
            if !leads_there && test.subject != target {
                continue;
            }
            let gone = test.column.as_ref().is_some_and(|column| matches!(said(change, column.text()), Ok(Said::Gone)));
            let own = test.subject == target;
            for (name, argument) in test.arguments.iter().filter(|_| !(gone && own)) {
                Self::argument(test, (leads_there, own), change, (name, argument), edits)?;
            }
        }
        Ok(())
    }

    fn argument(
        test: &ColumnTest,
        (leads_there, own): (bool, bool),
        change: &TableChange,
        (name, argument): (&str, &Traced),
        edits: &mut BTreeSet<Placed>,
    ) -> Result<(), Held> {
        if is_elsewhere(test, name) && !leads_there {
            return Ok(());
        }
        let is_column = leads_there && name == "field" || own && ColumnTest::lists_columns(name);
        if !is_column && (!own || WORDS.contains(&name) || !speaks_of(change, argument.text())) {
            return Ok(());
        }
        let renamed = if is_column { said(change, argument.text())? } else { Said::Gone };
        match (renamed, span(argument)) {
            (Said::Same, _) if is_column => Ok(()),
            (Said::Renamed(made), Some(at)) => {
                if argument.text() != made.name {
                    edits.insert(replaced(at, &made.name));
                }
                Ok(())
            }
            _ => Err(agentic(format!("the test `{}` of the model speaks of a column in `{name}`", test.test))),
        }
    }

    /// What the model's own configuration says of its columns.
    fn settings_of(&self, node: &Node, change: &TableChange, edits: &mut BTreeSet<Placed>) -> Result<(), Held> {
        let given = node.renderings.iter().flat_map(|way| &way.config).map(|(key, value)| (&**key, value));
        let declared = node.settings.iter().map(|(key, value)| (key.as_str(), &**value));
        for (key, value) in given.chain(declared) {
            if WORDS.contains(&key) || !speaks_of(change, value.text()) {
                continue;
            }
            let refused = || agentic(format!("the configuration of the model speaks of a column in `{key}`"));
            if !COLUMN_SETTINGS.contains(&key) {
                return Err(refused());
            }
            for (at, word) in words(value.text()) {
                match said(change, word)? {
                    Said::Same => {}
                    Said::Renamed(made) if made.name == word => {}
                    Said::Renamed(made) => {
                        let at = value.copy_of(at..at + word.len()).ok_or_else(refused)?;
                        edits.insert(replaced(at, &made.name));
                    }
                    Said::Gone => return Err(refused()),
                }
            }
        }
        Ok(())
    }
}

pub(super) fn agentic(why: impl Into<String>) -> Held {
    Held { class: Class::Agentic, why: why.into() }
}

/// Whether an argument of a test names a column of what the test leads to, and not of what it stands at.
pub(super) fn is_elsewhere(test: &ColumnTest, argument: &str) -> bool {
    argument == "field" && test.edges.iter().any(|edge| edge.target != test.subject)
}

/// What becomes of a column where its name is said.
fn said<'a>(change: &'a TableChange, name: &str) -> Result<Said<'a>, Held> {
    let Some(old) = change.column(name).map(|found| found.name.as_str()) else { return Ok(Said::Same) };
    let of_it = change.made.iter().filter(|made| made.value.columns().contains(&old));
    let of_it: Vec<&MadeColumn> = of_it.collect();
    let carried: Vec<&MadeColumn> =
        of_it.iter().copied().filter(|made| matches!(made.value.node, expr::Node::Column(_))).collect();
    match (of_it.as_slice(), carried.as_slice()) {
        ([], _) => Ok(Said::Gone),
        (_, [one]) if one.name == name => Ok(Said::Same),
        (_, [one]) => Ok(Said::Renamed(one)),
        ([one], _) if one.value.columns().len() == 1 => Ok(Said::Renamed(one)),
        _ => Err(agentic(format!("`{old}` becomes other columns, and is spoken of where one name can stand"))),
    }
}

/// The words of a text that may be names, with their places.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut at = 0;
    text.split(move |letter| !part(letter)).filter_map(move |word| {
        let start = at;
        at +=
            word.len() + text.get(start + word.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((start, word))
    })
}

fn has_word(text: &str, name: &str) -> bool {
    words(text).any(|(_, word)| word == name)
}
