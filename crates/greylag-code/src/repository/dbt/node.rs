//! What nodes ask for.

use super::makes::may_be_made_by;
use super::{Ask, Held, Look, Placed};
use crate::dbt::{self, Node, NodeKind, NodeRendering, Target, is_printed_plain, unquoted};
use crate::repository::{Known, Seen};
use crate::rewrite::{self, Demand, Input, Wanted, notes, place, wanted, wanted_of_writer};
use greylag_model::consumer::Class;
use greylag_syntax::jinja::value::{HOLE, Open};
use greylag_syntax::sql::{ColumnUse, Origin, Reading, read};
use greylag_syntax::trace::{self, Mark, Traced};
use std::ops::Range;

impl Look<'_> {
    /// Asks every node that reads something concerned.
    pub(super) fn nodes(&mut self, seen: &mut Seen) {
        let mut asks = std::mem::take(&mut self.asks);
        for (number, node) in self.project.nodes.iter().enumerate() {
            seen.sql += u64::from(!node.renderings.is_empty());
            seen.bytes += u64::from(node.at.len());
            let makes = self.makers.get(&number).copied();
            if let Some(change) =
                may_be_made_by(node, &self.changes[..self.own], &self.concerned).filter(|_| makes.is_none())
            {
                let dataset = &self.changes[change].dataset;
                let mut ask = self.ask(node, None, seen);
                let why = format!("it is called as `{dataset}`, and only the target knows whether it makes it");
                ask.hold(Class::Unknown, why);
                asks.insert(number, ask);
            } else if makes.is_some() || self.may_read(node) {
                let mut ask = self.ask(node, makes, seen);
                let shows_new = ask.wanted.iter().flatten().any(|wanted| wanted.shows_new);
                if shows_new && self.readers(Target::Node(number)).any(|reader| reader != number) {
                    ask.hold(Class::Agentic, "a star of it stays and shows other columns, and other nodes read them");
                }
                if let Some(held) = makes.and_then(|change| self.unmovable(number, change)) {
                    ask.hold(held.class, held.why);
                }
                asks.insert(number, ask);
            }
        }
        self.asks = asks;
    }

    /// Whether a node refers to a concerned source, or has the name of a changed table in its text.
    pub(super) fn may_read(&self, node: &Node) -> bool {
        let concerned = |target: Target| matches!(target, Target::Source(source) if self.concerned[source].is_some());
        if node.edges.iter().any(|edge| concerned(edge.target)) {
            return true;
        }
        let notes = || self.changes.iter().flat_map(notes).map(|note| note.to_lowercase());
        let tables = || self.changes.iter().flat_map(|change| &change.old).map(|old| old.last().to_lowercase());
        let names = || tables().chain(notes());
        let texts = node.renderings.iter().filter_map(|rendering| rendering.text.as_ref().ok());
        let mut texts = texts.map(|text| text.text().to_lowercase());
        texts.any(|text| names().any(|name| text.contains(&name)))
    }

    /// What a node asks for, and whether it makes a changed dataset.
    fn ask(&self, node: &Node, makes: Option<usize>, seen: &mut Seen) -> Ask {
        let mut ask = Ask::default();
        if node.kind == NodeKind::PythonModel {
            ask.hold(Class::Unknown, "it is a model in Python, which is not read");
        }
        if node.truncated {
            ask.hold(Class::Unknown, "its template can go in more ways than were looked at");
        }
        if node.in_threes {
            // Where a column is of may hang on more conditions at once than were looked at.
            ask.hold(
                Class::Agentic,
                "its template can go in so many ways that its conditions were looked at in threes",
            );
        }
        let readings: Vec<Option<Reading>> =
            node.renderings.iter().map(|way| Some(self.reading(way.text.as_ref().ok()?))).collect();
        let whole: Vec<bool> =
            readings.iter().map(|reading| reading.as_ref().is_some_and(|reading| reading.unknown.is_empty())).collect();
        let taken = dbt::taken(&node.renderings, &whole);
        for ((rendering, reading), taken) in node.renderings.iter().zip(&readings).zip(taken) {
            let wanted = match (&rendering.text, reading) {
                _ if !taken => None,
                (Ok(text), Some(reading)) => {
                    Some(self.wanted((text, reading), &rendering.holes, makes, &mut ask, seen))
                }
                (Err(error), _) => {
                    ask.hold(Class::Unknown, format!("its template cannot be rendered: {}", error.message));
                    None
                }
                (Ok(_), None) => None,
            };
            if let (Some(wanted), Ok(text)) = (&wanted, &rendering.text) {
                let class = wanted.class();
                if class > Class::Mechanical {
                    let why =
                        wanted.findings.iter().filter(|finding| finding.class == class).map(|finding| &finding.why);
                    ask.hold(class, why.min().cloned().unwrap_or_default());
                }
                for demand in &wanted.demands {
                    self.placed(text, demand, rendering, &mut ask);
                }
                for note in &wanted.notes {
                    match place(text, note) {
                        Ok(rewrite::Placed::Edit(file, edit)) if file == node.file => {
                            ask.notes.insert(Placed::new(file, edit));
                        }
                        _ => ask.unnoted = true,
                    }
                }
            }
            ask.wanted.push(wanted);
        }
        ask
    }

    pub(super) fn reading(&self, text: &Traced) -> Reading {
        read(text.text(), self.dialect, &Known(&self.changes))
    }

    fn wanted(
        &self,
        (text, reading): (&Traced, &Reading),
        holes: &[Open],
        makes: Option<usize>,
        ask: &mut Ask,
        seen: &mut Seen,
    ) -> Wanted {
        seen.statements += reading.statements.len() as u64;
        seen.unknown += reading.unknown.len() as u64;
        let input = Input { text: text.text(), dialect: self.dialect, reading, changes: &self.changes };
        let mut wanted = match makes {
            Some(change) => wanted_of_writer(input, change),
            None => wanted(input),
        };
        wanted.demands.iter_mut().for_each(|demand| as_printed(text, demand));
        if !wanted.references.is_empty() {
            for (at, hole) in holes_in(text, holes) {
                // A name that resolves to something else than a changed dataset is that one's matter.
                let named = |column: &&ColumnUse| column.name.range.start < at.end && at.start < column.name.range.end;
                if reading.columns.iter().filter(named).any(|column| self.may_be_concerned(reading, column)) {
                    ask.hold(
                        Class::Unknown,
                        format!("`{}` gives the name of a column, and only a run knows it", hole.what),
                    );
                }
            }
        }
        wanted
    }

    /// Whether a column may be one of a changed dataset.
    fn may_be_concerned(&self, reading: &Reading, column: &ColumnUse) -> bool {
        let concerned = |origin: &Origin| match origin {
            Origin::Relation(relation) => {
                let parts: Vec<&str> = reading.relations[*relation].parts.iter().map(|part| &*part.text).collect();
                self.changes.iter().any(|change| change.old.iter().any(|old| old.meets(&parts).is_some()))
            }
            Origin::Output { .. } => false,
        };
        column.from.is_empty() || column.from.iter().any(concerned)
    }

    /// Finds where a demand is met.
    fn placed(&self, text: &Traced, demand: &Demand, rendering: &NodeRendering, ask: &mut Ask) {
        match place(text, demand) {
            Ok(rewrite::Placed::Edit(file, edit)) => {
                ask.edits.insert(Placed::new(file, edit));
            }
            Ok(rewrite::Placed::Marked(mark)) if mark.0 & HOLE == 0 => {
                let target = rendering.references.get(mark.0 as usize).and_then(|reference| reference.target);
                match target {
                    Some(Target::Source(source)) if self.concerned[source].is_some() => {
                        ask.sources.insert(source);
                    }
                    Some(Target::Node(maker)) if self.makers.contains_key(&maker) => {}
                    Some(Target::Node(_)) => {
                        ask.hold(Class::Agentic, "it reads the dataset from a model that is not known to make it");
                    }
                    _ => ask.hold(Class::Agentic, "the dataset is named by something else than a source"),
                }
            }
            Ok(rewrite::Placed::Marked(_)) => {
                ask.hold(Class::Unknown, "a name that changes is known only when it runs");
            }
            Err(why) => {
                let words = text.text().get(demand.at.clone()).unwrap_or_default();
                ask.hold(Class::Agentic, format!("`{words}` must become `{}`, but {why}", demand.by));
            }
        }
    }
}

