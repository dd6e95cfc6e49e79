//! Warnings: the plan stands, but the reader should know.

use super::compile::Drafted;
use super::{Space, explain};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::id::TaskId;
use crate::spec::Pair;
use crate::task::Phase;
use crate::view::is_note;

/// What concerns one task.
pub(super) fn of_task(task: &Drafted, dangling_owner: bool, through: Phase) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let from = task.subject.source.dataset.entity.short();
    let lost: Vec<String> = task.subject.mapping.lost().map(|(name, why)| format!("`{name}` ({why})")).collect();
    if !lost.is_empty() {
        let message = format!("no way back for {}", lost.join(", "));
        warnings.push(Diagnostic::warning(code::plan::REVERSE_LOST, message));
    }
    match task.subject.source.rows {
        None => {
            let message = format!("the rows of `{from}` are not known beforehand");
            warnings.push(Diagnostic::warning(code::plan::ROWS_UNKNOWN, message));
        }
        Some(0) => warnings.push(Diagnostic::warning(code::plan::EMPTY_DATASET, format!("`{from}` is empty"))),
        Some(_) => {}
    }
    let no_consumers = task.subject.impact.direct.is_empty() && task.subject.impact.indirect == 0;
    if no_consumers && !task.subject.breaking.is_empty() && through >= Phase::Cutover {
        let message = format!("the catalog knows no consumer of `{from}`, whose readers would break");
        warnings.push(Diagnostic::warning(code::plan::NO_KNOWN_CONSUMERS, message));
    }
    if is_note(&task.subject.target_layout) && through >= Phase::Cutover {
        let message =
            format!("a note in place of a compatibility view of `{from}`: DuckDB reads Avro only by an extension");
        warnings.push(Diagnostic::warning(code::plan::NOTE_FOR_VIEW, message));
    }
    if let (Some(owner), true) = (&task.owner, dangling_owner) {
        let message = format!("the owner `{owner}` of `{from}` is not in the catalog");
        warnings.push(Diagnostic::warning(code::plan::DANGLING_OWNER, message));
    }
    warnings
}

/// A dataset goes on although one that it is made from cannot.
pub(super) fn upstream_blocked(task: &TaskId, upstream: &Pair) -> Diagnostic {
    let message = format!("`{}` is blocked; `{task}` is made from it and does not wait for it", upstream.from);
    Diagnostic::warning(code::plan::UPSTREAM_BLOCKED, message)
}

/// File systems that may be too small.
pub(super) fn of_space(space: &[Space]) -> Vec<Diagnostic> {
    let short = space.iter().filter(|space| space.needed > space.free);
    short
        .map(|space| {
            let (needed, free) = (explain::bytes(space.needed), explain::bytes(space.free));
            let message = format!("`{}` may need {needed} and has {free} free", space.device);
            Diagnostic::warning(code::plan::SPACE_SHORT, message)
                .hint("free space, or put targets elsewhere with `location`")
        })
        .collect()
}
