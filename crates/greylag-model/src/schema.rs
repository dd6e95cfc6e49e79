//! Schemas: columns in order.

use crate::types::DataType;
use serde::{Deserialize, Serialize};

/// A named, typed column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Name as the store spells it; any Unicode, compared byte for byte.
    pub name: String,
    /// Logical type.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// Whether nulls may occur.
    pub nullable: bool,
}

/// Columns in order. Names are unique.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema {
    /// The columns.
    pub columns: Vec<Column>,
}

impl Schema {
    /// The column called `name`, and where it stands.
    pub fn find(&self, name: &str) -> Option<(usize, &Column)> {
        self.columns.iter().enumerate().find(|(_, column)| column.name == name)
    }
}
