//! How long steps take, to tell how much work the threads can do while a commit waits for the disk.
//!
//! A mean over all that came in lately would follow whatever kind of step happens to be done by many tasks at the same time:
//! after a wave of quick ones far too many tasks would be begun, which then go through their slow steps as one wave again. So
//! each kind has a mean of its own, and a task's step is expected to take the mean over the kinds.

use greylag_model::task::Direction;
use std::collections::HashMap;
use std::time::Duration;

/// Running means by kind of step.
#[derive(Default)]
pub(super) struct Pace {
    forward: HashMap<String, Duration>,
    undo: HashMap<String, Duration>,
    /// The mean over the kinds of the direction that reported last; none before the first report.
    mean: Option<Duration>,
}

impl Pace {
    /// Takes in how long a step has kept a thread.
    pub(super) fn report(&mut self, uses: &str, direction: Direction, took: Duration) {
        let kinds = match direction {
            Direction::Forward => &mut self.forward,
            Direction::Undo => &mut self.undo,
        };
        match kinds.get_mut(uses) {
            Some(mean) => *mean = (*mean * 15 + took) / 16,
            None => drop(kinds.insert(uses.to_owned(), took)),
        }
        self.mean = kinds.values().sum::<Duration>().checked_div(kinds.len() as u32);
    }

    /// What a step is expected to take.
    pub(super) fn step(&self) -> Option<Duration> {
        self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use greylag_model::task::Direction::{Forward, Undo};
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_wave_of_quick_steps_does_not_hide_the_slow_ones() {
        let mut pace = Pace::default();
        assert_eq!(pace.step(), None);
        pace.report("slow", Forward, 9 * MS);
        for _ in 0..1_000 {
            pace.report("quick", Forward, MS);
        }
        assert_eq!(pace.step(), Some(5 * MS));
    }

    #[test]
    fn a_kind_follows_what_it_takes_now() {
        let mut pace = Pace::default();
        pace.report("slow", Forward, 900 * MS);
        for _ in 0..200 {
            pace.report("slow", Forward, MS);
        }
        assert!(pace.step().is_some_and(|step| step < 2 * MS));
    }

    #[test]
    fn undo_is_another_matter() {
        let mut pace = Pace::default();
        pace.report("step", Forward, 9 * MS);
        pace.report("step", Undo, MS);
        assert_eq!(pace.step(), Some(MS));
    }
}
