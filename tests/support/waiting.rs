//! Waiting for conditions, and running tests one at a time.

use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

/// Interval between checks.
const PAUSE: Duration = Duration::from_millis(50);

/// Number of unchanged polls after which something counts as stuck, at least two minutes. Polls are counted rather than
/// timed, so that the limit grows on a loaded machine, where each poll takes longer.
const STILL: u32 = 2400;

/// Number of polls after which a test gives up even if the state still changes.
const MOST: u32 = 36_000;

/// A single request or stream that takes this long is stuck. Its progress cannot be observed meanwhile.
pub const STUCK: Duration = Duration::from_secs(600);

/// A wait for one condition, whose limit starts again whenever the state changes.
pub struct Patience {
    what: String,
    seen: String,
    still: u32,
    looks: u32,
}

impl Patience {
    /// Completes the sentence "waited in vain until".
    pub fn until(what: impl Into<String>) -> Self {
        Self { what: what.into(), seen: String::new(), still: 0, looks: 0 }
    }

    /// Pauses after an unsuccessful poll. `state` is everything that may change before the condition holds.
    #[track_caller]
    pub fn again(&mut self, state: impl Debug) {
        let state = format!("{state:#?}");
        self.still = if state == self.seen { self.still + 1 } else { 0 };
        self.seen = state;
        self.looks += 1;
        assert!(
            self.still < STILL,
            "waited in vain until {}; this does not change: {}",
            self.what,
            self.seen
        );
        assert!(self.looks < MOST, "waited in vain until {}; this still changes: {}", self.what, self.seen);
        sleep(PAUSE);
    }
}

/// Waits for a condition without observable progress.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let mut patience = Patience::until(what);
    while !done() {
        patience.again(());
    }
}

/// Runs one test at a time, in a binary whose tests start several processes each. In parallel, they would be slow and
/// exceed their limits.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A failed test leaves nothing behind that affects the next one.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
