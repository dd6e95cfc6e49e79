//! Progress of commands that drive no run: a bar on a terminal, nothing elsewhere.

use crate::context::Context;
use indicatif::{ProgressBar, ProgressDrawTarget};

/// A bar that shows nothing yet.
pub(crate) fn bar(context: &Context) -> ProgressBar {
    let target = if context.live() { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
    ProgressBar::with_draw_target(Some(0), target)
}

/// So many of so many are done.
pub(crate) fn tick(bar: &ProgressBar, done: usize, all: usize) {
    bar.set_length(all as u64);
    bar.set_position(done as u64);
}
