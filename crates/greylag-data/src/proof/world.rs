//! The tables that one side sees, and what its statements make of them.

use super::effects::{Effects, Target};
use super::engine::{Answer, Engine, Table, Trouble};
use super::frame::Frame;
use super::step::{Change, Step};
use super::translate::{Names, types};
use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options, concat_batches};
use arrow::datatypes::{Field, Int64Type, Schema as ArrowSchema, SchemaRef};
use datafusion::sql::sqlparser::ast::{ColumnDef, Query};
use greylag_model::table::TableName;
use std::sync::Arc;

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) names: Vec<TableName>,
    pub(super) target: Target,
    pub(super) batch: RecordBatch,
    pub(super) written: bool,
}

/// The tables of one side.
pub(super) struct World<'a> {
    pub(super) engine: &'a Engine,
    pub(super) dialect: &'a str,
    /// What the side's text names.
    pub(super) names: &'a Names,
    pub(super) tables: Vec<Held>,
    has_view: bool,
    effects: Effects,
}

impl<'a> World<'a> {
    pub(super) fn new(engine: &'a Engine, dialect: &'a str, names: &'a Names, tables: Vec<Held>) -> Self {
        let effects = Effects::default();
        Self { engine, dialect, names, tables, has_view: false, effects }
    }

    /// Runs all statements.
    pub(super) fn run(mut self, steps: &[Step]) -> Result<Effects, Trouble> {
        for step in steps {
            self.step(step)?;
        }
        for held in self.tables.iter().filter(|held| held.written) {
            let frame = frame(&held.batch.schema(), std::slice::from_ref(&held.batch))?;
            self.effects.tables.insert(held.target.clone(), frame);
        }
        Ok(self.effects)
    }

    fn step(&mut self, step: &Step) -> Result<(), Trouble> {
        match step {
            Step::Nothing => {}
            Step::Query(query) => {
                let answer = self.query(query)?;
                let frame = frame(&answer.schema, &answer.batches)?;
                self.effects.rows += frame.rows.len() as u64;
                self.effects.results.push((frame, answer.ordered));
            }
            Step::Make { word, query, is_view } => {
                let answer = self.query(query)?;
                let batch = one(&answer.schema, &answer.batches)?;
                self.effects.rows += batch.num_rows() as u64;
                self.has_view |= is_view;
                self.make(word, batch);
            }
            Step::Define { word, columns } => {
                let batch = self.defined(columns)?;
                self.make(word, batch);
            }
            Step::Insert { word, columns, query } => {
                self.writable()?;
                let at = self.find(word)?;
                let answer = self.query(query)?;
                self.add(at, columns, &answer)?;
            }
            Step::Change(change) => self.change(change)?,
            Step::Drop(words) => {
                for word in words {
                    if let Ok(at) = self.find(word) {
                        self.tables.remove(at);
                    }
                }
            }
        }
        Ok(())
    }

    fn writable(&self) -> Result<(), Trouble> {
        if self.has_view {
            return Err(Trouble::Unsupported("rows are written where a view has been made".to_owned()));
        }
        Ok(())
    }

    fn query(&mut self, query: &Query) -> Result<Answer, Trouble> {
        let answer = self.look(query)?;
        self.effects.settled |= answer.settled;
        Ok(answer)
    }

    /// Runs a query without noting what it gives.
    pub(super) fn look(&self, query: &Query) -> Result<Answer, Trouble> {
        let known = self.names.parts.keys().filter_map(|word| Some((word.as_str(), self.find(word).ok()?)));
        let tables: Vec<Table<'_>> = known.map(|(word, at)| (word, &self.tables[at].batch)).collect();
        self.engine.run(query, &tables)
    }

    /// The table that a word means: the one whose name it says most of, and of those the last.
    fn find(&self, word: &str) -> Result<usize, Trouble> {
        let alone = vec![word.to_owned()];
        let parts = self.names.parts.get(word).unwrap_or(&alone);
        let meeting = |held: &Held| held.names.iter().filter_map(|name| name.meets(parts)).max();
        let met = self.tables.iter().enumerate().filter_map(|(at, held)| Some((meeting(held)?, at)));
        met.max().map(|(_, at)| at).ok_or_else(|| Trouble::Names(format!("there is no table `{word}`")))
    }

    fn make(&mut self, word: &str, batch: RecordBatch) {
        if let Ok(at) = self.find(word) {
            let held = &mut self.tables[at];
            (held.batch, held.written) = (batch, true);
            return;
        }
        let alone = vec![word.to_owned()];
        let parts = self.names.parts.get(word).unwrap_or(&alone);
        let names = TableName::of(parts).into_iter().collect();
        self.tables.push(Held { names, target: Target::Made(word.to_owned()), batch, written: true });
    }

