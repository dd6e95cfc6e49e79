//! What a command says: lines of JSON, each an object with one of these.
//!
//! - `{"progress": {"rows": 10, "bytes": 0, "chunks": 1, "chunksTotal": 4}}`: how far it is, in all, not since the last time;
//! - `{"check": {"name": …, "verdict": "pass" | "fail" | "unknown", "detail": …}}`: one `fail` fails the step;
//! - `{"evidence": {…}}`: what it observed, for the journal: counts and hashes, never rows;
//! - `{"result": {…}}`: its outputs, once, if it ends well;
//! - `{"error": {"class": "transient" | "permanent" | "conflict" | "denied", "message": …, "hints": […]}}`: why it does not.
//!
//! All of it is bounded, since it goes into the journal. Anything else is an error that names the line.

use greylag_driver::error::DriverError;
use greylag_driver::executor::Progress;
use greylag_model::check::CheckResult;
use greylag_model::code::fleet as code;
use greylag_model::custom::fits;
use greylag_model::spec::{ErrorClass, ParameterType};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Most bytes of all evidence, and of a result.
const KEPT_BYTES: usize = 64 << 10;
/// Most checks.
const CHECKS: usize = 200;
/// Most characters of a message, a hint or a detail.
const WORDS: usize = 1_000;

/// What was said so far.
#[derive(Default)]
pub(super) struct Said {
    lines: usize,
    pub(super) progress: Progress,
    pub(super) checks: Vec<CheckResult>,
    pub(super) evidence: Vec<Value>,
    evidence_bytes: usize,
    result: Option<Map<String, Value>>,
    pub(super) error: Option<DriverError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
struct Far {
    rows: u64,
    bytes: u64,
    chunks: u64,
    chunks_total: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrong {
    #[serde(default)]
    class: Option<ErrorClass>,
    message: String,
    #[serde(default)]
    hints: Vec<String>,
}

impl Said {
    /// Takes a line; tells how far the command is if it says so.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<Option<Progress>, DriverError> {
        self.lines += 1;
        let number = self.lines;
        let wrong = |why: String| {
            DriverError::permanent(code::JOB_PROTOCOL, format!("line {number} of the command's output {why}"))
                .hint("each line is one of `{\"progress\": …}`, `{\"check\": …}`, `{\"evidence\": …}`, `{\"result\": …}`, `{\"error\": …}`; what is for people belongs on standard error")
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let object: Map<String, Value> =
            serde_json::from_slice(line).map_err(|error| wrong(format!("is no JSON object: {error}")))?;
        let mut entries = object.into_iter();
        let (Some((kind, value)), None) = (entries.next(), entries.next()) else {
            return Err(wrong("has not exactly one key".to_owned()));
        };
        if self.result.is_some() || self.error.is_some() {
            return Err(wrong(format!("says `{kind}` after the end")));
        }
        let bytes = line.len();
        match kind.as_str() {
            "progress" => {
                let far: Far = read(value).map_err(wrong)?;
                let Far { rows, bytes, chunks, chunks_total } = far;
                self.progress = Progress { rows, bytes, chunks, chunks_total };
                return Ok(Some(self.progress));
            }
            "check" => {
                let check: CheckResult = read(value).map_err(wrong)?;
                if self.checks.len() == CHECKS {
                    return Err(wrong(format!("is one check more than {CHECKS}")));
                }
                self.checks.push(CheckResult {
                    name: cut(&check.name),
                    detail: cut(&check.detail),
                    hint: check.hint.as_deref().map(cut),
                    ..check
                });
            }
            "evidence" => {
                self.evidence_bytes += bytes;
                if self.evidence_bytes > KEPT_BYTES {
                    return Err(wrong(format!("makes the evidence longer than {KEPT_BYTES} bytes")));
                }
                self.evidence.push(value);
            }
            "result" => {
                if bytes > KEPT_BYTES {
                    return Err(wrong(format!("is a result of more than {KEPT_BYTES} bytes")));
                }
                self.result = Some(read(value).map_err(wrong)?);
            }
            "error" => {
                let Wrong { class, message, hints } = read(value).map_err(wrong)?;
                let class = class.unwrap_or(ErrorClass::Permanent);
                let mut error = DriverError::new(class, code::JOB_ERROR, cut(&message));
                error.hints = hints.iter().take(5).map(|hint| cut(hint)).collect();
                self.error = Some(error);
            }
            other => return Err(wrong(format!("says `{}`, which means nothing", cut(other)))),
        }
        Ok(None)
    }