impl Ask {
    /// Holds the node; the most difficult reason stands.
    pub(super) fn hold(&mut self, class: Class, why: impl Into<String>) {
        if self.held.as_ref().is_none_or(|held| held.class < class) {
            self.held = Some(Held { class, why: why.into() });
        }
    }
}

/// A demand of a name that a call makes, as the call prints it: what needs quotes as a word of SQL is printed without them, and what
/// has them now may need none.
fn as_printed(text: &Traced, demand: &mut Demand) {
    let name = unquoted(&demand.by);
    if !matches!(place(text, demand), Ok(rewrite::Placed::Marked(mark)) if mark.0 & HOLE == 0)
        || !is_printed_plain(name)
    {
        return;
    }
    let (before, behind) = (&text.text()[..demand.at.start], &text.text()[demand.at.end..]);
    if ['"', '`'].iter().any(|quote| before.ends_with(*quote) && behind.starts_with(*quote)) {
        demand.at = demand.at.start - 1..demand.at.end + 1;
    }
    demand.by = name.to_owned();
}

/// Where open values stand in a text.
fn holes_in<'a>(text: &'a Traced, holes: &'a [Open]) -> impl Iterator<Item = (Range<usize>, &'a Open)> {
    text.stretches().filter_map(|(range, origin)| match origin {
        trace::Origin::Made { mark: Some(Mark(mark)), .. } if mark & HOLE != 0 => {
            Some((range, holes.iter().find(|hole| hole.number == mark & !HOLE)?))
        }
        _ => None,
    })
}
