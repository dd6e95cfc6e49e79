//! A node of a compiled expression that is ours: a kernel over the arrays of its arguments.

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{Field, FieldRef, Schema};
use arrow::error::ArrowError;
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use greylag_model::expr::{Dialect, TypedExpr};
use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Computes the result's array from those of the arguments, all as long as the batch. An error says that some row
/// fails, or that the kernel would rather not decide: the reference evaluator then looks at each row.
pub(super) type Kernel = Arc<dyn Fn(&[ArrayRef], usize) -> Result<ArrayRef, ArrowError> + Send + Sync>;

/// The node. Equal if the text is: the text is canonical and the columns are found by name.
pub(super) struct Operation {
    text: String,
    field: FieldRef,
    kernel: Kernel,
    args: Vec<Arc<dyn PhysicalExpr>>,
}

impl Operation {
    pub(super) fn new(expr: &TypedExpr, kernel: Kernel, args: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        let text = expr.to_sql(Dialect::Canonical);
        let field = Field::new("", crate::arrow_types::to_arrow(&expr.data_type), true);
        Self { text, field: Arc::new(field), kernel, args }
    }
}

impl PhysicalExpr for Operation {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn return_field(&self, _: &Schema) -> Result<FieldRef> {
        Ok(Arc::clone(&self.field))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let args =
            self.args.iter().map(|arg| arg.evaluate(batch)?.into_array(rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let array = (self.kernel)(&args, rows)?;
        if array.data_type() == self.field.data_type() && array.len() == rows {
            return Ok(ColumnarValue::Array(array));
        }
        Err(DataFusionError::Internal(format!("a kernel gave `{}`", array.data_type())))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.args.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, args: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let (text, field, kernel) = (self.text.clone(), Arc::clone(&self.field), Arc::clone(&self.kernel));
        Ok(Arc::new(Self { text, field, kernel, args }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.field == other.field && self.args == other.args
    }
}

impl Eq for Operation {}

impl Hash for Operation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
        self.args.hash(state);
    }
}