    /// An empty table of columns that are written out: their types are those that casts to them give.
    fn defined(&self, columns: &[ColumnDef]) -> Result<RecordBatch, Trouble> {
        let items: Vec<String> = columns
            .iter()
            .map(|column| {
                let mut data_type = column.data_type.clone();
                types::rewrite(&mut data_type);
                format!("cast(null as {data_type}) as {}", super::step::quote(&column.name.value))
            })
            .collect();
        let text = format!("select {} where false", items.join(", "));
        let parsed = super::parse::made(&text, self.dialect).map_err(Trouble::Unsupported)?.pop();
        let Some(datafusion::sql::sqlparser::ast::Statement::Query(query)) = parsed else {
            return Err(Trouble::Unsupported("its columns are not understood".to_owned()));
        };
        let answer = self.look(&query)?;
        one(&answer.schema, &answer.batches)
    }

    /// Adds the rows of an answer to a table, by the names of columns or by place.
    fn add(&mut self, at: usize, columns: &[String], answer: &Answer) -> Result<(), Trouble> {
        let held = &self.tables[at];
        let schema = held.batch.schema();
        let rows = one(&answer.schema, &answer.batches)?;
        let names: Vec<String> = match columns {
            [] => schema.fields().iter().map(|field| field.name().clone()).collect(),
            listed => listed.to_vec(),
        };
        if names.len() != rows.num_columns() {
            let why = format!("{} values are given for {} columns", rows.num_columns(), names.len());
            return Err(Trouble::Senseless(why));
        }
        if let Some(name) = names.iter().find(|name| schema.index_of(name).is_err()) {
            return Err(Trouble::Names(format!("there is no column `{name}` to write")));
        }
        let arrays = schema.fields().iter().map(|field| match names.iter().position(|name| name == field.name()) {
            Some(place) => converted(rows.column(place), field),
            None => Ok(new_null_array(field.data_type(), rows.num_rows())),
        });
        let added = batch(&schema, arrays.collect::<Result<_, _>>()?, rows.num_rows())?;
        let all = concat_batches(&schema, [&held.batch, &added]).map_err(|_| fails())?;
        self.effects.rows += rows.num_rows() as u64;
        let held = &mut self.tables[at];
        (held.batch, held.written) = (all, true);
        Ok(())
    }

    fn change(&mut self, change: &Change) -> Result<(), Trouble> {
        self.writable()?;
        let at = self.find(&change.word)?;
        let schema = self.tables[at].batch.schema();
        let before = self.tables[at].batch.num_rows();
        let columns: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        // All of it is read before anything is written.
        let touched = self.query(&change.touched(self.dialect).map_err(Trouble::Unsupported)?)?;
        let stays = self.query(&change.rows(&columns, self.dialect).map_err(Trouble::Names)?)?;
        let added = change.added(self.dialect).map_err(Trouble::Unsupported)?;
        let added = added.into_iter().map(|(columns, query)| Ok((columns, self.query(&query)?)));
        let added = added.collect::<Result<Vec<_>, Trouble>>()?;
        let rows = one(&stays.schema, &stays.batches)?;
        if rows.num_rows() > before {
            // Several rows of the source for one of the target: engines refuse that.
            return Err(fails());
        }
        let arrays = rows.columns().iter().zip(schema.fields()).map(|(array, field)| converted(array, field));
        let stays = batch(&schema, arrays.collect::<Result<_, _>>()?, rows.num_rows())?;
        let count =
            touched.batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().iter()).flatten();
        self.effects.rows += count.sum::<i64>() as u64;
        let held = &mut self.tables[at];
        (held.batch, held.written) = (stays, true);
        for (columns, answer) in added {
            self.add(at, &columns, &answer)?;
        }
        Ok(())
    }
}

fn fails() -> Trouble {
    Trouble::Fails("it fails on a row".to_owned())
}

fn frame(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Frame, Trouble> {
    Frame::of(schema, batches).map_err(|_| Trouble::Unsupported("a column has a type that is not compared".to_owned()))
}

/// A value put into a column.
fn converted(array: &ArrayRef, field: &Field) -> Result<ArrayRef, Trouble> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, field.data_type(), &options).map_err(|_| fails())
}

fn batch(schema: &SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Trouble> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options).map_err(|_| fails())
}

/// One batch of several, any of whose columns may be null.
fn one(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, Trouble> {
    let fields: Vec<Field> =
        schema.fields().iter().map(|field| Field::new(field.name(), field.data_type().clone(), true)).collect();
    let open: SchemaRef = Arc::new(ArrowSchema::new(fields));
    let all = concat_batches(schema, batches).or_else(|_| {
        // What a plan says of a type may differ from what its rows have in names of nested fields.
        batches.first().map_or_else(
            || Ok(RecordBatch::new_empty(Arc::clone(schema))),
            |first| concat_batches(&first.schema(), batches),
        )
    });
    let all = all.map_err(|_| fails())?;
    let rows = all.num_rows();
    batch(&open, all.columns().to_vec(), rows)
}
