//! The values of expressions in steps.

use super::{Custom, PREFIX};
use crate::cel::{Expression, Text, Variables};
use crate::operation::quoted_name;
use crate::plan::{About, PlanTask};
use crate::spec::ParameterType;
use crate::task::Step;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Asks for the output of a step of the task, by its name.
pub type Outputs<'a, E> = &'a dyn Fn(&str) -> Result<Option<Value>, E>;

/// All variables.
pub(crate) const VARIABLES: [&str; 5] = ["dataset", "columns", "task", "params", "steps"];

/// Whether a value is of a kind.
pub fn fits(kind: ParameterType, value: &Value) -> bool {
    match kind {
        ParameterType::String => value.is_string(),
        ParameterType::Integer => value.is_i64() || value.is_u64(),
        ParameterType::Number => value.is_number(),
        ParameterType::Boolean => value.is_boolean(),
    }
}

/// A default as files have it, where `default: 1` is text: the value of that kind, if it is one.
pub(crate) fn of_kind(kind: ParameterType, value: &Value) -> Option<Value> {
    let read = match value {
        Value::String(text) if kind != ParameterType::String => serde_json::from_str(text).ok()?,
        other => other.clone(),
    };
    fits(kind, &read).then_some(read)
}

/// What is known when the plan is made.
pub fn planned<S: About>(task: &PlanTask<S>, custom: &Custom) -> Variables {
    let mut variables: Variables = [("task", json!({"id": task.id})), ("params", custom.parameters.clone())].into();
    let Some(work) = task.dataset() else { return variables };
    let source = &work.source;
    let layout = serde_json::to_value(&source.layout).unwrap_or_default();
    let entity = &source.dataset.entity;
    let dataset = json!({
        "ref": entity.to_string(),
        "name": entity.name,
        "namespace": entity.namespace,
        "owner": task.owner.as_ref().map(ToString::to_string),
        "format": layout.pointer("/format/format").or_else(|| layout.get("format")).cloned().unwrap_or_default(),
        "shape": layout.get("shape").cloned().unwrap_or_default(),
        "partitions": source.layout.partition_by,
        "files": source.files,
        "bytes": source.bytes,
        "rows": source.rows,
        "target": {"ref": work.target.to_string(), "name": work.target.name, "namespace": work.target.namespace},
    });
    let columns = source.schema.columns.iter().map(|column| {
        json!({
            "name": column.name,
            "quoted": quoted_name(&column.name),
            "type": column.data_type.to_string(),
            "nullable": column.nullable,
            "partition": source.layout.partition_by.contains(&column.name),
        })
    });
    variables.extend([("dataset", dataset), ("columns", Value::Array(columns.collect()))]);
    variables
}

/// Whether an output says that its step was not done because of its condition.
pub fn skipped(output: &Value) -> bool {
    output.get("skipped") == Some(&Value::Bool(true))
}

/// What expressions see of a step that was done.
fn seen(step: &Step, output: Option<Value>) -> Value {
    let output = output.unwrap_or_else(|| json!({}));
    if skipped(&output) {
        return json!({"outputs": {}, "skipped": true});
    }
    let outputs = if step.uses.starts_with(PREFIX) { output["outputs"].clone() } else { output };
    json!({"outputs": outputs, "skipped": false})
}

/// The variables of the step at `index`, with what an expression may ask of the steps before it.
fn variables<S: About, E: From<String>>(
    task: &PlanTask<S>,
    custom: &Custom,
    index: usize,
    reads: &[Vec<String>],
    outputs: Outputs<'_, E>,
) -> Result<Variables, E> {
    let mut variables = planned(task, custom);
    let steps: Vec<&Vec<String>> = reads.iter().filter(|path| path[0] == "steps").collect();
    // An index by a computed name may be any of them.
    let wanted = |name: &str| steps.iter().any(|path| path.get(1).is_none_or(|step| step == name));
    let mut before = serde_json::Map::new();
    for step in task.steps[..index].iter().filter(|step| wanted(step.name())) {
        before.insert(step.name().to_owned(), seen(step, outputs(step.name())?));
    }
    variables.insert("steps", Value::Object(before));
    Ok(variables)
}

/// Whether the step at `index` is to be done. An error is a line for people, or what `outputs` failed with.
pub fn is_wanted<S: About, E: From<String>>(
    task: &PlanTask<S>,
    custom: &Custom,
    index: usize,
    outputs: Outputs<'_, E>,
) -> Result<bool, E> {
    let when = task.steps[index].inserted.as_ref().and_then(|inserted| inserted.when.as_ref());
    let Some(when) = when else { return Ok(true) };
    let told = |why: String| E::from(format!("the condition `{when}` {why}"));
    let expression = Expression::parse(when, &VARIABLES).map_err(told)?;
    let variables = variables(task, custom, index, &expression.reads(), outputs)?;
    expression.holds(&variables).map_err(told)
}

/// The values of the inputs of the step at `index`.
pub fn inputs<S: About, E: From<String>>(
    task: &PlanTask<S>,
    custom: &Custom,
    index: usize,
    outputs: Outputs<'_, E>,
) -> Result<BTreeMap<String, Value>, E> {
    let step = &task.steps[index];
    let Some(inserted) = &step.inserted else { return Ok(BTreeMap::new()) };
    let mut with = inserted.with.clone();
    let kinds = custom.command_of(&step.uses).map(|command| &command.inputs);
    for (name, text) in &inserted.computed {
        let told = |why: String| E::from(format!("the input `{name}`, `{text}`, {why}"));
        let read = Text::parse(text, &VARIABLES).map_err(told)?;
        let variables = variables(task, custom, index, &read.reads(), outputs)?;
        let value = read.value(&variables).map_err(told)?;
        if let Some(kind) = kinds.and_then(|kinds| kinds.get(name))
            && !fits(*kind, &value)
        {
            return Err(told(format!("gives {value}, which is no {}", kind.noun())));
        }
        with.insert(name.clone(), value);
    }
    Ok(with)
}
