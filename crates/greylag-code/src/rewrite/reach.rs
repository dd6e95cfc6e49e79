//! Whether a use of a column reaches the old dataset.
//!
//! A use that resolves to an output of another block has that output's name, which is kept; only what comes through stars
//! has the dataset's own names, so only stars are looked through.

use super::Work;
use greylag_syntax::sql::{Feed, Origin, OutputKind, QueryKind};

/// How many stars over stars are looked through.
const DEPTH: usize = 32;

impl Work<'_> {
    /// The relation and the column of it that a name means which comes from an origin, if it is a concerned relation and
    /// nothing but stars that are not written out lies between.
    pub(super) fn reach(&self, origin: Origin, name: &str) -> Option<(usize, String)> {
        self.reach_within(origin, name, DEPTH)
    }

    fn reach_within(&self, origin: Origin, name: &str, depth: usize) -> Option<(usize, String)> {
        let depth = depth.checked_sub(1)?;
        let (query, output) = match origin {
            Origin::Relation(relation) => {
                return self.concerned.get(relation).copied().flatten().map(|_| (relation, name.to_owned()));
            }
            Origin::Output { query, output } => (query, output),
        };
        let block = self.input.reading.queries.get(query)?;
        if block.kind != QueryKind::Select {
            return None;
        }
        let output = block.outputs.get(output)?;
        let star = match output.kind {
            OutputKind::Star(star) => star,
            _ => self.input.reading.stars.iter().position(|star| star.query == query && star.item == output.range)?,
        };
        if self.kept.contains(&star) {
            return None;
        }
        let star = &self.input.reading.stars[star];
        let renamed = star.rename.iter().find(|(_, new)| new.text.eq_ignore_ascii_case(name));
        let name = renamed.map_or(name, |(old, _)| &old.text);
        if star.replace.iter().any(|replaced| replaced.text.eq_ignore_ascii_case(name)) {
            return None;
        }
        if let [Feed::Column(origin, column)] = output.feeds.as_slice() {
            return self.reach_within(*origin, column, depth);
        }
        let mut reached = star.from.iter().filter_map(|origin| self.reach_within(*origin, name, depth));
        reached.find(|(relation, name)| {
            let change = self.concerned[*relation].map(|(change, _)| self.change(change));
            change.is_some_and(|change| change.column(name).is_some())
        })
    }
}
