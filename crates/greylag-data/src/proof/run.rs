//! A request worked on, in this process: parse, translate, draw rows, run both texts, compare; several times.

use super::effects::{Target, compared};
use super::engine::{Engine, Trouble};
use super::guess;
use super::literals;
use super::parse;
use super::rows::pool::Literals;
use super::rows::view::{change, spelled_by_engines};
use super::step::Step;
use super::translate::{Names, Obstacle, translate};
use super::trials::{Trial, Trials, guesses, replaced};
use super::watch::watch;
use super::world::{Held, World};
use crate::expr::array_of;
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, Field, Schema as ArrowSchema};
use greylag_driver::error::DriverError;
use greylag_model::mapping::Mapping;
use greylag_model::proof::{
    Content, Difference, DifferenceKind, Outcome, ProofRequest, ProofVerdict, Reach, Reason, Unprovable,
};
use greylag_model::schema::Schema;
use greylag_model::types::DataType;
use greylag_model::value::Value;
use std::sync::Arc;

/// A text that was understood.
struct Text {
    steps: Vec<Step>,
    names: Names,
    /// What its use of columns says of their types.
    asked: guess::Asked,
}

/// Works on a request.
///
/// # Errors
/// The mapping of a relation is not what it should be.
pub(super) fn prove(request: &ProofRequest) -> Result<ProofVerdict, DriverError> {
    let mut work = match Work::new(request) {
        Ok(work) => work,
        Err(outcome) => return Ok(ProofVerdict { outcome, reach: Reach::default() }),
    };
    let mut first = None;
    // Types that were guessed from the texts may be wrong: where nothing can be told, others are tried.
    for guess in guesses(&work.request) {
        work.reach = Reach { assumed: std::mem::take(&mut work.reach.assumed), ..work.fresh() };
        let outcome = work.rounds(guess.as_ref())?;
        let verdict = ProofVerdict { outcome, reach: work.reach.clone() };
        if verdict.name() != "unprovable" {
            return Ok(verdict);
        }
        first.get_or_insert(verdict);
    }
    Ok(first.unwrap_or_else(|| ProofVerdict::unprovable(Reason::Empty, "nothing was tried")))
}

struct Work {
    request: ProofRequest,
    engine: Engine,
    old: Text,
    new: Text,
    literals: Literals,
    reach: Reach,
}

pub(super) fn unprovable(reason: Reason, why: impl Into<String>) -> Outcome {
    Outcome::Unprovable(Unprovable { reason, why: why.into() })
}

impl Work {
    fn new(request: &ProofRequest) -> Result<Self, Outcome> {
        let (mut literals, mut assumed) = (Literals::default(), Vec::new());
        let old = understood(&request.old, request, &mut literals, &mut assumed)?;
        let new = understood(&request.new, request, &mut literals, &mut assumed).map_err(|outcome| match outcome {
            // What could be parsed before and cannot be now was broken.
            Outcome::Unprovable(Unprovable { reason: Reason::Unparsed, why }) => {
                Outcome::Different(Difference { kind: DifferenceKind::Fails, why, ..Difference::default() })
            }
            other => other,
        })?;
        let mut request = request.clone();
        guess::types(&mut request, &old.asked);
        let engine = Engine::new().map_err(|trouble| of_old(&trouble))?;
        let mut work = Self { request, engine, old, new, literals, reach: Reach::default() };
        work.reach = Reach { assumed, ..work.fresh() };
        Ok(work)
    }

    fn fresh(&self) -> Reach {
        Reach {
            engine: Engine::name(),
            seed: self.request.effort.seed,
            replaced: replaced(&self.request),
            ..Reach::default()
        }
    }

