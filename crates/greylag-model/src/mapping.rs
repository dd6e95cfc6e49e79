//! Mappings: a spec's rules resolved against one source schema. Plain values; everything downstream (backfill,
//! compatibility view, verification, undo, later code edits) reads this and nothing else.

use crate::expr::TypedExpr;
use crate::schema::Schema;
use crate::spec::{Judgement, Loss, Misfit, Tolerance};
use crate::types::DataType;
use serde::{Deserialize, Serialize};

mod back;
mod resolve;

pub use back::{NewRows, reversed};
pub use resolve::{Request, Resolved, resolve};

/// A resolved mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mapping {
    /// Columns of the old dataset, partition columns last.
    pub source: Schema,
    /// Columns of the new dataset, partition columns last.
    pub target: Schema,
    /// One per target column, in its order.
    pub columns: Vec<ColumnMapping>,
    /// Source columns that end here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
    /// One per source column, in its order.
    pub reverse: Vec<Reverse>,
}

/// How one target column comes about: `expr`, then `cast`, then `default` for nulls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnMapping {
    /// Name in the target.
    pub target: String,
    /// Which operation made it.
    pub operation: OperationKind,
    /// Over source columns.
    pub expr: TypedExpr,
    /// Last conversion, to the target column's type, if it differs from the expression's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cast: Option<Cast>,
    /// What happens to a row whose expression or cast fails.
    pub misfit: Misfit,
    /// Replaces nulls; has no columns and the target's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<TypedExpr>,
    /// Allowed difference on the way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Tolerance>,
    /// Readers need a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
}

/// A conversion to a type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cast {
    /// Target type.
    pub to: DataType,
    /// Policy for what it cannot carry exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
}

/// Kinds of operations on columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationKind {
    /// Carried over as it is.
    Keep,
    /// Another name.
    Rename,
    /// Another type.
    Cast,
    /// Computed.
    Expression,
    /// Nulls replaced.
    Default,
    /// Not from any source column.
    New,
    /// A part of a source column.
    Split,
    /// Several source columns in one.
    Merge,
    /// A source column that ends.
    Drop,
}

/// A source column that ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    /// Source column.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Readers need a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
}

/// The way back of one source column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reverse {
    /// Source column.
    pub source: String,
    /// How.
    pub way: ReverseWay,
}

/// Whether and how a source column can be had back from the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReverseWay {
    /// The target column of this name holds the very value.
    Same(String),
    /// An expression over target columns of the source column's type.
    Expr {
        /// It.
        expr: TypedExpr,
        /// Whether the engine derived it (else the file gave it).
        derived: bool,
        /// Allowed difference.
        tolerance: Option<Tolerance>,
    },
    /// There is none.
    Lost(String),
}

impl Mapping {
    /// Whether every source column can be had back, so that the reverse proves every row.
    pub fn is_total_reverse(&self) -> bool {
        self.lost().next().is_none()
    }

    /// The source columns without a way back, and why.
    pub fn lost(&self) -> impl Iterator<Item = (&str, &str)> {
        self.reverse.iter().filter_map(|reverse| match &reverse.way {
            ReverseWay::Lost(why) => Some((reverse.source.as_str(), why.as_str())),
            ReverseWay::Same(_) | ReverseWay::Expr { .. } => None,
        })
    }

    /// How many columns go on as they are.
    pub fn kept(&self) -> usize {
        self.columns.iter().filter(|column| column.operation == OperationKind::Keep).count()
    }
}
