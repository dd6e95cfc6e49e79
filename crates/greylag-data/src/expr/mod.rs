//! Expressions and mappings over Arrow batches.
//!
//! A [`Program`] is a mapping compiled once per dataset and run on every batch. Terms: a *misfit* is a row whose
//! value does not fit or whose expression fails; the column's policy says whether the step fails, the value becomes
//! null, or the row is rejected.
//!
//! Two evaluations exist. The **fast** one is a DataFusion physical expression over whole columns; it only ever errs on
//! the side of failing: whenever it gives a result, every row of it is what the reference says (the conformance tests
//! hold it to that). When it fails on a batch, the **reference** evaluator looks at each row of the batch for that
//! column alone, and what it says counts: it may find that no row fails (`coalesce(a, 1 / 0)`), or which rows do. The
//! column's last conversion is not part of that: it records misfits row by row at full speed.
//!
//! Columns that are carried over are passed on as the same array.

mod cast;
mod compile;
mod kernel;
mod misfits;
mod operation;
mod program;
mod values;

pub use compile::compile;
pub use program::{Evaluated, Program, Rejected, Unfit};
pub(crate) use values::BatchRow;
pub use values::{array_of, value_at};
