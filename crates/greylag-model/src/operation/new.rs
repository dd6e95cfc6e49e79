//! New: a target column that comes from no source column. There is nothing to take back, and it breaks nobody.

use crate::plan::{Change, ChangeSymbol};
use crate::types::DataType;

/// The plan's line.
pub(crate) fn change(name: &str, data_type: &DataType, text: &str) -> Change {
    Change { symbol: ChangeSymbol::Add, subject: name.to_owned(), detail: format!("new {data_type} = {text}") }
}