    fn rounds(&mut self, guess: Option<&DataType>) -> Result<Outcome, DriverError> {
        for round in 0..self.request.effort.rounds {
            let trial = self.trials(guess).made(round)?;
            if let Some(outcome) = self.round(&trial, guess)? {
                return Ok(outcome);
            }
        }
        let mut unread = std::mem::take(&mut self.reach.unread);
        let real = self.trials(guess).real(&mut unread)?;
        self.reach.unread = unread;
        if let Some(outcome) = real.map(|trial| self.round(&trial, guess)).transpose()?.flatten() {
            return Ok(outcome);
        }
        if self.reach.rounds == 0 {
            return Ok(unprovable(Reason::Failing, "the old text fails on all rows that were made for it"));
        }
        if self.reach.rows_out == 0 {
            return Ok(unprovable(Reason::Empty, "no rows that were made for it led to a result"));
        }
        Ok(Outcome::Equal)
    }

    fn trials<'a>(&'a self, guess: Option<&'a DataType>) -> Trials<'a> {
        Trials { request: &self.request, literals: &self.literals, guess }
    }

    fn round(&mut self, trial: &Trial, guess: Option<&DataType>) -> Result<Option<Outcome>, DriverError> {
        for rows in &trial.rows {
            self.reach.drawn += rows.drawn;
            self.reach.unfit += rows.unfit;
        }
        let tables = |old: bool| self.tables(trial, guess, old);
        let (before, after) = match (tables(true), tables(false)) {
            (Ok(before), Ok(after)) => (before, after),
            (Err(why), _) | (_, Err(why)) => return Ok(Some(unprovable(Reason::Unsupported, why))),
        };
        let world = World::new(&self.engine, &self.request.dialect, &self.old.names, before);
        let watched = trial.look.then(|| watch(&world, &self.old.steps));
        let old = match world.run(&self.old.steps) {
            Ok(effects) => effects,
            // Another round may have rows on which it does not.
            Err(Trouble::Fails(_)) => return Ok(None),
            Err(trouble) => return Ok(Some(of_old(&trouble))),
        };
        if let Some((predicates, both_ways)) = watched {
            (self.reach.predicates, self.reach.both_ways) = (predicates, both_ways);
        }
        let world = World::new(&self.engine, &self.request.dialect, &self.new.names, after);
        let new = match world.run(&self.new.steps) {
            Ok(effects) => effects,
            Err(trouble) => return Ok(Some(of_new(&trouble))),
        };
        self.reach.rounds += 1;
        self.reach.rows_in += trial.rows_in();
        self.reach.sampled += trial.sampled;
        self.reach.rows_out += old.rows;
        if old.settled {
            self.assume("where a number of rows is taken, all columns decide about ties");
        }
        Ok(compared(&self.request, old, new)?.map(Outcome::Different))
    }

    fn assume(&mut self, words: &str) {
        if !self.reach.assumed.iter().any(|known| known == words) {
            self.reach.assumed.push(words.to_owned());
        }
    }

    fn tables(&self, trial: &Trial, guess: Option<&DataType>, old: bool) -> Result<Vec<Held>, String> {
        let trials = self.trials(guess);
        let relations = self.request.relations.iter().zip(&trial.rows).enumerate();
        relations
            .map(|(at, (relation, rows))| {
                let (names, values) = if old { (&relation.old, &rows.old) } else { (&relation.new, &rows.new) };
                let batch = match &relation.content {
                    Content::Changed(mapping) if old => {
                        self.table(&mapping.source, values).and_then(|batch| spelled(batch, mapping, &rows.new))
                    }
                    Content::Changed(mapping) => self.table(&mapping.target, values),
                    Content::Same { schema, guessed } => self.table(&trials.typed(schema, *guessed), values),
                }?;
                Ok(Held { names: names.clone(), target: Target::Relation(at), batch, written: false })
            })
            .collect()
    }

    fn table(&self, schema: &Schema, rows: &[Vec<Value>]) -> Result<RecordBatch, String> {
        table(&stored(schema, &self.request.dialect), rows)
    }
}

