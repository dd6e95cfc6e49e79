//! Relations that are pivoted, unpivoted, searched for a pattern or read by place: what of them is not named counts, too.
//!
//! A pivot groups by every column that it does not name, so one column more is another result, and there is no place where a value that changed
//! could be turned back. Only where the new dataset has the same columns in the same order, with the same values, is the text right as it
//! stands.

use super::Work;
use greylag_model::consumer::{Class, ColumnChange, Fate};

impl Work<'_> {
    /// Decides on every relation that is taken as a whole.
    pub(super) fn wholes(&mut self) {
        for whole in &self.input.reading.wholes {
            let mut over: Vec<(usize, usize)> =
                whole.from.iter().filter_map(|origin| self.of_relation(*origin)).collect();
            over.dedup();
            for (relation, change) in over {
                if self.keeps_all(change) || self.only_renames(change) && !self.exposes(whole.query) {
                    continue;
                }
                let why = "it is pivoted, searched for a pattern or read by place: columns that the text does not name \
                           count, too, and they change";
                let at = self.input.reading.relations[relation].range.clone();
                self.find(at, Class::Agentic, change, None, why);
            }
        }
    }

    /// Whether the new dataset has the columns of the old one in their places and with their values, if under other names.
    fn only_renames(&self, change: usize) -> bool {
        let change = self.change(change);
        let keeps = |(old, new): (&ColumnChange, &String)| {
            old.judgement.is_none() && matches!(&old.fate, Fate::Same(name) if name == new)
        };
        let pairs = change.columns.iter().zip(&change.target);
        change.columns.len() == change.target.len() && !change.is_open() && pairs.into_iter().all(keeps)
    }

    /// Whether a use of a column can be no other name or no expression, and would have to be: then somebody is needed.
    pub(super) fn is_stuck(&mut self, at: usize, relation: usize, name: &str) -> bool {
        let (mut bare, mut spelled) = (false, false);
        for whole in &self.input.reading.wholes {
            bare |= whole.bare.contains(&at);
            spelled |= whole.spelled.contains(&at);
        }
        let Some((number, _)) = self.concerned[relation].filter(|_| bare) else { return false };
        let Some(found) = self.change(number).column(name) else { return false };
        let why = match &found.fate {
            Fate::Same(new) if new != &found.name && spelled => "the name of the column becomes a value of the rows",
            Fate::Computed(_) => "an expression cannot stand here",
            _ => return false,
        };
        let (why, name) = (why.to_owned(), found.name.clone());
        let column = &self.input.reading.columns[at];
        self.refer(column, number, &name);
        self.find(column.range.clone(), Class::Agentic, number, Some(&name), why);
        true
    }
}
