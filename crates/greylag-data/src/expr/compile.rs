//! Typed expressions to DataFusion physical expressions, without a session, a logical plan or an optimizer: a few
//! microseconds each.
//!
//! Columns, literals and `CASE` are DataFusion's nodes, as are the text functions whose meaning is ours; everything
//! else is an [`Operation`](super::operation) over Arrow kernels. A function without a kernel runs the
//! reference meaning over the rows of its argument arrays.

use super::cast::cast_array;
use super::kernel;
use super::misfits::Misfits;
use super::operation::{Kernel, Operation};
use super::values::array_of;
use arrow::datatypes::Schema as ArrowSchema;
use arrow::error::ArrowError;
use datafusion_common::ScalarValue;
use datafusion_common::config::ConfigOptions;
use datafusion_physical_expr::expressions::{CaseExpr, Column, Literal};
use datafusion_physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use greylag_driver::error::DriverError;
use greylag_model::code::expr as code;
use greylag_model::expr::{Node, TypedExpr};
use std::sync::{Arc, OnceLock};

/// Compiles an expression against the Arrow schema of the batches that it will see, whose columns are canonical.
pub fn compile(expr: &TypedExpr, schema: &ArrowSchema) -> Result<Arc<dyn PhysicalExpr>, DriverError> {
    match &expr.node {
        Node::Column(name) => {
            let wanted = crate::arrow_types::to_arrow(&expr.data_type);
            match schema.index_of(name) {
                Ok(index) if *schema.field(index).data_type() == wanted => Ok(Arc::new(Column::new(name, index))),
                Ok(index) => {
                    let found = schema.field(index).data_type();
                    let message = format!("column `{name}` is `{found}` and was planned as `{}`", expr.data_type);
                    Err(DriverError::permanent(code::SOURCE_CHANGED, message))
                }
                Err(_) => {
                    Err(DriverError::permanent(code::SOURCE_CHANGED, format!("column `{name}` is not in the data")))
                }
            }
        }
        Node::Literal(literal) => {
            let value = literal.value(&expr.data_type).map_err(|unfit| broken(unfit.0))?;
            let array = array_of(&[value], &expr.data_type);
            let scalar = ScalarValue::try_from_array(&array, 0).map_err(|error| broken(&error.to_string()))?;
            Ok(Arc::new(Literal::new(scalar)))
        }
        Node::Cast { input, loss, safe } => {
            let arg = compile(input, schema)?;
            let (from, to, loss, safe) = (input.data_type.clone(), expr.data_type.clone(), *loss, *safe);
            let kernel: Kernel = Arc::new(move |args, _| {
                let mut misfits = Misfits::default();
                let array = cast_array(&args[0], &from, &to, loss, &mut misfits)?;
                match misfits.first() {
                    Some((_, reason)) if !safe => Err(ArrowError::ComputeError((*reason).to_owned())),
                    _ => Ok(array),
                }
            });
            Ok(Arc::new(Operation::new(expr, kernel, vec![arg])))
        }
        Node::Case { branches, otherwise } => {
            let branches = branches
                .iter()
                .map(|(when, then)| Ok((compile(when, schema)?, compile(then, schema)?)))
                .collect::<Result<Vec<_>, DriverError>>()?;
            let otherwise = otherwise.as_deref().map(|other| compile(other, schema)).transpose()?;
            let case = CaseExpr::try_new(None, branches, otherwise).map_err(|error| broken(&error.to_string()))?;
            Ok(Arc::new(case))
        }
        Node::Call { function, args } => {
            let compiled = args.iter().map(|arg| compile(arg, schema)).collect::<Result<Vec<_>, _>>()?;
            if let Some(udf) = kernel::builtin(*function, args) {
                let field = arrow::datatypes::Field::new("", crate::arrow_types::to_arrow(&expr.data_type), true);
                let name = udf.name().to_owned();
                return Ok(Arc::new(ScalarFunctionExpr::new(&name, udf, compiled, Arc::new(field), options())));
            }
            Ok(Arc::new(Operation::new(expr, kernel::of(*function, expr, args), compiled)))
        }
    }
}

fn broken(reason: &str) -> DriverError {
    DriverError::permanent(code::LITERAL, format!("the expression cannot be compiled: {reason}"))
}

fn options() -> Arc<ConfigOptions> {
    static OPTIONS: OnceLock<Arc<ConfigOptions>> = OnceLock::new();
    Arc::clone(OPTIONS.get_or_init(|| Arc::new(ConfigOptions::new())))
}
