//! What a migration means for the code that reads the old dataset.
//!
//! A [`TableChange`] is a mapping seen from a reader: the old name and the new one, and for each old column its [`Fate`]: how
//! a reader that moves to the new dataset has the old column's value. It is the mapping's way back, so what makes a reader's
//! results the same is what also makes the compatibility view and the undo.
//!
//! Each consumer has a [`Class`]. A rule rewrites what is mechanical; what no rule can do goes to an agent; what only a person can
//! decide goes to a person; what could not be read is unknown, which is never the same as unaffected.

use crate::expr::{Function, Literal, Node, TypedExpr};
use crate::mapping::{ColumnMapping, Mapping, OperationKind, ReverseWay};
use crate::schema::{Column, Schema};
use crate::spec::{ConsumersSpec, Judgement, Misfit, Outputs, SourcePolicy, StarPolicy};
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
    /// How a writer has each column of the new dataset, in its order; none where nothing says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<MadeColumn>,
    /// What its readers call the columns that they show.
    #[serde(default)]
    pub outputs: Outputs,
    /// What becomes of stars over it.
    #[serde(default)]
    pub star: StarPolicy,
    /// What becomes of sources of dbt projects if only some of their readers can move.
    #[serde(default)]
    pub sources: SourcePolicy,
    /// The change that this one takes back, whose handwriting is then known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Box<Self>>,
}

/// How a writer of the old dataset has a column of the new one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MadeColumn {
    /// The new column.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Its value, over columns of the old dataset.
    pub value: TypedExpr,
    /// Why a query cannot compute it as the mapping does, if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
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
    /// Whether the new dataset has the columns of the old one under their names, and no others.
    pub fn keeps_names(&self) -> bool {
        let is_same = |column: &ColumnChange| matches!(&column.fate, Fate::Same(new) if *new == column.name);
        self.target.len() == self.columns.len() && self.columns.iter().all(is_same)
    }

    /// What a mapping means for readers.
    pub fn of(dataset: &str, old: Vec<TableName>, new: TableName, mapping: &Mapping) -> Self {
        let columns = mapping.source.columns.iter().zip(&mapping.reverse).map(|(column, reverse)| ColumnChange {
            name: column.name.clone(),
            fate: fate(mapping, &column.name, &reverse.way),
            judgement: judgement(mapping, &column.name),
        });
        let columns = columns.collect();
        let target = mapping.target.columns.iter().map(|column| column.name.clone()).collect();
        let made =
            mapping.columns.iter().zip(&mapping.target.columns).map(|(column, made)| MadeColumn::of(column, made));
        let made = made.collect();
        Self {
            dataset: dataset.to_owned(),
            old,
            new,
            columns,
            target,
            made,
            outputs: Outputs::default(),
            star: StarPolicy::default(),
            sources: SourcePolicy::default(),
            undoes: None,
        }
    }

    /// A dataset that stays as it is; without columns, any name may be one of it.
    pub fn unchanged(dataset: &str, old: Vec<TableName>, columns: Vec<String>) -> Self {
        let new = old.first().cloned().unwrap_or_else(|| TableName::of(&[dataset]).unwrap_or_default());
        let same = |name: &String| ColumnChange { name: name.clone(), fate: Fate::Same(name.clone()), judgement: None };
        let (of_each, made) = (columns.iter().map(same).collect(), Vec::new());
        Self {
            dataset: dataset.to_owned(),
            old,
            new,
            columns: of_each,
            target: columns,
            made,
            outputs: Outputs::default(),
            star: StarPolicy::default(),
            sources: SourcePolicy::default(),
            undoes: None,
        }
    }

    /// The same with what a migration says of consumers.
    #[must_use]
    pub fn with(self, consumers: &ConsumersSpec) -> Self {
        Self { outputs: consumers.outputs, star: consumers.star, sources: consumers.sources, ..self }
    }

    /// The way back: code that has moved to the new dataset, as the catalog calls it, moves to the old one again.
    pub fn reversed(&self, dataset: &str) -> Self {
        let beside = self.old.iter().find(|old| old.beside(self.new.last()) == self.new);
        let columns = self.made.iter().map(|made| ColumnChange {
            name: made.name.clone(),
            fate: self.fate_back(made),
            judgement: None,
        });
        Self {
            dataset: dataset.to_owned(),
            old: vec![self.new.clone()],
            new: beside.or(self.old.first()).cloned().unwrap_or_default(),
            columns: columns.collect(),
            target: self.columns.iter().map(|column| column.name.clone()).collect(),
            made: self.columns.iter().map(MadeColumn::back).collect(),
            outputs: self.outputs,
            star: self.star,
            sources: self.sources,
            undoes: Some(Box::new(self.clone())),
        }
    }

    /// How a reader of the old dataset has a column of the new one.
    fn fate_back(&self, made: &MadeColumn) -> Fate {
        match (&made.value.node, &made.why) {
            (Node::Column(old), None) => Fate::Same(old.clone()),
            (_, Some(why)) => Fate::Lost(why.clone()),
            _ => Fate::Computed(made.value.clone()),
        }
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

impl MadeColumn {
    /// Expression, conversion and default in one.
    fn of(mapping: &ColumnMapping, column: &Column) -> Self {
        let whole = &mapping.expr;
        let cast = mapping.cast.as_ref().map(|cast| TypedExpr {
            data_type: cast.to.clone(),
            nullable: whole.nullable || mapping.misfit == Misfit::Null,
            node: Node::Cast { input: Box::new(whole.clone()), loss: cast.loss, safe: mapping.misfit == Misfit::Null },
        });
        let value = cast.unwrap_or_else(|| whole.clone());
        let value = match &mapping.default {
            None => value,
            Some(default) => TypedExpr {
                data_type: value.data_type.clone(),
                nullable: false,
                node: Node::Call { function: Function::Coalesce, args: vec![value, default.clone()] },
            },
        };
        let rejects = mapping.misfit == Misfit::Reject && !matches!(value.node, Node::Column(_));
        let why = rejects.then(|| "rows whose value does not fit are put aside".to_owned());
        Self { name: mapping.target.clone(), data_type: column.data_type.clone(), value, why }
    }
}

impl MadeColumn {
    /// How a writer of the new dataset has a column of the old one.
    fn back(column: &ColumnChange) -> Self {
        let name = column.name.clone();
        let of = |value: TypedExpr, why: Option<String>| Self {
            name: name.clone(),
            data_type: value.data_type.clone(),
            value,
            why,
        };
        let lost = |node: Node| TypedExpr { data_type: DataType::String, nullable: true, node };
        match &column.fate {
            Fate::Same(new) => of(lost(Node::Column(new.clone())), None),
            Fate::Computed(value) => of(value.clone(), None),
            Fate::Replaced { value, why, .. } => of(value.clone(), Some(why.clone())),
            Fate::Lost(why) => of(lost(Node::Literal(Literal::Null)), Some(why.clone())),
        }
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