    /// The result, if it is as declared.
    pub(super) fn outputs(
        &mut self,
        step: &str,
        declared: &BTreeMap<String, ParameterType>,
    ) -> Result<Map<String, Value>, DriverError> {
        let Some(result) = self.result.take() else {
            let message = format!("the command of `{step}` ended well and said no result");
            return Err(DriverError::permanent(code::JOB_PROTOCOL, message)
                .hint("its last line is `{\"result\": {…}}`, also if there are no outputs"));
        };
        let wrong = |why: String| {
            DriverError::permanent(code::JOB_OUTPUT, format!("the result of `{step}` {why}"))
                .hint("`outputs` of the command declares what a result has")
        };
        for (name, kind) in declared {
            match result.get(name) {
                None => return Err(wrong(format!("has no `{name}`"))),
                Some(value) if !fits(*kind, value) => {
                    return Err(wrong(format!("has a `{name}` that is no {}", kind.noun())));
                }
                Some(_) => {}
            }
        }
        match result.keys().find(|name| !declared.contains_key(*name)) {
            Some(other) => Err(wrong(format!("has `{}`, which is not declared", cut(other)))),
            None => Ok(result),
        }
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("cannot be understood: {error}"))
}

fn cut(text: &str) -> String {
    text.chars().take(WORDS).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{CHECKS, Said};
    use greylag_model::spec::{ErrorClass, ParameterType};

    fn told(lines: &str) -> Result<Said, String> {
        let mut said = Said::default();
        for line in lines.lines() {
            said.take(line.as_bytes()).map_err(|error| format!("{} {error}", error.code))?;
        }
        Ok(said)
    }

    #[test]
    fn everything_is_taken() {
        let mut said = told(
            "{\"progress\": {\"rows\": 3, \"chunksTotal\": 2}}\n\n{\"check\": {\"name\": \"a\", \"verdict\": \"pass\", \"detail\": \"3 rows\"}}\n\
             {\"evidence\": {\"rows\": 3}}\n{\"result\": {\"rows\": 3}}",
        )
        .unwrap();
        assert_eq!((said.progress.rows, said.progress.chunks_total, said.checks.len()), (3, 2, 1));
        let declared = [("rows".to_owned(), ParameterType::Integer)].into();
        assert_eq!(said.outputs("s", &declared).unwrap()["rows"], 3);
        let error = told("{\"error\": {\"class\": \"transient\", \"message\": \"busy\", \"hints\": [\"wait\"]}}")
            .unwrap()
            .error
            .unwrap();
        assert_eq!(
            (error.class, error.message.as_str(), error.hints[0].as_str()),
            (ErrorClass::Transient, "busy", "wait")
        );
    }

    #[test]
    fn everything_else_is_told_with_its_line() {
        let wrong = |lines: &str| told(lines).err().unwrap();
        assert!(wrong("{}\n").starts_with("GL0806 line 1 of the command's output has not exactly one key"));
        assert!(
            wrong("{\"progress\": {}}\nhello").starts_with("GL0806 line 2 of the command's output is no JSON object")
        );
        assert!(wrong("[1]").contains("is no JSON object"));
        assert!(wrong("{\"progress\": {\"rows\": -1}}").contains("cannot be understood"));
        assert!(wrong("{\"progress\": {\"percent\": 1}}").contains("unknown field `percent`"));
        assert!(wrong("{\"result\": {}, \"error\": {}}").contains("exactly one key"));
        assert!(wrong("{\"done\": true}").contains("says `done`, which means nothing"));
        assert!(wrong("{\"result\": {}}\n{\"result\": {}}").contains("after the end"));
        assert!(wrong("{\"result\": 5}").contains("cannot be understood"));
        assert!(wrong(&format!("{{\"evidence\": \"{}\"}}", "x".repeat(70_000))).contains("longer than"));
        assert!(wrong(&format!("{{\"result\": {{\"a\": \"{}\"}}}}", "x".repeat(70_000))).contains("more than"));
        let check = "{\"check\": {\"name\": \"a\", \"verdict\": \"pass\", \"detail\": \"\"}}\n";
        assert!(wrong(&check.repeat(CHECKS + 1)).contains("one check more"));
    }

    #[test]
    fn results_are_held_against_what_is_declared() {
        let declared = [("rows".to_owned(), ParameterType::Integer)].into();
        let wrong = |line: &str| {
            let error = told(line).unwrap().outputs("count", &declared).unwrap_err();
            format!("{} {error}", error.code)
        };
        assert_eq!(wrong("{\"result\": {}}"), "GL0808 the result of `count` has no `rows`");
        assert_eq!(
            wrong("{\"result\": {\"rows\": 1.5}}"),
            "GL0808 the result of `count` has a `rows` that is no whole number"
        );
        assert_eq!(
            wrong("{\"result\": {\"rows\": 1, \"x\": 1}}"),
            "GL0808 the result of `count` has `x`, which is not declared"
        );
        assert_eq!(wrong(""), "GL0806 the command of `count` ended well and said no result");
        assert_eq!(told("{\"result\": {}}").unwrap().outputs("s", &[].into()).unwrap().len(), 0);
    }
}
