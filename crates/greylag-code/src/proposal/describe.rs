//! What an owner reads to decide on a change request.

use super::Proposal;
use crate::repository::FileReport;
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::consumer::{ColumnChange, Fate, TableChange};
use greylag_model::expr::Dialect;
use std::fmt::Write as _;

/// Most files, and most places, that are listed.
const LISTED: usize = 50;

/// Its one line.
pub fn title(proposal: &Proposal<'_>) -> String {
    let changes = proposal.changes();
    let title = match changes.as_slice() {
        [one] => format!("Read `{}` in place of `{}`", one.new, old(one)),
        several => {
            format!("Read the new names of {} datasets ({})", several.len(), proposal.about.name)
        }
    };
    match proposal.part {
        None => title,
        Some(part) => format!("{title}, {part}"),
    }
}

/// Its description, in Markdown, with what was found when it was checked.
///
/// Names and reasons come from code that anybody may have written, so none of them is Markdown: a name is a span of code, whatever is in it, and
/// a reason is words and such spans, or one span as a whole.
pub fn description(proposal: &Proposal<'_>, verdicts: &[CheckResult]) -> String {
    let mut text = why(proposal);
    for change in proposal.changes() {
        text.push_str(&mapping(change));
    }
    text.push_str(&files(proposal));
    text.push_str(&held(proposal));
    text.push_str(&checked(verdicts));
    let until = proposal.until.map_or_else(String::new, |until| format!(", which stay until {}", code(until)));
    let _ = writeln!(
        text,
        "## How to say no\n\nClose this change request, or comment on it and do not approve it. It is not opened again unless \
         somebody asks for that. Until it is merged, this code reads the old datasets{until}."
    );
    text
}

/// What was found when it was checked.
fn checked(verdicts: &[CheckResult]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let mut text = "## What was checked\n\n| Check | Verdict | Detail |\n|---|---|---|\n".to_owned();
    for verdict in verdicts {
        let word = match verdict.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "**fail**",
            Verdict::Unknown => "unknown",
        };
        let _ = writeln!(text, "| {} | {word} | {} |", cell(&code(&verdict.name)), cell(&prose(&verdict.detail)));
    }
    text.push('\n');
    text
}

fn why(proposal: &Proposal<'_>) -> String {
    let about = proposal.about;
    let edits: usize = proposal.changed().map(|file| file.edits.len()).sum();
    let mut text = String::new();
    // Writing to a string does not fail.
    for line in about.title.iter().chain(&about.description) {
        let _ = writeln!(text, "{}\n", line.trim());
    }
    let _ = writeln!(
        text,
        "This moves the code of this repository to the new datasets of the migration {}. Rules wrote it: {} in {}, and \
         no other byte.\n",
        code(&about.name),
        counted(edits, "edit"),
        counted(proposal.changed().count(), "file")
    );
    if let Some(part) = proposal.part {
        let _ = writeln!(
            text,
            "It is about the part {} of the repository. What other parts have to change, change requests of their own do, in any \
             order.\n",
            code(part)
        );
    }
    if let Some(owner) = &about.owner {
        let _ = writeln!(text, "- Who answers for it: {}", code(owner));
    }
    if let Some(guide) = &about.guide {
        let _ = writeln!(text, "- Guide: <{guide}>");
    }
    if let Some(until) = proposal.until {
        let _ = writeln!(text, "- Until when the old datasets stay: {}", code(until));
    }
    if about.owner.is_some() || about.guide.is_some() || proposal.until.is_some() {
        text.push('\n');
    }
    text
}

