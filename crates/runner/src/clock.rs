//! The clocks of the runner. No other module reads one.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The present, for measuring how long something takes.
#[expect(clippy::disallowed_methods, reason = "the room for clocks")]
pub fn instant() -> Instant {
    Instant::now()
}

/// Wall clock, in milliseconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "the room for clocks")]
pub fn unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Wall time of a training over all attempts. Work after the last checkpoint of an interrupted attempt is repeated, and
/// its first time is not counted.
#[derive(Clone, Copy, Debug)]
pub struct TrainingClock {
    before: Duration,
    began: Instant,
}

impl TrainingClock {
    /// A clock that runs from now on and begins at `before`.
    pub fn after(before: Duration) -> Self {
        Self { before, began: instant() }
    }

    /// Time up to now.
    pub fn elapsed(&self) -> Duration {
        self.before + self.began.elapsed()
    }
}
