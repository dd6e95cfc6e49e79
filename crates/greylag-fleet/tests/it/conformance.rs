//! The suite that every sandbox runs, on the real one.

use crate::support::sandbox;
use greylag_driver::sandbox::Act;
use greylag_driver::sandbox::Sandbox;
use greylag_driver::sandbox::conformance::{Make, conformance};

struct MakeBubblewrap;

impl Make for MakeBubblewrap {
    fn sandbox(&self, _: Vec<Act>) -> Box<dyn Sandbox> {
        Box::new(sandbox())
    }

    fn argv(&self, script: &[Act]) -> Vec<String> {
        let lines: Vec<String> = script.iter().map(line).collect();
        ["/bin/sh", "-c", &lines.join("\n")].map(str::to_owned).to_vec()
    }

    fn echo(&self) -> Vec<String> {
        vec!["cat".to_owned()]
    }
}

fn line(act: &Act) -> String {
    match act {
        Act::Write(bytes) => format!("printf '%s' '{}'", String::from_utf8_lossy(bytes)),
        Act::Complain(text) => format!("printf '%s' '{text}' >&2"),
        Act::Flood(bytes) => match String::from_utf8_lossy(bytes).strip_suffix('\n') {
            Some(line) => format!("exec yes '{line}'"),
            None => format!("yes '{}' | tr -d '\\n'", String::from_utf8_lossy(bytes)),
        },
        Act::Hang => "sleep 1000".to_owned(),
        Act::Exit(code) => format!("exit {code}"),
    }
}

#[test]
fn bubblewrap() {
    conformance(&MakeBubblewrap);
}
