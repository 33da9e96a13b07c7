//! Waiting for conditions, and running few tests at a time.

use std::fmt::Debug;
use std::sync::{Condvar, Mutex, PoisonError};
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

/// Number of tests that [`turn`] lets run at a time. They wait more than they compute.
const AT_ONCE: usize = 2;

/// The places of a test that runs.
pub struct Turn(usize);

static TAKEN: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

/// Waits until few other tests run, in a binary whose tests start several processes each. With one for each core of a
/// large machine, they would be slow and exceed their limits.
pub fn turn() -> Turn {
    Turn::of(1)
}

/// Waits until no other test runs, for one that measures its own pace.
pub fn turn_alone() -> Turn {
    Turn::of(AT_ONCE)
}

impl Turn {
    fn of(places: usize) -> Self {
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let free = FREED.wait_while(taken, |taken| *taken + places > AT_ONCE);
        *free.unwrap_or_else(PoisonError::into_inner) += places;
        Self(places)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        FREED.notify_all();
    }
}