/// The old columns that readers find elsewhere.
fn mapping(change: &TableChange) -> String {
    let is_same = |column: &&ColumnChange| matches!(&column.fate, Fate::Same(new) if *new == column.name && column.judgement.is_none());
    let same = change.columns.iter().filter(is_same).count();
    let mut text = format!("## {} becomes {}\n\n", code(&old(change)), code(&change.new.to_string()));
    if same < change.columns.len() {
        text.push_str("| Old column | Now | Remarks |\n|---|---|---|\n");
    }
    for column in change.columns.iter().filter(|column| !is_same(column)) {
        let (now, remark) = fate(&column.fate);
        let judged =
            column.judgement.iter().map(|judged| format!("{} (<{}>)", cell(&prose(&judged.text)), judged.guide));
        let remarks: Vec<String> = remark.into_iter().chain(judged).collect();
        let _ = writeln!(text, "| {} | {now} | {} |", cell(&code(&column.name)), remarks.join("; "));
    }
    let stay = match (same, change.columns.len()) {
        (0, _) => String::new(),
        (same, all) if same == all => format!("{} as before.\n", counted(same, "column")),
        (same, _) => format!("\nBeside these, {} as before.\n", counted(same, "column")),
    };
    let _ = writeln!(text, "{stay}");
    text
}

/// Where a reader finds an old column's value, and a remark.
fn fate(fate: &Fate) -> (String, Option<String>) {
    let sql = |expr: &greylag_model::expr::TypedExpr| cell(&code(&expr.to_sql(Dialect::Canonical)));
    match fate {
        Fate::Same(new) => (cell(&code(new)), None),
        Fate::Computed(expr) => (sql(expr), Some("computed".to_owned())),
        Fate::Replaced { by, why, .. } => (cell(&code(by)), Some(cell(&prose(why)))),
        Fate::Lost(why) => ("ends".to_owned(), Some(cell(&prose(why)))),
    }
}

fn files(proposal: &Proposal<'_>) -> String {
    let mut text = "## What changes here\n\n| File | Edits |\n|---|---|\n".to_owned();
    for file in proposal.changed().take(LISTED) {
        let path = code(&file.path);
        let path = file.moved.as_ref().map_or_else(|| path.clone(), |moved| format!("{path} → {}", code(moved)));
        let _ = writeln!(text, "| {} | {} |", cell(&path), file.edits.len());
    }
    text.push_str(&more(proposal.changed().count()));
    text.push('\n');
    text
}

/// What no rule could do, place by place.
fn held(proposal: &Proposal<'_>) -> String {
    let places: Vec<String> = proposal.held().flat_map(places).collect();
    if places.is_empty() {
        return String::new();
    }
    let mut text =
        "## What is left as it is\n\nThese places need somebody; their files still read the old datasets.\n\n"
            .to_owned();
    for place in places.iter().take(LISTED) {
        let _ = writeln!(text, "- {place}");
    }
    text.push_str(&more(places.len()));
    text.push('\n');
    text
}

fn places(file: &FileReport) -> Vec<String> {
    let place = |line: u32, class: &str, why: &str| {
        format!("{} ({class}): {}", code(&format!("{}:{line}", file.path)), prose(why))
    };
    let found: Vec<String> =
        file.findings.iter().map(|found| place(found.line, found.class.name(), &found.why)).collect();
    if found.is_empty() { vec![place(1, file.class.name(), "it could not be read")] } else { found }
}

/// `1 file`, `2 files`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn more(count: usize) -> String {
    if count > LISTED { format!("\n… and {} more.\n", count - LISTED) } else { String::new() }
}

/// The name by which code knows the old dataset.
fn old(change: &TableChange) -> String {
    change.old.first().map_or_else(|| change.dataset.clone(), ToString::to_string)
}

/// Longest text that a reason may be, in letters.
const LONGEST: usize = 600;

/// One line of words, with spans of code where names stand between backticks. If anything in it could be taken for Markdown, for an
/// address or for somebody's name, all of it is one span of code.
fn prose(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    let parts: Vec<&str> = short.split('`').collect();
    let is_word = |letter: char| letter.is_alphanumeric() || " ,.;:()'\"/%=+-…→".contains(letter);
    let is_plain = |part: &&str| part.chars().all(is_word) && !part.contains("://") && !part.contains("www.");
    // Between two backticks each.
    let fits = parts.len() % 2 == 1
        && parts.iter().step_by(2).all(is_plain)
        && parts.iter().skip(1).step_by(2).all(|part| !part.is_empty());
    if !fits {
        return code(&short);
    }
    let written = parts.iter().enumerate().map(|(at, part)| if at % 2 == 1 { code(part) } else { (*part).to_owned() });
    written.collect()
}

/// Markdown as the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A span of code, whatever is in it.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

#[cfg(test)]
mod tests;
