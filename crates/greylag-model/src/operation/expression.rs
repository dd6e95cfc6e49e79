//! Expression: a target column computed from source columns.
//!
//! The way back is derived only where the expression does nothing but hand a column on (or cast one); everything else
//! is lost unless the file gives it. Without `from` the column is an addition and its inputs are carried over besides.

use crate::mapping::ReverseWay;
use crate::plan::{Change, ChangeSymbol};
use crate::types::DataType;

/// The way back of the column that it carries on, unless the file gives one.
pub(crate) fn reverse(target: &str) -> ReverseWay {
    ReverseWay::Lost(format!("computed into `{target}`"))
}

/// What readers of the carried column meet.
pub(crate) fn breaks(from: &str, to: &str) -> String {
    if from == to {
        format!("column `{from}` has computed values")
    } else {
        format!("column `{from}` is replaced by `{to}`, which is computed")
    }
}

/// The plan's line: `~ price → price_eur  = price * 0.92 (decimal(15,4))` or, for an addition, `+ total  = …`.
pub(crate) fn change(from: Option<&str>, to: &str, text: &str, data_type: &DataType) -> Change {
    let detail = format!("= {} ({data_type})", text.trim());
    match from {
        Some(from) => Change { symbol: ChangeSymbol::Change, subject: super::rename::subject(from, to), detail },
        None => Change { symbol: ChangeSymbol::Add, subject: to.to_owned(), detail },
    }
}
