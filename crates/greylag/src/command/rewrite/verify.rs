//! `--verify`: the checks of what would be written.

use crate::consumers::Source;
use crate::context::Context;
use crate::failure::{Failure, shown};
use crate::output::{self, Row, heading};
use crate::verified;
use greylag_code::prove::build::BuildProof;
use greylag_code::repository::{Options, Report};
use greylag_code::tree::Tree;
use greylag_code::verify::command::Outcome;
use greylag_code::verify::{self, verify};
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code;
use greylag_model::consumer::TableChange;
use serde_json::json;
use std::path::Path;

/// A check of a repository's change.
pub(super) struct Checked {
    /// The path that was given.
    repository: String,
    pub(super) check: CheckResult,
    /// What the repository's command said, before and after.
    said: Option<(Option<Outcome>, Option<Outcome>)>,
    /// The end of what its build said.
    built: Vec<String>,
}

pub(super) const HEADINGS: [output::Heading; 4] =
    [heading("repository"), heading("check"), heading("verdict"), heading("detail")];

/// All checks of one repository.
pub(super) fn of(
    context: &Context,
    path: &Path,
    (source, report): (&Source, &Report),
    changes: &[TableChange],
    options: Options<'_>,
) -> Result<Vec<Checked>, Failure> {
    let after = report.after(source.tree.as_ref());
    let repository = path.display().to_string();
    let how = verify::Options { dialect: options.dialect, stated: options.stated, report: Some(report), scope: &[] };
    let results = verify(source.tree.as_ref(), &after, changes, how).map_err(|error| {
        Failure::error(code::cli::FILE_UNREADABLE, format!("`{repository}` cannot be read: {error}"))
    })?;
    let mut checked: Vec<Checked> = results
        .into_iter()
        .map(|check| Checked { repository: repository.clone(), check, said: None, built: Vec::new() })
        .collect();
    // One file is no repository, and its command is not its own.
    if path.is_dir() {
        let identity = verified::identity(&repository);
        let trees = (source.tree.as_ref(), &after as &dyn Tree);
        if let Some(ran) = verified::by_command(&context.home()?, &identity, trees, &|| context.interrupted())? {
            checked.push(Checked { repository, check: ran.check, said: Some((ran.base, ran.new)), built: Vec::new() });
        }
    }
    Ok(checked)
}

impl Checked {
    /// What a build came to.
    pub(super) fn build(repository: &Path, proof: &BuildProof) -> Self {
        let (repository, check) = (repository.display().to_string(), proof.check.clone());
        Self { repository, check, said: None, built: proof.said.clone() }
    }

    /// Tells of it in a line.
    pub(super) fn say(&self, context: &Context) {
        let CheckResult { name, verdict, detail, .. } = &self.check;
        context.say(&format!("{} {name}: {}: {}", self.repository, word(*verdict), shown(detail)));
        tell(context, std::slice::from_ref(self));
    }
}

pub(super) fn rows(checked: &[Checked]) -> Vec<Row> {
    checked.iter().map(row).collect()
}

fn row(checked: &Checked) -> Row {
    let CheckResult { name, detail, .. } = &checked.check;
    let cells = vec![shown(&checked.repository), name.clone(), word(checked.check.verdict).to_owned(), shown(detail)];
    let mut value = json!({
        "repository": checked.repository, "check": name, "verdict": checked.check.verdict, "detail": detail,
        "hint": checked.check.hint,
    });
    if let Some((before, after)) = &checked.said {
        let said = |outcome: &Option<Outcome>| {
            outcome.as_ref().map(|outcome| json!({"ended": outcome.ended, "said": outcome.said}))
        };
        value["before"] = json!(said(before));
        value["after"] = json!(said(after));
    }
    if !checked.built.is_empty() {
        value["said"] = json!(checked.built);
    }
    Row::new(format!("{} {name}", checked.repository), cells, &value)
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
    }
}

/// Tells people what to do about checks that do not pass, and the end of what a command said.
pub(super) fn tell(context: &Context, checked: &[Checked]) {
    for checked in checked.iter().filter(|checked| checked.check.verdict != Verdict::Pass) {
        let CheckResult { name, hint, .. } = &checked.check;
        if let Some(hint) = hint {
            context.say(&format!("{} {name}: {hint}", checked.repository));
        }
        let outcome = checked.said.iter().find_map(|(before, after)| after.as_ref().or(before.as_ref()));
        for line in outcome.iter().flat_map(|outcome| &outcome.said).chain(&checked.built) {
            context.say(&format!("  {line}"));
        }
    }
}
