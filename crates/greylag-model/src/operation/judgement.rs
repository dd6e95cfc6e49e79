//! Judgement: no change of data, but readers of the column need a person; the plan links the guide.

use super::Resolution;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Change, ChangeSymbol};
use crate::spec::Judgement;

/// A judgement has a guide to read and says what is to be judged.
pub(crate) fn validate(judgement: Option<&Judgement>, resolution: &mut Resolution<'_>, pointer: &str) {
    let Some(judgement) = judgement else { return };
    for (key, value) in [("guide", &judgement.guide), ("text", &judgement.text)] {
        if value.trim().is_empty() {
            let diagnostic = Diagnostic::error(code::plan::BAD_COLUMN, format!("`judgement` has an empty `{key}`"))
                .hint("give a link to the guide and a sentence that says what a person has to judge");
            resolution.error(diagnostic, &format!("{pointer}/judgement/{key}"));
        }
    }
}

/// The plan's line.
pub(crate) fn change(column: &str, judgement: Option<&Judgement>) -> Option<Change> {
    judgement.map(|judgement| Change {
        symbol: ChangeSymbol::Judge,
        subject: column.to_owned(),
        detail: format!("{} (guide: {})", judgement.text.trim(), judgement.guide),
    })
}
