//! Drop: a source column ends here, with a reason for its readers. The way back is lost unless the file gives one.

use super::{Resolution, Taken, judgement};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::mapping::{Dropped, ReverseWay};
use crate::plan::{Change, ChangeSymbol};
use crate::spec::DropSpec;

/// Validates one rule and takes its column.
pub(crate) fn forward(spec: &DropSpec, resolution: &mut Resolution<'_>, pointer: &str) -> Option<(usize, Dropped)> {
    if spec.reason.trim().is_empty() {
        let diagnostic =
            Diagnostic::error(code::plan::BAD_COLUMN, format!("column `{}` is dropped without a reason", spec.name))
                .hint("say in `reason` what its readers should know");
        resolution.error(diagnostic, &format!("{pointer}/reason"));
    }
    judgement::validate(spec.judgement.as_ref(), resolution, pointer);
    let at = resolution.column(&spec.name, &format!("{pointer}/name"))?;
    resolution.take(at, Taken::Dropped, pointer);
    let dropped =
        Dropped { name: spec.name.clone(), reason: spec.reason.trim().to_owned(), judgement: spec.judgement.clone() };
    Some((at, dropped))
}

/// The way back, unless the file gives one.
pub(crate) fn reverse(dropped: &Dropped) -> ReverseWay {
    ReverseWay::Lost(format!("dropped: {}", dropped.reason))
}

/// What readers meet.
pub(crate) fn breaks(dropped: &Dropped) -> String {
    format!("column `{}` is dropped", dropped.name)
}

/// The plan's lines.
pub(crate) fn changes(dropped: &Dropped) -> Vec<Change> {
    let line = Change {
        symbol: ChangeSymbol::Remove,
        subject: dropped.name.clone(),
        detail: format!("dropped: {}", dropped.reason),
    };
    std::iter::once(line).chain(judgement::change(&dropped.name, dropped.judgement.as_ref())).collect()
}
