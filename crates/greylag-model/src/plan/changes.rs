//! Changes to the built-in order of steps, and the commands that they bring.
//!
//! What is wrong with a change or a command is wrong with the migration as a whole, and is told before any dataset is looked
//! at. What an expression gives depends on the dataset, and blocks the pair of that one.
//!
//! **A step's phase** is that of the step that it follows or replaces, and what is put `before` a step has the phase of the
//! step before that. So the phases of a task stay in order, and who waits for a phase waits for what was put into it.

mod command;
mod settle;

pub(super) use settle::settle;

use super::Places;
use super::steps::{Times, timed};
use crate::cel::{Expression, Text};
use crate::code::plan as code;
use crate::custom::{Custom, Inserted, PREFIX, VARIABLES};
use crate::diagnostic::Diagnostic;
use crate::operation::nearest;
use crate::snapshot::Snapshot;
use crate::spec::{MigrationSpec, StepSpec};
use crate::task::Step;
use std::collections::BTreeMap;

/// Steps that the promises of a migration rest on.
const KEPT: [&str; 5] = ["data/expand", "data/backfill", "data/verify", "data/publish", "catalog/publish"];

/// Makes the changes to the built-in steps.
pub(super) fn made(
    spec: &MigrationSpec,
    snapshot: &Snapshot,
    places: Places<'_>,
    steps: Vec<Step>,
    errors: &mut Vec<Diagnostic>,
) -> (Vec<Step>, Custom) {
    let mut custom = Custom { parameters: spec.parameters.clone(), ..Custom::default() };
    let mut maker = Maker { spec, places, errors, steps, numbers: BTreeMap::new(), lost: Vec::new() };
    for (number, command) in spec.commands.iter().enumerate() {
        if let Some(frozen) = maker.command(number, command, snapshot)
            && custom.commands.insert(command.name.clone(), frozen).is_some()
        {
            let message = format!("another command is named `{}` too", command.name);
            maker.error(code::BAD_COMMAND, format!("/spec/commands/{number}/name"), message, "give it another name");
        }
    }
    for (number, change) in spec.steps.iter().enumerate() {
        maker.change(number, change, &mut custom);
    }
    let (steps, numbers) = (maker.steps.clone(), maker.numbers.clone());
    for (index, step) in steps.iter().enumerate() {
        if let Some(number) = numbers.get(step.name()) {
            maker.expressions(*number, &steps[..index], &custom);
        }
    }
    if spec.steps.is_empty() && spec.commands.is_empty() {
        custom = Custom::default();
    }
    (steps, custom)
}

struct Maker<'a> {
    spec: &'a MigrationSpec,
    places: Places<'a>,
    errors: &'a mut Vec<Diagnostic>,
    steps: Vec<Step>,
    /// Which change made a step, by its name.
    numbers: BTreeMap<String, usize>,
    /// Steps that could not be put in, which has been told: who asks for them is not told again.
    lost: Vec<String>,
}

