//! The rows that a proof tries: made up in several rounds, and real ones where there are any.

use super::rows::pool::Literals;
use super::rows::view::change;
use super::rows::{self, Drawing, Rows};
use greylag_driver::error::DriverError;
use greylag_model::consumer::Fate;
use greylag_model::proof::{Content, ProofRequest, Relation};
use greylag_model::schema::Schema;
use greylag_model::table::TableName;
use greylag_model::types::DataType;

/// The rows of one round, for every relation.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) rows: Vec<Rows>,
    /// Real rows among them.
    pub(super) sampled: u64,
    /// Whether it is the one to look closer at.
    pub(super) look: bool,
}

/// Draws the rows of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trials<'a> {
    pub(super) request: &'a ProofRequest,
    pub(super) literals: &'a Literals,
    /// The type of columns whose types were guessed, if another one than the guess is tried.
    pub(super) guess: Option<&'a DataType>,
}

/// Types for what was guessed: as guessed, then all of one kind.
pub(super) fn guesses(request: &ProofRequest) -> Vec<Option<DataType>> {
    let guessed = |content: &Content| matches!(content, Content::Same { guessed: true, .. });
    if request.relations.iter().any(|relation| guessed(&relation.content)) {
        vec![None, Some(DataType::Int64), Some(DataType::String), Some(DataType::Float64)]
    } else {
        vec![None]
    }
}

/// Old columns whose values the mappings of a request change.
pub(super) fn replaced(request: &ProofRequest) -> Vec<String> {
    let mappings = request.relations.iter().filter_map(|relation| match &relation.content {
        Content::Changed(mapping) => Some(mapping),
        Content::Same { .. } => None,
    });
    let columns = mappings.flat_map(|mapping| change(mapping).columns);
    columns.filter(|column| matches!(column.fate, Fate::Replaced { .. })).map(|column| column.name).collect()
}

impl Trials<'_> {
    /// The rows of a round.
    pub(super) fn made(&self, round: u32) -> Result<Trial, DriverError> {
        let effort = self.request.effort;
        let all = effort.rows.max(1) as usize;
        // Few rows show what many hide: whether there is any, the least, the only one.
        let rows = match round {
            0 => all.div_ceil(8),
            2 => all,
            5 => all.div_ceil(2),
            last if last + 1 == effort.rounds => all,
            odd => 1 + odd as usize % 4,
        };
        let seed = effort.seed.wrapping_add(u64::from(round));
        let wild = round > 0 && round + 1 == effort.rounds;
        let rows = self.drawn(Drawing { seed, rows, literals: self.literals, wild })?;
        Ok(Trial { rows, sampled: 0, look: round == 2 || effort.rounds <= 2 })
    }

    /// Real rows, where there are any: other relations are made up, with values of theirs among them. Datasets whose rows cannot be read are
    /// added to `unread`.
    pub(super) fn real(&self, unread: &mut Vec<String>) -> Result<Option<Trial>, DriverError> {
        let mut literals = self.literals.clone();
        let mut real = Vec::new();
        for relation in &self.request.relations {
            let rows = match (&relation.sample, &relation.content) {
                (Some(sample), Content::Changed(mapping)) => Some(rows::sample::sampled(sample, mapping)),
                _ => None,
            };
            // What cannot be read is no reason against the texts. The error's words may hold what is in the files.
            if rows.as_ref().is_some_and(Result::is_err) {
                unread.extend(relation.old.first().map(TableName::to_string));
            }
            let rows = rows.and_then(Result::ok);
            let rows = rows.filter(|rows| !rows.old.is_empty());
            if let Some(rows) = &rows {
                rows::sample::literals(rows, &mut literals);
            }
            real.push(rows);
        }
        let count: usize = real.iter().flatten().map(|rows| rows.old.len()).sum();
        if count == 0 {
            return Ok(None);
        }
        let rows = self.request.effort.rows.max(1) as usize;
        let made_up = self.drawn(Drawing { seed: self.request.effort.seed, rows, literals: &literals, wild: false })?;
        let rows = made_up.into_iter().zip(real).map(|(made_up, real)| real.unwrap_or(made_up)).collect();
        Ok(Some(Trial { rows, sampled: count as u64, look: false }))
    }

    /// Rows of every relation.
    fn drawn(&self, drawing: Drawing<'_>) -> Result<Vec<Rows>, DriverError> {
        let of = |(at, relation): (usize, &Relation)| {
            // No two have the same number of rows, so that one is not counted for the other.
            let drawing = Drawing { rows: drawing.rows + at * drawing.rows.div_ceil(16), ..drawing };
            match &relation.content {
                Content::Changed(mapping) => rows::changed(mapping, drawing, &format!("changed {at}")),
                Content::Same { schema, guessed } => {
                    let schema = self.typed(schema, *guessed);
                    Ok(rows::same(&schema, drawing, &format!("same {at}")))
                }
            }
        };
        self.request.relations.iter().enumerate().map(of).collect()
    }

    /// A schema, with the one type for all columns if that is tried and theirs were guessed.
    pub(super) fn typed(&self, schema: &Schema, guessed: bool) -> Schema {
        let mut schema = schema.clone();
        if let Some(data_type) = self.guess.filter(|_| guessed) {
            schema.columns.iter_mut().for_each(|column| column.data_type.clone_from(data_type));
        }
        schema
    }
}

impl Trial {
    /// Rows that the old text is given.
    pub(super) fn rows_in(&self) -> u64 {
        self.rows.iter().map(|rows| rows.old.len() as u64).sum()
    }
}
