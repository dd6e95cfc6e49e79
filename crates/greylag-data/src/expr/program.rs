//! A mapping, compiled.

use super::cast::cast_array;
use super::compile::compile;
use super::misfits::Misfits;
use super::values::{BatchRow, array_of};
use crate::arrow_types::{from_arrow_schema, to_arrow};
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, Scalar};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{filter_record_batch, is_not_null};
use arrow::datatypes::{Field, Schema as ArrowSchema, SchemaRef};
use arrow::error::ArrowError;
use datafusion_physical_expr::PhysicalExpr;
use greylag_driver::error::DriverError;
use greylag_model::code::expr as code;
use greylag_model::expr::TypedExpr;
use greylag_model::mapping::{Cast, ColumnMapping};
use greylag_model::schema::Schema;
use greylag_model::spec::Misfit;
use greylag_model::types::DataType;
use greylag_model::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A row that did not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Index in the source batch.
    pub row: usize,
    /// The first target column, in the mapping's order, that it did not fit.
    pub column: String,
    /// Why; says nothing of the value.
    pub reason: String,
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The rows that fit, in order, in the target's columns and types.
    pub batch: RecordBatch,
    /// The others, by row.
    pub rejected: Vec<Rejected>,
    /// All values that did not fit, whatever became of them, by column.
    pub unfit: Vec<Unfit>,
}

/// Values of one column that did not fit for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Index of the column in the mapping.
    pub column: usize,
    /// Why; says nothing of the values.
    pub reason: &'static str,
    /// Rows.
    pub rows: u64,
    /// Index of the first in the source batch.
    pub first: usize,
}

/// A mapping, compiled against the schema of its source batches.
#[derive(Debug)]
pub struct Program {
    source: Schema,
    columns: Vec<Column>,
    target: SchemaRef,
}

#[derive(Debug)]
struct Column {
    name: String,
    expr: TypedExpr,
    fast: Arc<dyn PhysicalExpr>,
    /// The last conversion: of the mapping, or the expression's outermost.
    cast: Option<Cast>,
    data_type: DataType,
    misfit: Misfit,
    /// One value that replaces nulls.
    default: Option<ArrayRef>,
}

impl Program {
    /// Compiles the columns of a mapping. Source batches have the canonical types of [`crate::arrow_types`]; columns
    /// that no expression reads may be missing.
    pub fn new(columns: &[ColumnMapping], source: &ArrowSchema) -> Result<Self, DriverError> {
        let schema = from_arrow_schema(source).map_err(|wrong| {
            DriverError::permanent(
                code::SOURCE_CHANGED,
                format!("the data cannot be read as planned: {}", wrong.join(", ")),
            )
        })?;
        let columns =
            columns.iter().map(|column| Column::new(column, source)).collect::<Result<Vec<Column>, DriverError>>()?;
        let fields: Vec<Field> = columns.iter().map(Column::field).collect();
        Ok(Self { source: schema, columns, target: Arc::new(ArrowSchema::new(fields)) })
    }

    /// The schema of the batches that it gives. A field is nullable unless nulls cannot occur.
    pub fn schema(&self) -> &SchemaRef {
        &self.target
    }

