//! Steps with a condition: whether they are done, and whether there is anything to take back.
//!
//! A step whose condition is false is done with an output that says so, and has had no effect. But a task can go back and
//! come to the step a second time, and then the condition may be false after it was true: so the first attempt that begins
//! is noted, and a step that is left out afterwards says that it had begun. Then it is taken back as if it had been done.

use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, StepReport, StepRequest};
use greylag_driver::values;
use greylag_model::custom::skipped;
use greylag_model::task::Direction;
use serde_json::{Value, json};

/// Name of the note.
const BEGAN: &str = "began";

/// The report of a step that is not to be begun; none if it is.
pub(crate) fn left_out(request: &StepRequest<'_>, context: &dyn Context) -> Result<Option<StepReport>, DriverError> {
    let conditional = request.step.inserted.as_ref().is_some_and(|inserted| inserted.when.is_some());
    if !conditional {
        return Ok(None);
    }
    let before = context.output_of(request.step.name())?;
    if request.direction == Direction::Undo {
        let nothing = before.is_some_and(|output| skipped(&output) && output.get(BEGAN).is_none());
        return Ok(nothing.then(StepReport::default));
    }
    let noted = context.checkpoints()?.iter().any(|(key, _)| key == BEGAN);
    if values::is_wanted(request, context)? {
        if !noted {
            context.checkpoint(BEGAN, &Value::Bool(true))?;
        }
        return Ok(None);
    }
    let began = noted || before.is_some_and(|output| !skipped(&output) || output.get(BEGAN).is_some());
    let output = if began { json!({"skipped": true, BEGAN: true}) } else { json!({"skipped": true}) };
    Ok(Some(StepReport { output, ..StepReport::default() }))
}
