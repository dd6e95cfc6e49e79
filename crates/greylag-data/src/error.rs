//! Errors of converting, verifying and publishing, each said in one place.

use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::id::RunId;
use std::path::Path;

/// An Arrow type that no reader gives and no expression makes.
pub(crate) fn unsupported_array(found: &arrow::datatypes::DataType) -> DriverError {
    DriverError::permanent(code::INCONSISTENT, format!("a column of Arrow type `{found}` has no canonical form"))
}

/// A batch that is not what its schema says.
pub(crate) fn wrong_shape(expected: usize, found: usize) -> DriverError {
    DriverError::permanent(code::INCONSISTENT, format!("a batch has {found} columns where its schema has {expected}"))
}

/// What an Arrow kernel failed with although the types were right.
pub(crate) fn arrow(error: &arrow::error::ArrowError) -> DriverError {
    DriverError::permanent(code::INCONSISTENT, format!("a column cannot be worked on: {error}"))
}

/// An expression of the plan that cannot be evaluated at all.
pub(crate) fn expression(subject: &str, why: &str) -> DriverError {
    DriverError::permanent(code::INCONSISTENT, format!("the expression of `{subject}` cannot be evaluated: {why}"))
}

/// Files that a message names.
const NAMED: usize = 3;

/// The source is not what it was.
pub(crate) fn source_changed(path: &Path) -> DriverError {
    DriverError::conflict(code::SOURCE_CHANGED, format!("`{}` changed while it was being migrated", path.display()))
        .hint("stop what writes to it, then `greylag retry --failed`")
}

/// Something stands where the target is to be.
pub(crate) fn target_exists(path: &Path) -> DriverError {
    DriverError::conflict(code::TARGET_EXISTS, format!("there is something at `{}` already", path.display()))
        .hint("move it away, or give the new dataset another `location`")
}

/// What an earlier step of the task should have left is not there.
pub(crate) fn lost(what: &str) -> DriverError {
    DriverError::permanent(code::WORK_LOST, format!("{what} is not there any more"))
        .hint("undo the task and apply it again")
}

/// What an earlier step of the task made has gone with the power.
pub(crate) fn power_cut(what: &str) -> DriverError {
    let message = format!("{what} is not there any more since the machine was started anew");
    DriverError::permanent(code::POWER_CUT, message).hint("the task goes back to its backfill by itself")
}

/// The target was written to after it was published, and cannot be taken back for that.
pub(crate) fn target_changed(path: &Path, changes: &str, why: &str, run: &RunId) -> DriverError {
    let message = format!("`{}` was written to since it was published: {changes}; {why}", path.display());
    DriverError::conflict(code::TARGET_CHANGED, message).hint("`greylag diff OLD NEW` shows the rows that differ").hint(
        format!(
            "move the files that are new, or the whole of `{}`, away; then `greylag retry {run} --failed`",
            path.display()
        ),
    )
}

/// Something else stands where the target was published.
pub(crate) fn target_replaced(path: &Path, run: &RunId) -> DriverError {
    let message = format!("what stands at `{}` is not what was published there", path.display());
    DriverError::conflict(code::TARGET_CHANGED, message)
        .hint(format!("somebody replaced it: move it away, then `greylag retry {run} --failed`"))
}

/// Rows of a published target that cannot go back.
pub(crate) fn not_carried(path: &Path, why: &str) -> DriverError {
    DriverError::permanent(code::NOT_CARRIED, format!("`{}`: {why}", path.display()))
}

/// Rows that were converted back, and are not what they should be.
pub(crate) fn not_proven(why: &str) -> DriverError {
    DriverError::permanent(code::NOT_CARRIED, why.to_owned())
}

/// There is nothing to go back to.
pub(crate) fn old_gone(old: &Path, new: &Path) -> DriverError {
    let message =
        format!("`{}` is gone: without `{}` nothing would be left of the dataset", old.display(), new.display());
    DriverError::permanent(code::OLD_GONE, message).hint("put the old dataset back, or keep the new one")
}

/// The target is not what the run before left there.
pub(crate) fn not_the_base(path: &Path, differ: &[(&str, &String)]) -> DriverError {
    let named: Vec<String> = differ.iter().take(NAMED).map(|(how, name)| format!("`{name}` is {how}")).collect();
    let more = if differ.len() > NAMED { format!(", and {} more", differ.len() - NAMED) } else { String::new() };
    let words = format!("`{}` is not as the run before left it: {}{more}", path.display(), named.join(", "));
    DriverError::conflict(code::NOT_THE_BASE, words).hint(
        "only runs of the migration may write there before the cutover; put it back, then `greylag retry --failed`",
    )
}

/// Files of a source are gone, and their rows may not go.
pub(crate) fn source_files_gone<'a>(path: &Path, gone: impl ExactSizeIterator<Item = &'a String>) -> DriverError {
    let all = gone.len();
    let named: Vec<String> = gone.take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = if all > NAMED { format!(" and {} more", all - NAMED) } else { String::new() };
    let words = format!("{}{more} of `{}` were migrated and are gone", named.join(", "), path.display());
    DriverError::permanent(code::SOURCE_FILES_GONE, words)
        .hint("`increments: {removed: follow}` takes their rows from the target, `removed: keep` leaves them there")
}

/// The ledger of a base is not there.
pub(crate) fn ledger_gone(run: &RunId) -> DriverError {
    DriverError::permanent(code::LEDGER_GONE, format!("nobody knows any more which files run `{run}` has converted"))
        .hint("give the new dataset another name and migrate it anew, or undo that run if it still can be")
}

/// Something stands where the compatibility view is to be.
pub(crate) fn view_exists(path: &Path) -> DriverError {
    DriverError::conflict(code::VIEW_EXISTS, format!("`{}` is there already, and is not this view", path.display()))
        .hint("move it away, then `greylag retry --failed`")
}

/// What was dropped cannot be had back.
pub(crate) fn dropped(path: &Path) -> DriverError {
    DriverError::permanent(code::DROPPED, format!("`{}` was deleted after its retention", path.display()))
        .hint("restore it from a backup")
}

/// A reader process answered another question.
pub(crate) fn odd_reply() -> DriverError {
    DriverError::permanent(code::READER_PROTOCOL, "a reader process answered another question".to_owned())
        .hint("restart Greylag if its binary was replaced")
}
