//! Rewriting: what must change in code so that it reads the new dataset and gives what it gave before.
//!
//! # From a mapping to bytes
//!
//! 1. A text (a file of SQL, or a rendering of a template) was read: its relations and columns are known by their places. What
//!    names an old dataset or a column of one is a *reference*; [`wanted()`] says what each of them asks for: a *demand*, the bytes
//!    of the text that change and what they become; or a *finding*, why no rule can do it there.
//! 2. Demands are about rendered text. They become *edits* of files by the origins of their bytes.
//! 3. Edits are made only if they are right everywhere: with all of them applied, everything that is made of an edited byte is
//!    rendered again and must be, byte for byte, the old rendering with its own demands applied. So the bytes of a macro
//!    that two models call change only if both asked for the same, and a literal that also steers a condition is noticed.
//!
//! # What a column's reader gets
//!
//! An old column's value comes by the mapping's way back (see [`greylag_model::consumer`]): by another name, by an expression, or
//! not at all. A select item that is just the column keeps its output's name by an alias, so that nothing that reads the
//! statement notices. A star over the old dataset is left alone if all that comes through it is named further up in the same statement,
//! where the names change instead; else it is written out.
//!
//! # What makes the dataset, and the way back
//!
//! A query that makes the old dataset must give the new one's columns: `writer` asks for them where the old ones stand in its select
//! list. A change that undoes another one knows what that one writes, and `restore` puts back what stood there before; what it does not
//! recognise is rewritten as in any other reader.
//!
//! **Invariants:** a text without references asks for nothing; the same text asks for the same; a demand's bytes are a name or
//! an expression and nothing beside it; a reference is never passed over: it is unchanged by the mapping, demanded or found.

mod arms;
mod column;
mod place;
mod print;
mod reach;
mod relation;
mod restore;
mod shown;
mod star;
mod taken;
#[cfg(test)]
mod tests;
mod using;
mod whole;
mod writer;

pub use place::{Placed, Unplaced, place};
pub use print::{Style, Unwritable};
pub(crate) use restore::notes;
pub use shown::shown;

use greylag_model::consumer::{Class, TableChange};
use greylag_model::reference::{Confidence, Role};
use greylag_model::spec::Judgement;
use greylag_model::table::Meeting;
use greylag_syntax::sql::{Dialect, Reading};
use std::collections::HashSet;
use std::ops::Range;

/// A text that was read, and the changes that it may be concerned by.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The text.
    pub text: &'a str,
    /// Its dialect.
    pub dialect: Dialect,
    /// What it says.
    pub reading: &'a Reading,
    /// What changes.
    pub changes: &'a [TableChange],
}

/// Bytes of the text and what they become.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Demand {
    /// The bytes.
    pub at: Range<usize>,
    /// What they become.
    pub by: String,
}

/// A place where no rule can do what is needed, or a person must look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The bytes.
    pub at: Range<usize>,
    /// What it makes of the consumer.
    pub class: Class,
    /// Why.
    pub why: String,
    /// The dataset's change, by number.
    pub change: usize,
    /// The old column, if it is about one.
    pub column: Option<String>,
}

/// A reference in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The bytes of the name.
    pub at: Range<usize>,
    /// The dataset's change, by number.
    pub change: usize,
    /// The old column, if it names one.
    pub column: Option<String>,
    /// What is done with it.
    pub role: Role,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why no surer.
    pub why: String,
}

/// What a text asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What changes, by place; no two overlap.
    pub demands: Vec<Demand>,
    /// What no rule can do, by place.
    pub findings: Vec<Finding>,
    /// Comments with the guide, behind the columns that a person must judge; made where a person is asked, instead of the
    /// demands.
    pub notes: Vec<Demand>,
    /// All references, by place.
    pub references: Vec<Found>,
    /// Whether a star that stays shows whoever reads the text the columns of the new dataset.
    pub shows_new: bool,
}

impl Wanted {
    /// What it makes of the text.
    pub fn class(&self) -> Class {
        let found = self.findings.iter().map(|finding| finding.class).max();
        let least = if self.references.is_empty() { Class::Unaffected } else { Class::Mechanical };
        found.unwrap_or(least).max(least)
    }
}

/// What a text asks for, given what changes.
pub fn wanted(input: Input<'_>) -> Wanted {
    let mut work = Work::new(input);
    work.relations();
    work.kept = work.stars();
    work.wholes();
    work.restore();
    work.columns();
    work.taken();
    work.regions();
    work.done()
}

