//! Expressions of a step that is about to begin, with what the steps before it have put out.

use crate::error::DriverError;
use crate::executor::{Context, StepRequest};
use greylag_model::code::fleet as code;
use greylag_model::custom;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an evaluation fails with: what the journal says, or words.
struct Failed(DriverError);

impl From<String> for Failed {
    fn from(why: String) -> Self {
        let hint = "correct the expression; `has(steps.NAME.outputs.FIELD)` asks whether a value is there";
        Self(DriverError::permanent(code::STEP_VALUE, why).hint(hint))
    }
}

/// Whether the step's condition holds.
pub fn is_wanted(request: &StepRequest<'_>, context: &dyn Context) -> Result<bool, DriverError> {
    evaluate(request, context, custom::is_wanted)
}

/// The values of the step's inputs.
pub fn inputs(request: &StepRequest<'_>, context: &dyn Context) -> Result<BTreeMap<String, Value>, DriverError> {
    evaluate(request, context, custom::inputs)
}

type Evaluate<T> =
    fn(&greylag_model::plan::PlanTask, &custom::Custom, usize, custom::Outputs<'_, Failed>) -> Result<T, Failed>;

fn evaluate<T>(request: &StepRequest<'_>, context: &dyn Context, evaluate: Evaluate<T>) -> Result<T, DriverError> {
    let name = request.step.name();
    let index = request.plan.steps.iter().position(|step| step.name() == name).unwrap_or_default();
    let output =
        |name: &str| context.output_of(name).map(|found| found.map(|found| Value::clone(&found))).map_err(Failed);
    evaluate(request.plan, &request.header.custom, index, &output).map_err(|failed| failed.0)
}