    /// Runs it on a batch of the schema that it was compiled for. Fails with [`code::ROW`] if a column whose policy is
    /// `fail` has a misfit.
    pub fn run(&self, batch: &RecordBatch) -> Result<Evaluated, DriverError> {
        let types: Vec<DataType> = self.source.columns.iter().map(|column| column.data_type.clone()).collect();
        let mut arrays = Vec::with_capacity(self.columns.len());
        let mut rejected: BTreeMap<usize, (&str, &'static str)> = BTreeMap::new();
        let mut unfit = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            let mut misfits = Misfits::default();
            let mut array = column.evaluate(batch, &self.source, &types, &mut misfits)?;
            if let Some((row, reason)) = misfits.first()
                && column.misfit == Misfit::Fail
            {
                let message = format!("row {row} of the batch does not fit column `{}`: {reason}", column.name);
                return Err(DriverError::permanent(code::ROW, message)
                    .hint("choose `misfit: null` or `misfit: reject` for the column, or another type"));
            }
            misfits.count(index, &mut unfit);
            if column.misfit == Misfit::Reject {
                for (row, reason) in misfits.rows() {
                    rejected.entry(*row).or_insert((&column.name, reason));
                }
            }
            if let Some(default) = &column.default
                && array.null_count() > 0
            {
                array = replace_nulls(&array, default).map_err(|error| internal(&error))?;
            }
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let whole = self.batch(arrays, &options, &rejected)?;
        let rejected = rejected
            .into_iter()
            .map(|(row, (column, reason))| Rejected { row, column: column.to_owned(), reason: reason.to_owned() })
            .collect();
        Ok(Evaluated { batch: whole, rejected, unfit })
    }

    fn batch(
        &self,
        arrays: Vec<ArrayRef>,
        options: &RecordBatchOptions,
        rejected: &BTreeMap<usize, (&str, &'static str)>,
    ) -> Result<RecordBatch, DriverError> {
        if rejected.is_empty() {
            return RecordBatch::try_new_with_options(Arc::clone(&self.target), arrays, options)
                .map_err(|error| internal(&error));
        }
        // Rejected rows may have nulls where the target has none: they go before anybody looks.
        let lenient: Vec<Field> =
            self.target.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
        let whole = RecordBatch::try_new_with_options(Arc::new(ArrowSchema::new(lenient)), arrays, options);
        let rows = options.row_count.unwrap_or(0);
        let keep = (0..rows).map(|row| Some(!rejected.contains_key(&row))).collect::<BooleanArray>();
        let kept = whole.and_then(|whole| filter_record_batch(&whole, &keep)).map_err(|error| internal(&error))?;
        let options = RecordBatchOptions::new().with_row_count(Some(kept.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.target), kept.columns().to_vec(), &options)
            .map_err(|error| internal(&error))
    }
}

fn internal(error: &ArrowError) -> DriverError {
    DriverError::permanent(code::SOURCE_CHANGED, format!("the batch does not have the planned form: {error}"))
}

fn replace_nulls(array: &ArrayRef, default: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    zip(&is_not_null(array)?, array, &Scalar::new(Arc::clone(default)))
}

impl Column {
    fn new(mapping: &ColumnMapping, source: &ArrowSchema) -> Result<Self, DriverError> {
        let (expr, cast) = outermost_cast(mapping);
        let data_type = cast.as_ref().map_or(&expr.data_type, |cast| &cast.to).clone();
        let default = mapping.default.as_ref().map(|default| constant(default, &data_type)).transpose()?;
        let fast = compile(&expr, source)?;
        let (name, misfit) = (mapping.target.clone(), mapping.misfit);
        Ok(Self { name, expr, fast, cast, data_type, misfit, default })
    }

    fn field(&self) -> Field {
        let filled = self.default.as_ref().is_some_and(|default| default.null_count() == 0);
        let nullable = !filled && (self.expr.nullable || self.misfit == Misfit::Null);
        Field::new(&self.name, to_arrow(&self.data_type), nullable)
    }

    fn evaluate(
        &self,
        batch: &RecordBatch,
        schema: &Schema,
        types: &[DataType],
        misfits: &mut Misfits,
    ) -> Result<ArrayRef, DriverError> {
        let fast = self.fast.evaluate(batch).and_then(|value| value.into_array(batch.num_rows()));
        let array = match fast {
            Ok(array) => array,
            Err(_) => self.reference(batch, schema, types, misfits)?,
        };
        let Some(cast) = &self.cast else { return Ok(array) };
        let mut unfit = Misfits::default();
        let cast = cast_array(&array, &self.expr.data_type, &cast.to, cast.loss, &mut unfit);
        misfits.merge(unfit);
        cast.map_err(|error| internal(&error))
    }

    /// The written meaning, row by row.
    fn reference(
        &self,
        batch: &RecordBatch,
        schema: &Schema,
        types: &[DataType],
        misfits: &mut Misfits,
    ) -> Result<ArrayRef, DriverError> {
        let bound = self.expr.bind(schema).map_err(|error| DriverError::permanent(error.code, error.message))?;
        let mut values = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let row_values = BatchRow { columns: batch.columns(), types, row };
            values.push(bound.eval(&row_values).unwrap_or_else(|error| {
                misfits.push(row, error.reason());
                Value::Null
            }));
        }
        Ok(array_of(&values, &self.expr.data_type))
    }
}

/// The mapping's expression and last conversion. If it has none of its own, the expression's outermost cast is taken
/// for it, so that its misfits are found at full speed.
fn outermost_cast(mapping: &ColumnMapping) -> (TypedExpr, Option<Cast>) {
    use greylag_model::expr::Node;
    match (&mapping.cast, &mapping.expr.node) {
        (None, Node::Cast { input, loss, safe: false }) => {
            let cast = Cast { to: mapping.expr.data_type.clone(), loss: *loss };
            ((**input).clone(), Some(cast))
        }
        (cast, _) => (mapping.expr.clone(), cast.clone()),
    }
}

/// The value of an expression without columns, as an array of one.
fn constant(expr: &TypedExpr, data_type: &DataType) -> Result<ArrayRef, DriverError> {
    let none: &[Value] = &[];
    let failed =
        |reason: &str| DriverError::permanent(code::LITERAL, format!("the default of a column has no value: {reason}"));
    let value = expr.eval(&Schema::default(), &none.to_vec()).map_err(|error| failed(&error.0))?;
    let value = greylag_model::cast::convert(value, &expr.data_type, data_type, None);
    Ok(array_of(&[value.map_err(|unfit| failed(unfit.0))?], data_type))
}
