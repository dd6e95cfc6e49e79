//! Time, passed in.

use greylag_model::id::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Tells the time. The binary passes the system's; tests pass [`ManualClock`].
pub trait Clock: Send + Sync {
    /// Now, as the wall shows it. May jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed instant of this process. Never goes back and never jumps: what time-outs are measured by.
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now().0.max(0) as u64)
    }

    /// Says that the caller has nothing to do for `millis`; answers how long it should really wait before it looks again.
    fn pass(&self, millis: i64) -> Duration {
        Duration::from_millis(millis.max(0) as u64)
    }
}

/// A clock that moves when it is told to.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: AtomicI64,
    elapsed: AtomicI64,
    leaps: bool,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { now: AtomicI64::new(now.0), ..Self::default() }
    }
    /// A clock that stands at `now` and leaps over every time in which its reader has nothing to do, so that waits of
    /// hours take no time.
    pub fn leaping(now: Timestamp) -> Self {
        Self { leaps: true, ..Self::at(now) }
    }
    /// Lets time pass; negative is no time.
    pub fn advance_millis(&self, millis: i64) {
        self.now.fetch_add(millis.max(0), Ordering::SeqCst);
        self.elapsed.fetch_add(millis.max(0), Ordering::SeqCst);
    }
    /// Sets the wall's time forth or back, while no time passes.
    pub fn jump_millis(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed.load(Ordering::SeqCst).max(0) as u64)
    }

    fn pass(&self, millis: i64) -> Duration {
        if self.leaps {
            self.advance_millis(millis);
            return Duration::ZERO;
        }
        // The hand that moves this clock does not wake its readers: they look again soon.
        Duration::from_millis(millis.clamp(0, 5) as u64)
    }
}