impl Maker<'_> {
    fn error(&mut self, code: crate::code::Code, at: String, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(Diagnostic::error(code, message).at((self.places)(&at)).hint(hint));
    }

    fn change(&mut self, number: usize, change: &StepSpec, custom: &mut Custom) {
        let at = |key: &str| format!("/spec/steps/{number}{key}");
        match (&change.uses, &change.drop) {
            (None, Some(name)) => {
                if *change != (StepSpec { drop: change.drop.clone(), ..StepSpec::default() }) {
                    let message = "a step is left out and something else is said of it";
                    self.error(code::STEP_CHANGE, at(""), message, "`drop` stands alone");
                }
                if let Some(index) = self.find(name, at("/drop")).filter(|_| self.may_go(name, at("/drop"), "left out"))
                {
                    let step = self.steps.remove(index);
                    custom.dropped.push(step.name().to_owned());
                    self.numbers.remove(name);
                }
            }
            (Some(uses), None) => {
                let errors = self.errors.len();
                self.insert(number, change, uses, custom);
                if self.errors.len() > errors {
                    self.lost.push(settle::named(change).to_owned());
                }
            }
            _ => self.error(
                code::STEP_CHANGE,
                at(""),
                "a change has exactly one of `uses` and `drop`",
                "say what is done (`uses: custom/NAME`), or what is left out (`drop: STEP`)",
            ),
        }
    }

    fn insert(&mut self, number: usize, change: &StepSpec, uses: &str, custom: &mut Custom) {
        let at = |key: &str| format!("/spec/steps/{number}{key}");
        let anchors = [("before", &change.before), ("after", &change.after), ("replace", &change.replace)];
        let given: Vec<(&str, &String)> =
            anchors.iter().filter_map(|(key, name)| Some((*key, name.as_ref()?))).collect();
        let [(key, anchor)] = given[..] else {
            let message = "a step has exactly one of `before`, `after` and `replace`";
            self.error(code::STEP_CHANGE, at(""), message, "say where it goes, e.g. `before: data/publish`");
            return;
        };
        let command = uses.strip_prefix(PREFIX);
        let name = change.name.clone().unwrap_or_else(|| command.unwrap_or(uses).to_owned());
        if self.steps.iter().any(|step| step.name() == name) {
            let message = format!("there is a step `{name}` already");
            self.error(code::STEP_CHANGE, at(""), message, "give one of them another `name`");
            return;
        }
        let Some(index) = self.find(anchor, at(&format!("/{key}"))) else { return };
        if key == "replace" && !self.may_go(anchor, at("/replace"), "replaced") {
            return;
        }
        if !self.knows(number, change, uses, command, custom, index + usize::from(key == "after")) {
            return;
        }
        let mut times = Times { places: self.places, errors: self.errors };
        let base = &self.steps[index];
        let (retry, timeout_millis) = timed(
            &mut times,
            change.retry.as_ref(),
            change.timeout.as_ref(),
            &at(""),
            (base.retry.clone(), base.timeout_millis),
        );
        let phase = match key {
            "before" => index.checked_sub(1).map_or(base.phase, |previous| self.steps[previous].phase),
            _ => base.phase,
        };
        let inserted = Inserted {
            name: name.clone(),
            when: change.when.clone(),
            with: change.with.clone(),
            ..Inserted::default()
        };
        let step = Step {
            uses: uses.to_owned(),
            phase,
            approval: change.approval,
            retry,
            timeout_millis,
            inserted: Some(Box::new(inserted)),
        };
        match key {
            "before" => self.steps.insert(index, step),
            "after" => self.steps.insert(index + 1, step),
            _ => {
                custom.dropped.push(self.steps[index].name().to_owned());
                self.steps[index] = step;
            }
        }
        self.numbers.insert(name, number);
    }

    /// Whether what a step uses is there, and gets what it needs.
    fn knows(
        &mut self,
        number: usize,
        change: &StepSpec,
        uses: &str,
        command: Option<&str>,
        custom: &Custom,
        index: usize,
    ) -> bool {
        let at = |key: &str| format!("/spec/steps/{number}{key}");
        let Some(command) = command else {
            let position = |uses: &str| self.steps.iter().position(|step| step.uses == uses).unwrap_or_default();
            let fits = position("data/backfill") < index && index <= position("data/publish");
            if uses != "data/verify" {
                let message = format!("`{uses}` is no step that can be inserted");
                let hint = "custom steps are `custom/NAME`; of the built-in ones `data/verify` may be done once more";
                self.error(code::STEP_CHANGE, at("/uses"), message, hint);
            } else if !fits {
                let message = "there is nothing to verify at this place";
                self.error(code::STEP_CHANGE, at(""), message, "it goes between `data/backfill` and `data/publish`");
            } else if let Some(name) = change.with.keys().next() {
                let message = format!("`data/verify` has no input `{name}`");
                self.error(code::STEP_CHANGE, at(&format!("/with/{name}")), message, "remove it");
            } else {
                return true;
            }
            return false;
        };
        let Some(spec) = self.spec.commands.iter().find(|one| one.name == command) else {
            let names = self.spec.commands.iter().map(|command| command.name.as_str());
            let hint = match nearest(command, names) {
                Some(near) => format!("did you mean `custom/{near}`?"),
                None => format!("declare it: `commands: [{{name: {command}, run: [PROGRAM, …], readOnly: true}}]`"),
            };
            self.error(code::STEP_CHANGE, at("/uses"), format!("there is no command `{command}`"), hint);
            return false;
        };
        let before = self.errors.len();
        for name in change.with.keys().filter(|name| !spec.inputs.iter().any(|input| input.name == **name)) {
            let names: Vec<&str> = spec.inputs.iter().map(|input| input.name.as_str()).collect();
            let hint = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("its inputs are: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") })
                }
            };
            let message = format!("the command `{command}` has no input `{name}`");
            self.error(code::STEP_CHANGE, at(&format!("/with/{name}")), message, hint);
        }
        for input in
            spec.inputs.iter().filter(|input| input.default.is_none() && !change.with.contains_key(&input.name))
        {
            let message = format!("the command `{command}` needs the input `{}`", input.name);
            self.error(code::STEP_CHANGE, at(""), message, format!("add it: `with: {{{}: …}}`", input.name));
        }
        // A command that is wrong itself has been told of.
        self.errors.len() == before && custom.commands.contains_key(command)
    }

    fn find(&mut self, name: &str, at: String) -> Option<usize> {
        let index = self.steps.iter().position(|step| step.name() == name);
        if index.is_none() {
            let names: Vec<&str> = self.steps.iter().map(Step::name).collect();
            let hint = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the steps here are {}", names.join(", ")),
            };
            self.error(code::STEP_CHANGE, at, format!("there is no step `{name}` at this point"), hint);
        }
        index
    }

    /// Whether a step may be left out or replaced.
    fn may_go(&mut self, name: &str, at: String, what: &str) -> bool {
        let needed = name == "data/retire" && self.steps.iter().any(|step| step.name() == "data/drop");
        let why = if KEPT.contains(&name) {
            "nothing is visible under a target's name before its checks have passed"
        } else if needed {
            "what is dropped is what was retired"
        } else {
            return true;
        };
        let message = format!("`{name}` cannot be {what}: {why}");
        self.error(
            code::STEP_CHANGE,
            at,
            message,
            format!("put a step around it: `before: {name}` or `after: {name}`"),
        );
        false
    }

    /// What can be told of a step's expressions without any dataset.
    fn expressions(&mut self, number: usize, before: &[Step], custom: &Custom) {
        let spec = self.spec;
        let change = &spec.steps[number];
        if let Some(when) = &change.when {
            let at = format!("/spec/steps/{number}/if");
            let read = Expression::parse(when, &VARIABLES).map(|read| read.reads());
            self.reads(at, &format!("the condition `{when}`"), read, before, custom);
        }
        for (name, value) in &change.with {
            let at = format!("/spec/steps/{number}/with/{name}");
            let Some(text) = value.as_str().filter(|text| text.contains("${{")) else { continue };
            let read = Text::parse(text, &VARIABLES).map(|read| read.reads());
            self.reads(at, &format!("the text `{text}`"), read, before, custom);
        }
    }

    fn reads(
        &mut self,
        at: String,
        what: &str,
        read: Result<Vec<Vec<String>>, String>,
        before: &[Step],
        custom: &Custom,
    ) {
        let wrong = match read {
            Err(why) => Some((format!("{what} {why}"), "it is CEL: https://cel.dev".to_owned())),
            Ok(paths) => paths
                .iter()
                .filter(|path| path.get(1).is_none_or(|name| !self.lost.contains(name)))
                .find_map(|path| unknown(path, before, custom))
                .map(|(why, hint)| (format!("{what} {why}"), hint)),
        };
        if let Some((message, hint)) = wrong {
            self.error(code::STEP_EXPRESSION, at, message, hint);
        }
    }
}

