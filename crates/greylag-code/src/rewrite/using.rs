//! Joins by `using` of a column that changes its name or its type on one side: they become `on`.
//!
//! `using (a)` makes one column of two. As `on d.b = n.a` there are two, so each use of the one is given to the side whose value
//! it had: the left one, or the right one of a right join. A full join takes the value from either side and has no such text; nor
//! has a join of which one side has no name, or of more than two sides.

use super::{Style, Work};
use greylag_model::consumer::{Class, ColumnChange, Fate};
use greylag_syntax::sql::{ColumnUse, Origin, Role, Why};
use std::ops::Range;

/// A column that was one of two sides, by the side that its uses go to.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    query: Option<usize>,
    name: String,
    relation: usize,
}

impl Work<'_> {
    /// Turns the joins that must be into `on`; says where the uses of their columns go.
    pub(super) fn joins(&mut self) -> Vec<Joined> {
        let mut joined = Vec::new();
        let columns = &self.input.reading.columns;
        let mut lists: Vec<&Range<usize>> = columns.iter().filter_map(|column| column.using.as_ref()).collect();
        lists.dedup();
        for list in lists {
            let names: Vec<&ColumnUse> = columns.iter().filter(|column| column.using.as_ref() == Some(list)).collect();
            if !names.iter().any(|column| self.parts(column)) {
                continue;
            }
            match self.on(list, &names, &mut joined) {
                Ok((at, by)) => self.demand(at, by),
                Err(why) => {
                    let column = names.iter().find_map(|column| self.first(column));
                    if let Some((change, column)) = column {
                        self.find(list.clone(), Class::Agentic, change, Some(&column.name), why);
                    }
                }
            }
        }
        joined
    }

    /// Whether the sides of a column part: one of them changes, and not all in the same way.
    fn parts(&self, column: &ColumnUse) -> bool {
        let fates: Vec<Option<&Fate>> =
            column.from.iter().map(|origin| Some(&self.side(*origin, column)?.1.fate)).collect();
        let first = fates.first().copied().flatten();
        let renamed = first.is_some_and(|fate| matches!(fate, Fate::Same(_)));
        let moves = fates.iter().flatten().any(|fate| **fate != Fate::Same(column.name.text.to_string()));
        moves && !(renamed && fates.iter().all(|fate| *fate == first))
    }

    /// What becomes of the column on a side.
    fn side(&self, origin: Origin, column: &ColumnUse) -> Option<(usize, &ColumnChange)> {
        let (relation, name) = self.reach(origin, &column.name.text)?;
        let (change, _) = self.concerned[relation]?;
        Some((change, self.change(change).column(&name)?))
    }

    fn first(&self, column: &ColumnUse) -> Option<(usize, ColumnChange)> {
        let found = column.from.iter().find_map(|origin| self.side(*origin, column))?;
        Some((found.0, found.1.clone()))
    }

    fn on(
        &self,
        list: &Range<usize>,
        names: &[&ColumnUse],
        joined: &mut Vec<Joined>,
    ) -> Result<(Range<usize>, String), String> {
        let text = self.input.text;
        let before = text[..list.start].trim_end();
        let start = before.len().checked_sub(5).filter(|start| before[*start..].eq_ignore_ascii_case("using"));
        let start = start.ok_or("the word before the list is not `using`")?;
        let first = names.first().ok_or("the list is empty")?;
        let style = Style { upper: before[start..].starts_with('U'), ..self.style(first.statement) };
        let mut conditions = Vec::new();
        for column in names {
            let [Origin::Relation(left), Origin::Relation(right)] = column.from.as_slice() else {
                return Err(format!("`{}` is joined by `using`, and a side of it has no name", column.name.text));
            };
            let between =
                text.get(self.input.reading.relations[*left].range.end..start).unwrap_or_default().to_lowercase();
            let words = || between.split(|letter: char| !letter.is_alphanumeric());
            if words().any(|word| word == "full") {
                return Err(format!("`{}` is joined by `using` in a full join", column.name.text));
            }
            let kept = if words().any(|word| word == "right") { *right } else { *left };
            joined.push(Joined { query: column.query, name: column.name.text.to_lowercase(), relation: kept });
            let (left, right) = (self.value(*left, column, style)?, self.value(*right, column, style)?);
            conditions.push(format!("{left} = {right}"));
        }
        let and = format!(" {} ", style.word("and"));
        Ok((start..list.end, format!("{} {}", style.word("on"), conditions.join(&and))))
    }

    /// The old column of a relation, as an expression with the relation's name before it.
    fn value(&self, relation: usize, column: &ColumnUse, style: Style<'_>) -> Result<String, String> {
        let written = &self.input.text[column.name.range.clone()];
        let qualifier = format!("{}.", self.name_in_scope(relation));
        match self.side(Origin::Relation(relation), column) {
            None => Ok(format!("{qualifier}{written}")),
            Some((_, found)) => match &found.fate {
                Fate::Same(new) => Ok(format!("{qualifier}{}", style.name(new))),
                Fate::Computed(expr) => {
                    Style { qualifier: &qualifier, ..style }.write(expr).map_err(|why| why.to_string())
                }
                Fate::Replaced { why, .. } | Fate::Lost(why) => {
                    Err(format!("`{}` is joined by, and its values end: {why}", found.name))
                }
            },
        }
    }

    /// A use of a column that was one of two sides and is not any more; whether it was one.
    pub(super) fn of_joined(&mut self, column: &ColumnUse, joined: &[Joined]) -> bool {
        if column.role == Role::Using {
            let parts = self.parts(column);
            if let Some((change, found)) = self.first(column).filter(|_| parts) {
                self.refer(column, change, &found.name);
            }
            return parts;
        }
        if column.qualifier.is_some() || column.why == Why::OwnOutput {
            return false;
        }
        let name = column.name.text.to_lowercase();
        let Some(joined) = joined.iter().find(|one| one.query == column.query && one.name == name) else {
            return false;
        };
        let style = self.style(column.statement);
        match self.value(joined.relation, column, style) {
            Ok(value) => {
                let last = value.rsplit('.').next().unwrap_or_default();
                let keeps = last.eq_ignore_ascii_case(&column.name.text);
                let alias = if column.place.bare.is_some() && !keeps { self.alias(column) } else { String::new() };
                self.demand(column.range.clone(), format!("{value}{alias}"));
            }
            Err(why) => {
                if let Some((change, found)) = self.first(column) {
                    self.find(column.range.clone(), Class::Agentic, change, Some(&found.name), why);
                }
            }
        }
        if let Some((change, found)) = self.first(column) {
            self.refer(column, change, &found.name);
        }
        true
    }
}
