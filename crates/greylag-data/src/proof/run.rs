//! A request worked on, in this process: parse, translate, draw rows, run both texts, compare; several times.

use super::back::compare_changed;
use super::compare::{How, compare};
use super::engine::{Engine, Trouble};
use super::guess;
use super::literals;
use super::rows::pool::Literals;
use super::rows::view::change;
use super::rows::{self, Drawing, Rows};
use super::step::Step;
use super::translate::{Names, Obstacle, translate};
use super::watch::watch;
use super::world::{Effects, Held, Target, World};
use super::{frame::Frame, parse};
use crate::expr::array_of;
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, Field, Schema as ArrowSchema};
use greylag_driver::error::DriverError;
use greylag_model::consumer::Fate;
use greylag_model::expr::Node;
use greylag_model::mapping::Mapping;
use greylag_model::proof::{
    Content, Difference, DifferenceKind, Outcome, ProofRequest, ProofVerdict, Reach, Reason, Relation, Unprovable,
};
use greylag_model::schema::Schema;
use greylag_model::table::TableName;
use greylag_model::types::DataType;
use greylag_model::value::Value;
use std::collections::BTreeSet;
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
    for guess in work.guesses() {
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

fn unprovable(reason: Reason, why: impl Into<String>) -> Outcome {
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
        Reach { engine: Engine::name(), seed: self.request.effort.seed, replaced: self.replaced(), ..Reach::default() }
    }

    fn replaced(&self) -> Vec<String> {
        let mappings = self.request.relations.iter().filter_map(|relation| match &relation.content {
            Content::Changed(mapping) => Some(mapping),
            Content::Same { .. } => None,
        });
        let columns = mappings.flat_map(|mapping| change(mapping).columns);
        columns.filter(|column| matches!(column.fate, Fate::Replaced { .. })).map(|column| column.name).collect()
    }

    /// Types for what was guessed: as guessed, then all of one kind.
    fn guesses(&self) -> Vec<Option<DataType>> {
        let guessed = |content: &Content| matches!(content, Content::Same { guessed: true, .. });
        if self.request.relations.iter().any(|relation| guessed(&relation.content)) {
            vec![None, Some(DataType::Int64), Some(DataType::String), Some(DataType::Float64)]
        } else {
            vec![None]
        }
    }

    fn rounds(&mut self, guess: Option<&DataType>) -> Result<Outcome, DriverError> {
        let effort = self.request.effort;
        for round in 0..effort.rounds {
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
            let drawn = self.drawn(Drawing { seed, rows, literals: &self.literals, wild }, guess)?;
            if let Some(outcome) = self.round(&drawn, guess, round == 2 || effort.rounds <= 2)? {
                return Ok(outcome);
            }
        }
        if let Some(outcome) = self.real_rows(guess)? {
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

    /// A round on real rows, where there are any: other relations are made up, with values of theirs among them.
    fn real_rows(&mut self, guess: Option<&DataType>) -> Result<Option<Outcome>, DriverError> {
        let mut literals = self.literals.clone();
        let mut real = Vec::new();
        for relation in &self.request.relations {
            let rows = match (&relation.sample, &relation.content) {
                (Some(sample), Content::Changed(mapping)) => Some(rows::sample::sampled(sample, mapping)),
                _ => None,
            };
            // What cannot be read is no reason against the texts. The error's words may hold what is in the files.
            if rows.as_ref().is_some_and(Result::is_err) {
                self.reach.unread.extend(relation.old.first().map(TableName::to_string));
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
        let drawing = Drawing { seed: self.request.effort.seed, rows, literals: &literals, wild: false };
        let made_up = self.drawn(drawing, guess)?;
        let drawn: Vec<Rows> = made_up.into_iter().zip(real).map(|(made_up, real)| real.unwrap_or(made_up)).collect();
        let before = self.reach.rounds;
        let outcome = self.round(&drawn, guess, false)?;
        if self.reach.rounds > before {
            self.reach.sampled += count as u64;
        }
        Ok(outcome)
    }

    /// Rows of every relation.
    fn drawn(&self, drawing: Drawing<'_>, guess: Option<&DataType>) -> Result<Vec<Rows>, DriverError> {
        let of = |(at, relation): (usize, &Relation)| {
            // No two have the same number of rows, so that one is not counted for the other.
            let drawing = Drawing { rows: drawing.rows + at * drawing.rows.div_ceil(16), ..drawing };
            match &relation.content {
                Content::Changed(mapping) => rows::changed(mapping, drawing, &format!("changed {at}")),
                Content::Same { schema, guessed } => {
                    let schema = typed(schema, guess.filter(|_| *guessed));
                    Ok(rows::same(&schema, drawing, &format!("same {at}")))
                }
            }
        };
        self.request.relations.iter().enumerate().map(of).collect()
    }

    fn round(&mut self, drawn: &[Rows], guess: Option<&DataType>, look: bool) -> Result<Option<Outcome>, DriverError> {
        for rows in drawn {
            self.reach.drawn += rows.drawn;
            self.reach.unfit += rows.unfit;
        }
        let tables = |old: bool| self.tables(drawn, guess, old);
        let (before, after) = match (tables(true), tables(false)) {
            (Ok(before), Ok(after)) => (before, after),
            (Err(why), _) | (_, Err(why)) => return Ok(Some(unprovable(Reason::Unsupported, why))),
        };
        let rows_in: u64 = drawn.iter().map(|rows| rows.old.len() as u64).sum();
        let world = World::new(&self.engine, &self.request.dialect, &self.old.names, before);
        let watched = look.then(|| watch(&world, &self.old.steps));
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
        self.reach.rows_in += rows_in;
        self.reach.rows_out += old.rows;
        if old.settled {
            self.assume("where a number of rows is taken, all columns decide about ties");
        }
        Ok(self.compared(old, new)?.map(Outcome::Different))
    }

    fn assume(&mut self, words: &str) {
        if !self.reach.assumed.iter().any(|known| known == words) {
            self.reach.assumed.push(words.to_owned());
        }
    }

    fn tables(&self, drawn: &[Rows], guess: Option<&DataType>, old: bool) -> Result<Vec<Held>, String> {
        let relations = self.request.relations.iter().zip(drawn).enumerate();
        relations
            .map(|(at, (relation, rows))| {
                let (names, values) = if old { (&relation.old, &rows.old) } else { (&relation.new, &rows.new) };
                let batch = match &relation.content {
                    Content::Changed(mapping) if old => {
                        self.table(&mapping.source, values).and_then(|batch| spelled(batch, mapping, &rows.new))
                    }
                    Content::Changed(mapping) => self.table(&mapping.target, values),
                    Content::Same { schema, guessed } => self.table(&typed(schema, guess.filter(|_| *guessed)), values),
                }?;
                Ok(Held { names: names.clone(), target: Target::Relation(at), batch, written: false })
            })
            .collect()
    }

    fn table(&self, schema: &Schema, rows: &[Vec<Value>]) -> Result<RecordBatch, String> {
        table(&stored(schema, &self.request.dialect), rows)
    }

    fn compared(&self, mut old: Effects, mut new: Effects) -> Result<Option<Difference>, DriverError> {
        if let Some(made) = self.request.makes {
            for effects in [&mut old, &mut new] {
                if let Some((frame, _)) = effects.results.pop() {
                    effects.tables.insert(Target::Relation(made), frame);
                }
            }
        }
        let tables = |effects: &Effects| effects.tables.keys().cloned().collect::<BTreeSet<_>>();
        if old.results.len() != new.results.len() || tables(&old) != tables(&new) {
            let why = "the new text gives other results or writes other tables".to_owned();
            return Ok(Some(Difference { kind: DifferenceKind::Tables, why, ..Difference::default() }));
        }
        let (several, how) = (old.results.len() > 1, How::of(&self.request.dialect));
        for (at, ((one, ordered), (other, _))) in old.results.iter().zip(&new.results).enumerate() {
            let what = if several { format!("result {}", at + 1) } else { "the result".to_owned() };
            if let Some(found) = compare(one, other, How { ordered: *ordered, ..how }, &what) {
                return Ok(Some(found));
            }
        }
        for ((target, one), other) in old.tables.iter().zip(new.tables.values()) {
            if let Some(found) = self.table_compared(target, one, other)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn table_compared(&self, target: &Target, old: &Frame, new: &Frame) -> Result<Option<Difference>, DriverError> {
        match target {
            Target::Made(word) => Ok(compare(old, new, How::of(&self.request.dialect), &format!("the table `{word}`"))),
            Target::Relation(at) => {
                let relation = &self.request.relations[*at];
                let what =
                    format!("the table `{}`", relation.old.first().map(TableName::to_string).unwrap_or_default());
                match &relation.content {
                    Content::Changed(mapping) => compare_changed(old, new, mapping, &what),
                    Content::Same { .. } => Ok(compare(old, new, How::default(), &what)),
                }
            }
        }
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
fn of_old(trouble: &Trouble) -> Outcome {
    match trouble {
        Trouble::Names(why) => unprovable(Reason::Unknown, why),
        Trouble::Senseless(why) | Trouble::Unsupported(why) => unprovable(Reason::Unsupported, why),
        Trouble::Fails(why) => unprovable(Reason::Failing, why),
        Trouble::Limit(why) => unprovable(Reason::Limit, why),
    }
}

/// What trouble with the new text means, where the old one had none.
fn of_new(trouble: &Trouble) -> Outcome {
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

/// A schema with one type for all columns, if that is wanted.
fn typed(schema: &Schema, all: Option<&DataType>) -> Schema {
    let mut schema = schema.clone();
    if let Some(data_type) = all {
        schema.columns.iter_mut().for_each(|column| column.data_type.clone_from(data_type));
    }
    schema
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
    for (at, column) in change(mapping).columns.iter().enumerate() {
        let (Fate::Computed(expr) | Fate::Replaced { value: expr, .. }) = &column.fate else { continue };
        let Node::Cast { input, .. } = &expr.node else { continue };
        let Some((place, made)) = input.as_column().and_then(|name| mapping.target.find(name)) else { continue };
        let own = matches!(made.data_type, DataType::Timestamp { .. } | DataType::Time(_)) || made.data_type.is_float();
        if expr.data_type != DataType::String || !own {
            continue;
        }
        let values: Vec<Value> = new.iter().map(|row| row.get(place).cloned().unwrap_or(Value::Null)).collect();
        let text = cast(&array_of(&values, &made.data_type), &ArrowType::Utf8);
        arrays[at] = text.map_err(|error| format!("a text cannot be made: {error}"))?;
    }
    RecordBatch::try_new(batch.schema(), arrays).map_err(|error| format!("rows cannot be made: {error}"))
}

/// Rows as a table whose names are in lower case.
fn table(schema: &Schema, rows: &[Vec<Value>]) -> Result<RecordBatch, String> {
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