/// What a path names that is not there.
fn unknown(path: &[String], before: &[Step], custom: &Custom) -> Option<(String, String)> {
    let [root, name, rest @ ..] = path else { return None };
    if root != "steps" {
        return None;
    }
    let Some(step) = before.iter().find(|step| step.name() == name) else {
        let names: Vec<&str> = before.iter().map(Step::name).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the steps before are {}", names.join(", ")),
        };
        return Some((format!("asks for the step `{name}`, which does not come before"), hint));
    };
    let outputs = custom.command_of(&step.uses).map(|command| &command.outputs)?;
    match rest {
        [] => None,
        [what, ..] if what != "outputs" && what != "skipped" => {
            Some((format!("asks for `{what}` of the step `{name}`"), "a step has `outputs` and `skipped`".to_owned()))
        }
        [_, output, ..] if !outputs.contains_key(output) => {
            let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
            let hint = match nearest(output, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its outputs are: {}", names.join(", ")),
            };
            Some((format!("asks for the output `{output}` of `{name}`, which its command does not declare"), hint))
        }
        _ => None,
    }
}

/// The changes to the built-in order, for people: one line each.
pub(super) fn lines(steps: &[Step], custom: &Custom) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let Some(inserted) = &step.inserted else { continue };
        let place = match index.checked_sub(1) {
            Some(previous) => format!("after {}", steps[previous].name()),
            None => "first".to_owned(),
        };
        let command = custom.command_of(&step.uses);
        let mut words = vec![format!("+ {}  {}, {place}", inserted.name, step.uses)];
        words.extend(inserted.when.as_ref().filter(|when| *when != "false").map(|when| format!("if {when}")));
        words.extend(step.approval.then(|| "needs an approval".to_owned()));
        words.extend(command.filter(|command| command.network).map(|_| "with network".to_owned()));
        words.extend(command.and_then(|command| command.writes.as_ref()).map(|folder| format!("writes to {folder}")));
        lines.push(words.join(", "));
    }
    lines.extend(custom.dropped.iter().map(|name| format!("- {name}  left out")));
    lines
}
