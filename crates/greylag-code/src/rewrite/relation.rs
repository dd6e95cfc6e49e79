//! Names of the old dataset itself, and qualifiers that repeat them.

use super::print::{is_plain, quoted};
use super::{Found, Work};
use greylag_model::consumer::{Class, TableChange};
use greylag_model::reference::{self, Role};
use greylag_model::table::{Meeting, TableName};
use greylag_syntax::sql::{Confidence, Dialect, Name, Origin, Quoting, RelationRole, RelationUse};
use std::ops::Range;

impl Work<'_> {
    /// References to relations, what they ask for, and the qualifiers that repeat their names.
    pub(super) fn relations(&mut self) {
        let relations = &self.input.reading.relations;
        for (number, relation) in relations.iter().enumerate() {
            let Some((change, meeting)) = self.concerned[number] else { continue };
            self.refer_to_relation(relation, change, meeting);
            match relation.role {
                RelationRole::Create | RelationRole::Alter | RelationRole::Drop | RelationRole::Truncate => {
                    let why = format!("the code makes or alters `{}` itself", self.change(change).dataset);
                    self.find(relation.range.clone(), Class::Agentic, change, None, why);
                }
                RelationRole::Insert if self.input.reading.statements[relation.statement].target_columns.is_empty() => {
                    let why = format!("rows are inserted into `{}` by position", self.change(change).dataset);
                    self.find(relation.range.clone(), Class::Agentic, change, None, why);
                }
                _ => {}
            }
            match self.renamed(relation, self.change(change)) {
                Ok(demands) => {
                    for (at, by) in demands {
                        self.demand(at, by);
                    }
                    self.qualifiers(number, relation, change);
                }
                Err(why) => self.find(relation.range.clone(), Class::Agentic, change, None, why),
            }
        }
    }

    fn refer_to_relation(&mut self, relation: &RelationUse, change: usize, meeting: Meeting) {
        let role = match relation.role {
            RelationRole::Read => Role::Read,
            RelationRole::Mention => Role::Other,
            _ => Role::Write,
        };
        let (confidence, why) = match (relation.confidence, meeting) {
            (Confidence::Certain, Meeting::Whole) => (reference::Confidence::Certain, ""),
            (Confidence::Certain, Meeting::End) => {
                (reference::Confidence::Likely, "the name says more or less than the dataset's name in code")
            }
            (Confidence::Likely, _) => (reference::Confidence::Likely, "the statement could not be read in full"),
            (Confidence::Unknown, _) => (reference::Confidence::Unknown, "the statement was not understood"),
        };
        if confidence == reference::Confidence::Unknown {
            self.find(relation.range.clone(), Class::Unknown, change, None, why);
        }
        let at = relation.range.clone();
        self.wanted.references.push(Found { at, change, column: None, role, confidence, why: why.to_owned() });
    }

    /// The parts of the name that change, and what they become.
    fn renamed(&self, relation: &RelationUse, change: &TableChange) -> Result<Vec<(Range<usize>, String)>, String> {
        let said: Vec<&str> = relation.parts.iter().map(|part| &*part.text).collect();
        let old = change.old.iter().filter(|old| old.meets(&said).is_some()).max_by_key(|old| old.meets(&said));
        let Some(old) = old else { return Err("the name is none of the dataset's".to_owned()) };
        let wanted = new_parts(&said, old, &change.new);
        if wanted.len() != relation.parts.len() {
            let whole = TableName::of(&wanted).ok_or("the new name is empty")?;
            let parts: Vec<String> = whole.parts().iter().map(|part| self.part(part, Quoting::None, '"')).collect();
            return Ok(vec![(relation.range.clone(), parts.join("."))]);
        }
        let changed = relation.parts.iter().zip(&wanted).filter(|(part, new)| part.text.as_ref() != new.as_str());
        Ok(changed.map(|(part, new)| self.replaced(part, new)).collect())
    }

    /// Where the letters of a name stand that becomes another, and what stands there then; quotes stay if they can.
    pub(super) fn replaced(&self, name: &Name, new: &str) -> (Range<usize>, String) {
        let text = self.input.text.get(name.range.clone()).unwrap_or_default();
        match (name.quoting, text.chars().next()) {
            (Quoting::Own, Some(quote)) if text.len() >= 2 && !new.contains(closing(quote)) => {
                (name.range.start + quote.len_utf8()..name.range.end - 1, new.to_owned())
            }
            (quoting, first) => (name.range.clone(), self.part(new, quoting, first.unwrap_or('"'))),
        }
    }

    /// A part of a name, with quotes if it needs them.
    fn part(&self, part: &str, quoting: Quoting, quote: char) -> String {
        match quoting {
            Quoting::Shared => part.to_owned(),
            Quoting::Own => quoted(part, closing(quote)),
            Quoting::None if is_plain(part) => part.to_owned(),
            Quoting::None if matches!(self.input.dialect, Dialect::BigQuery | Dialect::Spark) => quoted(part, '`'),
            Quoting::None => quoted(part, '"'),
        }
    }

    /// Columns and stars that are qualified by the relation's own name.
    fn qualifiers(&mut self, number: usize, relation: &RelationUse, change: usize) {
        let change = self.change(change);
        if relation.alias.is_some() || relation.parts.last().is_some_and(|last| *last.text == *change.new.last()) {
            return;
        }
        let reading = self.input.reading;
        let of_it = |from: &[Origin]| from.contains(&Origin::Relation(number));
        let columns =
            reading.columns.iter().filter(|column| of_it(&column.from)).filter_map(|column| column.qualifier.clone());
        let stars = reading.stars.iter().filter(|star| of_it(&star.from)).filter_map(|star| star.qualifier.clone());
        let old = relation.parts.last().map_or("", |last| &*last.text);
        for qualifier in columns.chain(stars).collect::<Vec<_>>() {
            let Some(text) = self.input.text.get(qualifier.clone()) else { continue };
            let Some(last) = last_part(text) else { continue };
            let at = qualifier.start + last.start..qualifier.start + last.end;
            let letters = &self.input.text[at.clone()];
            if letters.eq_ignore_ascii_case(old) {
                let quoting = if last.start > 0 && !text[..last.start].ends_with('.') || last.end < text.len() {
                    Quoting::Shared
                } else {
                    Quoting::None
                };
                let by = self.part(change.new.last(), quoting, '"');
                self.demand(at, by);
            }
        }
    }
}

/// The quote that closes one.
fn closing(quote: char) -> char {
    if quote == '[' { ']' } else { quote }
}

/// The bytes of the last part of a dotted name, without quotes around it.
fn last_part(text: &str) -> Option<Range<usize>> {
    let quote = text.chars().last()?;
    if matches!(quote, '"' | '`') {
        let end = text.len() - 1;
        let start = text[..end].rfind([quote, '.'])? + 1;
        return Some(start..end);
    }
    Some(text.rfind('.').map_or(0, |dot| dot + 1)..text.len())
}

/// What a name in code becomes: as much of the new name as the code said of the old one, if what it left out is the same.
fn new_parts(said: &[&str], old: &TableName, new: &TableName) -> Vec<String> {
    let (old, new) = (old.parts(), new.parts());
    if said.len() > old.len() && new.len() == old.len() {
        let more = said[..said.len() - old.len()].iter().map(|part| (*part).to_owned());
        return more.chain(new.iter().cloned()).collect();
    }
    let left_out = old.len().saturating_sub(said.len());
    let same = new.len() == old.len() && old[..left_out] == new[..left_out];
    if same { new[left_out..].to_vec() } else { new.to_vec() }
}
