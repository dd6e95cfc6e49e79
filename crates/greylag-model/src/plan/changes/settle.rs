//! Expressions whose values are known when the plan is made.

use crate::cel::{Expression, Text};
use crate::code::plan as code;
use crate::custom::{Custom, Inserted, PREFIX, VARIABLES, fits, inputs, is_wanted, of_kind};
use crate::diagnostic::Diagnostic;
use crate::plan::Places;
use crate::plan::compile::Drafted;
use crate::spec::{MigrationSpec, ParameterType, StepSpec};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

/// Computes what can be computed of a task's steps by now; what cannot be had blocks the task.
pub(in crate::plan) fn settle(
    task: &mut Drafted,
    spec: &MigrationSpec,
    custom: &Custom,
    connections: &BTreeMap<String, String>,
    places: Places<'_>,
) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    if custom.is_empty() {
        return errors;
    }
    for index in 0..task.steps.len() {
        let Some(mut inserted) = task.steps[index].inserted.clone() else { continue };
        let number = spec.steps.iter().position(|step| named(step) == inserted.name).unwrap_or_default();
        let mut told = |key: String, why: String| {
            let at = places(&format!("/spec/steps/{number}/{key}"));
            errors.push(Diagnostic::error(code::STEP_EXPRESSION, why).at(at));
        };
        // What steps put out is not known yet: one value of each kind stands for it, and shows what kind is given.
        let example = |name: &str| Ok::<_, String>(Some(example(task, custom, name)));
        if let Some(when) = &inserted.when {
            let later = waits(Expression::parse(when, &VARIABLES).map(|read| read.reads()));
            match is_wanted(task, custom, index, &example) {
                Ok(true) if !later => inserted.when = None,
                Ok(false) if !later => inserted.when = Some("false".to_owned()),
                Err(why) if !later || why.ends_with("neither true nor false") => told("if".to_owned(), why),
                _ => {}
            }
        }
        let kinds =
            custom.command_of(&task.steps[index].uses).map(|command| command.inputs.clone()).unwrap_or_default();
        let command =
            spec.commands.iter().find(|command| task.steps[index].uses.strip_prefix(PREFIX) == Some(&command.name));
        let defaults = command.iter().flat_map(|command| &command.inputs);
        let mut with: BTreeMap<String, Value> = defaults
            .filter_map(|input| Some((input.name.clone(), of_kind(input.value_type, input.default.as_ref()?)?)))
            .collect();
        for (name, value) in std::mem::take(&mut inserted.with) {
            let kind = kinds.get(&name).copied().unwrap_or_default();
            match value.as_str().filter(|text| text.contains("${{")) {
                None if fits(kind, &value) => {
                    with.insert(name, value);
                }
                None => {
                    let why = format!("the input `{name}` is {value}, which is no {}", kind.noun());
                    told(format!("with/{name}"), why);
                }
                Some(text) => {
                    let later = waits(Text::parse(text, &VARIABLES).map(|read| read.reads()));
                    let mut alone = task.clone();
                    let only = Inserted { computed: [(name.clone(), text.to_owned())].into(), ..Inserted::default() };
                    alone.steps[index].inserted = Some(Box::new(only));
                    match inputs(&alone, custom, index, &example) {
                        Ok(mut value) if !later => with.extend(value.remove_entry(&name)),
                        Err(why) if !later || why.contains(", which is no ") => told(format!("with/{name}"), why),
                        _ => {
                            inserted.computed.insert(name, text.to_owned());
                        }
                    }
                }
            }
        }
        inserted.with = with;
        task.steps[index].inserted = Some(inserted);
    }
    errors.extend(overlaps(task, spec, custom, connections, places));
    errors
}

pub(super) fn named(step: &StepSpec) -> &str {
    let uses = step.uses.as_deref().unwrap_or_default();
    step.name.as_deref().unwrap_or_else(|| uses.strip_prefix(PREFIX).unwrap_or(uses))
}

/// Whether an expression waits for what steps put out.
fn waits(reads: Result<Vec<Vec<String>>, String>) -> bool {
    reads.is_ok_and(|reads| reads.iter().any(|path| path[0] == "steps"))
}

fn example(task: &Drafted, custom: &Custom, name: &str) -> Value {
    let step = task.steps.iter().find(|step| step.name() == name);
    let outputs = step.and_then(|step| custom.command_of(&step.uses)).map(|command| command.outputs.clone());
    let value = |kind: &ParameterType| match kind {
        ParameterType::String => json!("text"),
        ParameterType::Integer => json!(1),
        ParameterType::Number => json!(1.5),
        ParameterType::Boolean => json!(true),
    };
    let outputs: BTreeMap<String, Value> =
        outputs.iter().flatten().map(|(name, kind)| (name.clone(), value(kind))).collect();
    json!({"outputs": outputs})
}

/// No command may write where a dataset lies: it could publish what was not verified.
fn overlaps(
    task: &Drafted,
    spec: &MigrationSpec,
    custom: &Custom,
    connections: &BTreeMap<String, String>,
    places: Places<'_>,
) -> Vec<Diagnostic> {
    let used: HashSet<&str> = task.steps.iter().filter_map(|step| step.uses.strip_prefix(PREFIX)).collect();
    let mut errors = Vec::new();
    for (number, command) in
        spec.commands.iter().enumerate().filter(|(_, command)| used.contains(command.name.as_str()))
    {
        let Some(folder) = custom.commands.get(&command.name).and_then(|command| command.writes.as_ref()) else {
            continue;
        };
        let inside =
            |path: &str, of: &str| path == of || path.strip_prefix(of).is_some_and(|rest| rest.starts_with('/'));
        for location in [&task.subject.source.dataset.location, &task.subject.target_location] {
            let root = location.connection.as_ref().and_then(|connection| connections.get(connection));
            let path = root.map_or_else(|| location.path.clone(), |root| format!("{root}/{}", location.path));
            if inside(&path, folder) || inside(folder, &path) {
                let message = format!("the command `{}` may write to `{folder}`, where `{path}` lies", command.name);
                let at = places(&format!("/spec/commands/{number}/writes"));
                let hint = "give it a folder in which there are no datasets: they appear only by `data/publish`";
                errors.push(Diagnostic::error(code::BAD_COMMAND, message).at(at).hint(hint));
            }
        }
    }
    errors
}
