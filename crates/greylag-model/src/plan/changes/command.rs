//! Commands, as a plan freezes them.

use super::Maker;
use crate::code::plan as code;
use crate::custom::{Command, Limits, Script, of_kind};
use crate::snapshot::Snapshot;
use crate::spec::steps::bytes;
use crate::spec::{CommandSpec, duration};
use std::collections::BTreeMap;

impl Maker<'_> {
    pub(super) fn command(&mut self, number: usize, spec: &CommandSpec, snapshot: &Snapshot) -> Option<Command> {
        let at = |key: &str| format!("/spec/commands/{number}{key}");
        let before = self.errors.len();
        let name = &spec.name;
        match (&spec.undo, spec.read_only) {
            (None, false) => self.error(
                code::BAD_COMMAND,
                at(""),
                format!("the command `{name}` does not say how it is taken back"),
                "give it `undo: [PROGRAM, …]`, or `readOnly: true` if it changes nothing outside",
            ),
            (Some(_), true) => self.error(
                code::BAD_COMMAND,
                at("/undo"),
                format!("the command `{name}` has an `undo` and says that there is nothing to take back"),
                "keep one of `undo` and `readOnly`",
            ),
            _ => {}
        }
        if spec.read_only && spec.writes.is_some() {
            let message = format!("the command `{name}` is `readOnly` and writes to a folder");
            self.error(code::BAD_COMMAND, at("/writes"), message, "give it an `undo`, or remove `writes`");
        }
        let mut scripts = BTreeMap::new();
        let own = |key: &str, all: &[String]| -> Vec<(String, String)> {
            let named = all.iter().enumerate().filter(|(_, word)| word.starts_with("./"));
            named.map(|(index, word)| (at(&format!("/{key}/{index}")), word.clone())).collect()
        };
        let undo = spec.undo.as_deref().unwrap_or_default();
        for (at, word) in [own("run", &spec.run), own("undo", undo), own("files", &spec.files)].concat() {
            if let Some(script) = self.beside(at, &word, snapshot) {
                scripts.insert(word, script);
            }
        }
        for (index, word) in spec.files.iter().enumerate().filter(|(_, word)| !word.starts_with("./")) {
            let message = format!("`{word}` is no file beside the migration file");
            self.error(code::BAD_COMMAND, at(&format!("/files/{index}")), message, "begin it with `./`");
        }
        let writes = spec.writes.as_ref().and_then(|folder| self.beside(at("/writes"), folder, snapshot));
        let mut inputs = BTreeMap::new();
        for (index, input) in spec.inputs.iter().enumerate() {
            if inputs.insert(input.name.clone(), input.value_type).is_some() {
                let message = format!("the input `{}` is given twice", input.name);
                self.error(code::BAD_COMMAND, at(&format!("/inputs/{index}/name")), message, "keep one of them");
            }
            if let Some(default) = &input.default
                && of_kind(input.value_type, default).is_none()
            {
                let message = format!("the default {default} of `{}` is no {}", input.name, input.value_type.noun());
                self.error(code::BAD_COMMAND, at(&format!("/inputs/{index}/default")), message, "correct one of them");
            }
        }
        let mut outputs = BTreeMap::new();
        for (index, output) in spec.outputs.iter().enumerate() {
            if outputs.insert(output.name.clone(), output.value_type).is_some() {
                let message = format!("the output `{}` is given twice", output.name);
                self.error(code::BAD_COMMAND, at(&format!("/outputs/{index}/name")), message, "keep one of them");
            }
        }
        let limits = self.limits(number, spec);
        (self.errors.len() == before).then(|| Command {
            run: spec.run.clone(),
            undo: spec.undo.clone(),
            inputs,
            outputs,
            reads: spec.reads.clone(),
            writes: writes.map(|folder| folder.path),
            network: spec.network,
            limits,
            scripts,
        })
    }

    fn beside(&mut self, at: String, name: &str, snapshot: &Snapshot) -> Option<Script> {
        match snapshot.scripts.get(name) {
            Some(Ok(script)) => Some(script.clone()),
            Some(Err(why)) => {
                self.error(code::BAD_COMMAND, at, format!("`{name}` {why}"), "files lie beside the migration file");
                None
            }
            None => {
                let message = format!("`{name}` was not looked at");
                self.error(code::BAD_COMMAND, at, message, "name it `./NAME`, beside the migration file");
                None
            }
        }
    }

    fn limits(&mut self, number: usize, spec: &CommandSpec) -> Limits {
        let mut limits = Limits::default();
        let Some(given) = &spec.limits else { return limits };
        for (key, text, limit) in
            [("memory", &given.memory, &mut limits.memory_bytes), ("disk", &given.disk, &mut limits.disk_bytes)]
        {
            match text.as_deref().map(|text| (text, bytes(text))) {
                None => {}
                Some((_, Some(size @ 1..))) => *limit = size,
                Some((text, _)) => {
                    let at = format!("/spec/commands/{number}/limits/{key}");
                    self.error(code::BAD_COMMAND, at, format!("`{text}` is no size"), "write e.g. `512MiB` or `2GiB`");
                }
            }
        }
        match given.cpu.as_deref().map(|text| (text, duration::parse(text))) {
            None => {}
            Some((_, Ok(millis @ 1..))) => limits.cpu_millis = millis as u64,
            Some((text, _)) => {
                let at = format!("/spec/commands/{number}/limits/cpu");
                self.error(code::BAD_COMMAND, at, format!("`{text}` leaves no time"), "write e.g. `10m`");
            }
        }
        limits.processes = given.processes.map_or(limits.processes, u64::from);
        limits
    }
}