/// What a text asks for that makes one of the datasets that change, by its number: besides what it reads, what it gives.
pub fn wanted_of_writer(input: Input<'_>, change: usize) -> Wanted {
    let mut work = Work::new(input);
    work.relations();
    work.kept = work.stars();
    work.wholes();
    let arms = work.outputs(change);
    work.promise(change, &arms);
    work.restore();
    work.columns();
    work.regions();
    work.give(change, &arms);
    work.done()
}

/// The comment for a person behind a column.
fn note_text(judgement: &Judgement) -> String {
    format!(" /* judgement: {} {} */", judgement.text, judgement.guide)
}

/// The text while it is looked at.
struct Work<'a> {
    input: Input<'a>,
    /// Of each relation: the change that it is concerned by, and how much of the name said so.
    concerned: Vec<Option<(usize, Meeting)>>,
    /// Stars that are written out, so that what comes through them keeps its names.
    kept: HashSet<usize>,
    /// Items that are named otherwise, since the text makes a dataset that changes.
    given: Vec<writer::Given>,
    /// The change of the dataset that the text makes.
    writes: usize,
    /// Places where what the rules had written was taken back.
    restored: Vec<Range<usize>>,
    wanted: Wanted,
}

impl<'a> Work<'a> {
    fn new(input: Input<'a>) -> Self {
        let concerned = input.reading.relations.iter().map(|relation| {
            let parts: Vec<&str> = relation.parts.iter().map(|part| &*part.text).collect();
            let meets = input.changes.iter().enumerate().filter_map(|(number, change)| {
                let meeting = change.old.iter().filter_map(|old| old.meets(&parts)).max()?;
                Some((number, meeting))
            });
            meets.max_by_key(|(number, meeting)| (*meeting, std::cmp::Reverse(*number)))
        });
        let concerned = concerned.collect();
        Self {
            input,
            concerned,
            kept: HashSet::new(),
            given: Vec::new(),
            writes: 0,
            restored: Vec::new(),
            wanted: Wanted::default(),
        }
    }

    fn change(&self, number: usize) -> &'a TableChange {
        &self.input.changes[number]
    }

    fn demand(&mut self, at: Range<usize>, by: impl Into<String>) {
        let by = by.into();
        if self.input.text.get(at.clone()) != Some(by.as_str()) {
            self.wanted.demands.push(Demand { at, by });
        }
    }

    /// Asks for a comment behind a place, unless it stands there.
    fn note(&mut self, behind: usize, judgement: &Judgement) {
        let by = note_text(judgement);
        let words = by.trim_start_matches(" /*").trim_end_matches("*/");
        let ends = ["*/", "{{", "}}", "{%", "%}", "{#", "#}"].iter().any(|sign| words.contains(sign));
        let stands = self.input.text.get(behind..).is_some_and(|rest| rest.starts_with(&by));
        if !ends && !stands && !words.chars().any(char::is_control) {
            self.wanted.notes.push(Demand { at: behind..behind, by });
        }
    }

    fn find(&mut self, at: Range<usize>, class: Class, change: usize, column: Option<&str>, why: impl Into<String>) {
        let column = column.map(str::to_owned);
        self.wanted.findings.push(Finding { at, class, why: why.into(), change, column });
    }

    /// How code is written where a place is: whether keywords are in upper case follows the statement's first word.
    fn style(&self, statement: usize) -> Style<'static> {
        let range = self.input.reading.statements.get(statement).map_or(0..0, |statement| statement.range.clone());
        let text = self.input.text.get(range).unwrap_or_default();
        let upper = text.chars().next().is_some_and(char::is_uppercase);
        Style { dialect: self.input.dialect, qualifier: "", upper, texts: &[] }
    }

    /// Regions that were not understood, if the old dataset may be named in them.
    fn regions(&mut self) {
        for region in &self.input.reading.unknown {
            let text = self.input.text.get(region.range.clone()).unwrap_or_default().to_lowercase();
            for (number, change) in self.input.changes.iter().enumerate() {
                if change.old.iter().any(|old| text.contains(&old.last().to_lowercase())) {
                    let why = format!("it may name `{}`, but could not be read: {}", change.dataset, region.reason);
                    self.find(region.range.clone(), Class::Unknown, number, None, why);
                }
            }
        }
    }

    fn done(mut self) -> Wanted {
        let place = |at: &Range<usize>| (at.start, at.end);
        self.wanted.demands.sort_by(|one, other| (place(&one.at), &one.by).cmp(&(place(&other.at), &other.by)));
        self.wanted.demands.dedup();
        self.wanted.notes.sort_by_key(|note| place(&note.at));
        self.wanted.notes.dedup();
        self.wanted.findings.sort_by_key(|finding| (place(&finding.at), finding.class));
        self.wanted.findings.dedup();
        self.wanted.references.sort_by_key(|found| place(&found.at));
        self.wanted.references.dedup();
        self.wanted
    }
}
