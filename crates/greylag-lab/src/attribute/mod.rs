//! Attributes of the logical record: what a dataset knows of its subject, and how that is written in the old dataset
//! and in the new one.
//!
//! A record is drawn once. Each attribute draws its part and writes it twice: into the cells of its old columns, and
//! into the cells that its new columns must have. Nothing here evaluates a mapping or an expression; an attribute that
//! says `upper(name)` in the migration file drew a word of lower-case letters and wrote it in both cases itself. That
//! is what makes the estate a judge that the data plane cannot have misled.
//!
//! One file for each operation of migration files.

mod cast;
mod cast_number;
mod cast_text;
mod cast_time;
mod default;
mod drop;
mod expression;
mod judgement;
pub(crate) mod keep;
mod merge;
mod new;
mod partition;
mod rename;
mod reverse;
mod split;

pub(crate) use partition::{partition, partition_types};

use crate::cell::Cell;
use crate::draws::Draws;
use crate::names::ColumnNames;
use crate::values::Letters;
use crate::yaml::{Node, text};
use greylag_model::types::DataType;

/// A name and a type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
}

/// Where a new column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// In the place of the attribute's old column of this number.
    At(usize),
    /// After all of those, with the file's `columns`.
    Columns,
    /// After those, with its `merge`.
    Merge,
}

/// A column of the new dataset.
#[derive(Clone, Debug)]
pub(crate) struct NewColumn {
    pub(crate) column: Column,
    pub(crate) place: Place,
    /// How far a value may be off, where the file declares it.
    pub(crate) tolerance: Option<f64>,
}

impl NewColumn {
    /// A column of exact values.
    pub(crate) fn new(column: Column, place: Place) -> Self {
        Self { column, place, tolerance: None }
    }
}

/// What an attribute adds to the sections of the mapping.
#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) columns: Vec<Node>,
    pub(crate) split: Vec<Node>,
    pub(crate) merge: Vec<Node>,
    pub(crate) drop: Vec<Node>,
    pub(crate) reverse: Vec<Node>,
    /// Checks of the pair that hold.
    pub(crate) checks: Vec<Node>,
}

/// What one attribute drew for one record.
#[derive(Default)]
pub(crate) struct Record {
    /// One cell per old column.
    pub(crate) old: Vec<Cell>,
    /// One cell per new column.
    pub(crate) new: Vec<Cell>,
    /// Whether a `misfit: reject` keeps the record out of the new dataset.
    pub(crate) rejected: bool,
}

impl Record {
    /// One old and one new cell.
    pub(crate) fn both(&mut self, old: Cell, new: Cell) {
        self.old.push(old);
        self.new.push(new);
    }

    /// The same cell in both.
    pub(crate) fn same(&mut self, cell: Cell) {
        self.both(cell.clone(), cell);
    }
}

/// How one record's part is drawn: pushes one cell for each old and each new column.
pub(crate) type Draw = Box<dyn Fn(&mut Draws, &mut Record) + Send + Sync>;

/// One attribute.
pub(crate) struct Attribute {
    pub(crate) old: Vec<Column>,
    pub(crate) new: Vec<NewColumn>,
    pub(crate) rules: Rules,
    /// What of the coverage table it stands for, e.g. `operation/rename`.
    pub(crate) marks: Vec<String>,
    /// Draws one record's part.
    pub(crate) draw: Draw,
}

/// What a maker of attributes has to go by.
pub(crate) struct Making<'a> {
    pub(crate) draws: &'a mut Draws,
    pub(crate) names: &'a mut ColumnNames,
    /// Number of the attribute in the whole estate: makers go through their cases by it, so that every case occurs.
    pub(crate) turn: usize,
    /// Only types with a text form: delimited text is involved.
    pub(crate) flat: bool,
    /// What texts may have.
    pub(crate) letters: Letters,
    /// Share of odd names, percent.
    pub(crate) odd: usize,
}

impl Making<'_> {
    fn name(&mut self) -> String {
        self.names.next(self.draws, self.odd)
    }

    fn column(&mut self, data_type: DataType) -> Column {
        Column { name: self.name(), data_type }
    }
}

/// Makes one attribute; `None` if none of its cases suits.
pub(crate) type Maker = fn(&mut Making<'_>) -> Option<Attribute>;

/// Every operation, by the name that the coverage table uses.
pub(crate) const MAKERS: &[(&str, Maker)] = &[
    ("keep", keep::make),
    ("rename", rename::make),
    ("cast", cast::make),
    ("expression", expression::make),
    ("default", default::make),
    ("new", new::make),
    ("split", split::make),
    ("merge", merge::make),
    ("drop", drop::make),
    ("reverse", reverse::make),
    ("judgement", judgement::make),
];

/// A column's name inside an expression.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The rule of a column with these keys.
fn rule<const N: usize>(pairs: [(&str, &str); N]) -> Node {
    Node::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), text(value))).collect())
}

fn at(place: usize, column: Column) -> NewColumn {
    NewColumn::new(column, Place::At(place))
}
