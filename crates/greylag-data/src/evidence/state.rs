//! Partial evidence: what merges, and what travels from a reader process and into checkpoints.

use super::float_sum::FloatSum;
use super::row::RowSum;
use super::text;
use arrow::datatypes::i256;
use greylag_model::check::{ColumnEvidence, Evidence};
use greylag_model::schema::Schema;
use greylag_model::types::DataType;
use serde::{Deserialize, Serialize};

/// Evidence of some of a dataset's rows. Merging is associative and commutative.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Rows.
    pub rows: u64,
    /// Sum of the row hashes.
    pub hash: RowSum,
    /// One per column of the schema, in its order.
    pub columns: Vec<ColumnState>,
}

/// Evidence of one column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnState {
    /// Nulls.
    pub nulls: u64,
    /// Smallest and largest: the canonical number; floats by rank; text and binary by length.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "range_text")]
    pub(super) range: Option<(i128, i128)>,
    /// Exact sum of everything but floats; decimals unscaled.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "sum_text")]
    pub(super) sum: Option<i256>,
    /// Exact sum of finite floats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) floats: Option<Box<FloatSum>>,
}

impl ColumnState {
    pub(super) fn add_range(&mut self, min: i128, max: i128) {
        self.range = Some(self.range.map_or((min, max), |(low, high)| (low.min(min), high.max(max))));
    }

    pub(super) fn add_sum(&mut self, more: i256) {
        self.sum = Some(self.sum.map_or(more, |sum| sum.wrapping_add(more)));
    }

    fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        if let Some((min, max)) = other.range {
            self.add_range(min, max);
        }
        if let Some(more) = other.sum {
            self.add_sum(more);
        }
        match (&mut self.floats, &other.floats) {
            (Some(sum), Some(more)) => sum.merge(more),
            (sum @ None, Some(more)) => *sum = Some(more.clone()),
            (_, None) => {}
        }
    }

    fn evidence(&self, name: &str, data_type: &DataType) -> ColumnEvidence {
        let limit = |value: i128| text::limit(data_type, value);
        ColumnEvidence {
            name: name.to_owned(),
            nulls: self.nulls,
            min: self.range.map(|(min, _)| limit(min)),
            max: self.range.map(|(_, max)| limit(max)),
            sum: match &self.floats {
                Some(sum) => Some(text::float(sum.round())),
                None => self.sum.map(|sum| text::sum(data_type, sum)),
            },
        }
    }
}

impl State {
    /// Evidence of no rows of `schema`: merging it with any other gives the other.
    pub fn empty(schema: &Schema) -> Self {
        let columns = schema.columns.iter().map(|column| ColumnState::empty(&column.data_type)).collect();
        Self { rows: 0, hash: RowSum::default(), columns }
    }

    /// Adds the evidence of other rows of the same schema.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.columns.len(), other.columns.len());
        self.rows += other.rows;
        self.hash = self.hash.plus(other.hash);
        for (column, more) in self.columns.iter_mut().zip(&other.columns) {
            column.merge(more);
        }
    }

    /// The evidence as people and plans see it.
    pub fn evidence(&self, schema: &Schema) -> Evidence {
        let columns = schema.columns.iter().zip(&self.columns);
        Evidence {
            rows: self.rows,
            hash: self.hash.to_string(),
            columns: columns.map(|(column, state)| state.evidence(&column.name, &column.data_type)).collect(),
        }
    }
}

impl ColumnState {
    /// A column that has a sum has it from the start, so that no rows sum to zero.
    fn empty(data_type: &DataType) -> Self {
        let mut state = Self::default();
        match data_type {
            DataType::Float32 | DataType::Float64 => state.floats = Some(Box::default()),
            DataType::Date | DataType::Time(_) | DataType::Timestamp { .. } => {}
            DataType::List(_) | DataType::Struct(_) | DataType::Map(..) => {}
            _ => state.sum = Some(i256::ZERO),
        }
        state
    }
}

mod range_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(range: &Option<(i128, i128)>, serializer: S) -> Result<S::Ok, S::Error> {
        range.map(|(min, max)| [min.to_string(), max.to_string()]).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<(i128, i128)>, D::Error> {
        let Some([min, max]) = Option::<[String; 2]>::deserialize(deserializer)? else { return Ok(None) };
        match (min.parse(), max.parse()) {
            (Ok(min), Ok(max)) => Ok(Some((min, max))),
            _ => Err(serde::de::Error::custom("not a range")),
        }
    }
}

mod sum_text {
    use arrow::datatypes::i256;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(sum: &Option<i256>, serializer: S) -> Result<S::Ok, S::Error> {
        sum.map(|sum| sum.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i256>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        i256::from_string(&text).map(Some).ok_or_else(|| serde::de::Error::custom("not a sum"))
    }
}
