//! Time as the engine sees it: never back.

use greylag_driver::clock::Clock;
use greylag_model::id::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Follows the wall clock when it goes forth; when it is set back, goes on by the time that has really passed, so that a
/// task that waits a second does not wait an hour and a second.
pub(crate) struct Steady {
    clock: Arc<dyn Clock>,
    last: Timestamp,
    last_elapsed: Duration,
}

impl Steady {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let (last, last_elapsed) = (clock.now(), clock.elapsed());
        Self { clock, last, last_elapsed }
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        let elapsed = self.clock.elapsed();
        let passed = elapsed.saturating_sub(self.last_elapsed).as_millis() as i64;
        if passed > 0 {
            // What is less than a millisecond stays for the next reading.
            self.last_elapsed += Duration::from_millis(passed as u64);
        }
        self.last = self.clock.now().max(self.last.plus_millis(passed));
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::Steady;
    use greylag_driver::clock::ManualClock;
    use greylag_model::id::Timestamp;
    use std::sync::Arc;

    #[test]
    fn a_clock_set_back_does_not_take_time_back() {
        let clock = Arc::new(ManualClock::at(Timestamp(100_000)));
        let mut steady = Steady::new(clock.clone());
        clock.advance_millis(500);
        assert_eq!(steady.now(), Timestamp(100_500));
        clock.jump_millis(-60_000);
        clock.advance_millis(250);
        assert_eq!(steady.now(), Timestamp(100_750));
        clock.jump_millis(120_000);
        assert_eq!(steady.now(), Timestamp(160_750));
    }
}
