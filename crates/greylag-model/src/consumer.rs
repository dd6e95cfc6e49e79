//! What a migration means for the code that reads the old dataset.
//!
//! A [`TableChange`] is a mapping seen from a reader: the old name and the new one, and for each old column its [`Fate`]: how
//! a reader that moves to the new dataset has the old column's value. It is the mapping's way back, so what makes a reader's
//! results the same is what also makes the compatibility view and the undo.
//!
//! Each consumer has a [`Class`]. A rule rewrites what is mechanical; what no rule can do goes to an agent; what only a person can
//! decide goes to a person; what could not be read is unknown, which is never the same as unaffected.

use crate::expr::{Node, TypedExpr};
use crate::mapping::{ColumnMapping, Mapping, OperationKind, ReverseWay};
use crate::schema::Schema;
use crate::spec::Judgement;
use crate::table::TableName;
use crate::types::DataType;
use serde::{Deserialize, Serialize};

/// How code moves from one dataset to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableChange {
    /// The old dataset, as the catalog calls it.
    pub dataset: String,
    /// Names by which code reaches the old dataset.
    pub old: Vec<TableName>,
    /// The name by which it reaches the new one.
    pub new: TableName,
    /// One per column of the old dataset, in its order.
    pub columns: Vec<ColumnChange>,
    /// Columns of the new dataset, in its order.
    pub target: Vec<String>,
}

/// What becomes of a column for its readers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnChange {
    /// The old column.
    pub name: String,
    /// How a reader has its value.
    pub fate: Fate,
    /// Its readers need a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
}

/// How a reader of the new dataset has the value of an old column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The column of this name holds it.
    Same(String),
    /// An expression over columns of the new dataset gives it.
    Computed(TypedExpr),
    /// The column of this name has taken its place, with values that the mapping changed: `why` says how far.
    Replaced {
        /// The new column.
        by: String,
        /// Its value in the old column's type.
        value: TypedExpr,
        /// Why the old value cannot be had.
        why: String,
    },
    /// It cannot be had.
    Lost(String),
}

impl TableChange {
    /// What a mapping means for readers.
    pub fn of(dataset: &str, old: Vec<TableName>, new: TableName, mapping: &Mapping) -> Self {
        let columns = mapping.source.columns.iter().zip(&mapping.reverse).map(|(column, reverse)| ColumnChange {
            name: column.name.clone(),
            fate: fate(mapping, &column.name, &reverse.way),
            judgement: judgement(mapping, &column.name),
        });
        let columns = columns.collect();
        let target = mapping.target.columns.iter().map(|column| column.name.clone()).collect();
        Self { dataset: dataset.to_owned(), old, new, columns, target }
    }

    /// A dataset that stays as it is; without columns, any name may be one of it.
    pub fn unchanged(dataset: &str, old: Vec<TableName>, columns: Vec<String>) -> Self {
        let new = old.first().cloned().unwrap_or_else(|| TableName::of(&[dataset]).unwrap_or_default());
        let same = |name: &String| ColumnChange { name: name.clone(), fate: Fate::Same(name.clone()), judgement: None };
        Self { dataset: dataset.to_owned(), old, new, columns: columns.iter().map(same).collect(), target: columns }
    }

    /// Whether its columns are not known, so that any name may be one.
    pub fn is_open(&self) -> bool {
        self.columns.is_empty()
    }

    /// The change of a column, by its name without regard to case unless two names differ by nothing else.
    pub fn column(&self, name: &str) -> Option<&ColumnChange> {
        let exact = self.columns.iter().find(|column| column.name == name);
        exact.or_else(|| self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
    }
}

fn fate(mapping: &Mapping, column: &str, way: &ReverseWay) -> Fate {
    match way {
        ReverseWay::Same(target) => Fate::Same(target.clone()),
        // What the engine derived undoes a conversion that lost nothing, so there is nothing to round.
        ReverseWay::Expr { expr, derived: true, .. } => Fate::Computed(without_loss(expr)),
        ReverseWay::Expr { expr, .. } => Fate::Computed(expr.clone()),
        ReverseWay::Lost(why) => match successor(mapping, column) {
            Some(by) => Fate::Replaced { by: by.to_owned(), value: value(mapping, column, by), why: why.clone() },
            None => Fate::Lost(why.clone()),
        },
    }
}

/// The one target column that is made of this column and of nothing else.
fn successor<'a>(mapping: &'a Mapping, column: &str) -> Option<&'a str> {
    if mapping.dropped.iter().any(|dropped| dropped.name == column) {
        return None;
    }
    let made_of_it = |made: &&ColumnMapping| {
        let is_whole = !matches!(made.operation, OperationKind::Split | OperationKind::Merge);
        is_whole && made.expr.columns() == [column]
    };
    let mut made = mapping.columns.iter().filter(made_of_it);
    match (made.next(), made.next()) {
        (Some(one), None) => Some(&one.target),
        _ => None,
    }
}

/// A new column in the type of an old one.
fn value(mapping: &Mapping, old: &str, new: &str) -> TypedExpr {
    let find = |schema: &Schema, name: &str| schema.columns.iter().find(|column| column.name == name).cloned();
    let (old, new) = (find(&mapping.source, old), find(&mapping.target, new));
    let (data_type, nullable) =
        new.as_ref().map_or((DataType::String, true), |new| (new.data_type.clone(), new.nullable));
    let name = new.map(|new| new.name).unwrap_or_default();
    let column = TypedExpr { data_type, nullable, node: Node::Column(name) };
    match old {
        Some(old) if old.data_type != column.data_type => {
            let node = Node::Cast { input: Box::new(column), loss: None, safe: false };
            TypedExpr { data_type: old.data_type, nullable, node }
        }
        _ => column,
    }
}

/// The same expression with plain casts.
fn without_loss(expr: &TypedExpr) -> TypedExpr {
    let node = match &expr.node {
        Node::Cast { input, safe, .. } => Node::Cast { input: Box::new(without_loss(input)), loss: None, safe: *safe },
        Node::Call { function, args } => {
            Node::Call { function: *function, args: args.iter().map(without_loss).collect() }
        }
        other => other.clone(),
    };
    TypedExpr { node, ..expr.clone() }
}

fn judgement(mapping: &Mapping, column: &str) -> Option<Judgement> {
    let dropped = mapping.dropped.iter().find(|dropped| dropped.name == column);
    if let Some(judgement) = dropped.and_then(|dropped| dropped.judgement.clone()) {
        return Some(judgement);
    }
    let marked = mapping.columns.iter().filter(|made| made.judgement.is_some());
    marked.filter(|made| made.expr.columns().contains(&column)).find_map(|made| made.judgement.clone())
}

/// What becomes of a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It does not read or write the dataset.
    Unaffected,
    /// Rules rewrite all of it.
    Mechanical,
    /// It must change where no rule can change it.
    Agentic,
    /// A person must decide.
    Judgement,
    /// Code that may read the dataset could not be understood.
    Unknown,
}

impl Class {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unaffected => "unaffected",
            Self::Mechanical => "mechanical",
            Self::Agentic => "agentic",
            Self::Judgement => "judgement",
            Self::Unknown => "unknown",
        }
    }
}