/// Parses and translates a text.
fn understood(
    text: &str,
    request: &ProofRequest,
    literals: &mut Literals,
    assumed: &mut Vec<String>,
) -> Result<Text, Outcome> {
    let parsed = parse::statements(text, &request.dialect);
    let mut parsed = parsed.map_err(|why| unprovable(Reason::Unparsed, format!("it could not be parsed: {why}")))?;
    let (mut names, mut asked) = (Names::default(), guess::Asked::default());
    for statement in &mut parsed {
        asked.add(statement);
        literals::collect(statement, literals);
        translate(statement, &request.dialect, &mut names, assumed).map_err(|obstacle| match obstacle {
            Obstacle::Random(name) => unprovable(Reason::Random, format!("`{name}` gives something else each time")),
        })?;
    }
    let steps = parsed.into_iter().map(|statement| Step::of(statement, &names));
    let steps = steps.collect::<Result<_, _>>().map_err(|why| unprovable(Reason::Unsupported, why))?;
    Ok(Text { steps, names, asked })
}

/// What trouble with the old text means: nothing can be told.
pub(super) fn of_old(trouble: &Trouble) -> Outcome {
    match trouble {
        Trouble::Names(why) => unprovable(Reason::Unknown, why),
        Trouble::Senseless(why) | Trouble::Unsupported(why) => unprovable(Reason::Unsupported, why),
        Trouble::Fails(why) => unprovable(Reason::Failing, why),
        Trouble::Limit(why) => unprovable(Reason::Limit, why),
    }
}

/// What trouble with the new text means, where the old one had none.
pub(super) fn of_new(trouble: &Trouble) -> Outcome {
    let different = |kind, why: &str| {
        let why = format!("the new text: {why}");
        Outcome::Different(Difference { kind, why, ..Difference::default() })
    };
    match trouble {
        Trouble::Names(why) => different(DifferenceKind::Names, why),
        Trouble::Senseless(why) | Trouble::Fails(why) => different(DifferenceKind::Fails, why),
        Trouble::Unsupported(why) => unprovable(Reason::Unsupported, format!("the new text: {why}")),
        Trouble::Limit(why) => unprovable(Reason::Limit, why),
    }
}

/// A schema as an engine of the dialect can have it. PostgreSQL has no whole numbers of eight bits: there they are of sixteen, and so
/// is what is calculated with them.
fn stored(schema: &Schema, dialect: &str) -> Schema {
    let mut schema = schema.clone();
    let tiny = schema.columns.iter_mut().filter(|column| dialect == "postgres" && column.data_type == DataType::Int8);
    tiny.for_each(|column| column.data_type = DataType::Int16);
    schema
}

/// The old rows with texts of times and floats as the engine spells them: how they are spelled is each engine's own affair, and the new text
/// gets them by its cast.
fn spelled(batch: RecordBatch, mapping: &Mapping, new: &[Vec<Value>]) -> Result<RecordBatch, String> {
    let mut arrays = batch.columns().to_vec();
    for (at, place) in spelled_by_engines(mapping, &change(mapping)) {
        let made = &mapping.target.columns[place];
        let values: Vec<Value> = new.iter().map(|row| row.get(place).cloned().unwrap_or(Value::Null)).collect();
        let text = cast(&array_of(&values, &made.data_type), &ArrowType::Utf8);
        arrays[at] = text.map_err(|error| format!("a text cannot be made: {error}"))?;
    }
    RecordBatch::try_new(batch.schema(), arrays).map_err(|error| format!("rows cannot be made: {error}"))
}

/// Rows as a table whose names are in lower case.
pub(super) fn table(schema: &Schema, rows: &[Vec<Value>]) -> Result<RecordBatch, String> {
    let mut fields: Vec<Field> = Vec::new();
    let mut arrays = Vec::new();
    for (at, column) in schema.columns.iter().enumerate() {
        let name = column.name.to_lowercase();
        if fields.iter().any(|field| *field.name() == name) {
            return Err(format!("two columns differ by the case of `{name}` alone"));
        }
        let values: Vec<Value> = rows.iter().map(|row| row.get(at).cloned().unwrap_or(Value::Null)).collect();
        let array = array_of(&values, &column.data_type);
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(ArrowSchema::new(fields)), arrays, &options)
        .map_err(|error| format!("rows cannot be made: {error}"))
}
