//! Measures how long a worker has been idle.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

/// Counts running attempts.
pub(super) struct Idle(Mutex<State>);

struct State {
    running: usize,
    since: Instant,
}

/// Marks an attempt as running until it is dropped.
pub(super) struct Busy(Arc<Idle>);

impl Idle {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { running: 0, since: Instant::now() }))
    }

    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.0.lock().expect("no holder panics").running += 1;
        Busy(self.clone())
    }

    /// Zero while an attempt runs.
    pub(super) fn lasts(&self) -> Duration {
        let state = self.0.lock().expect("no holder panics");
        if state.running > 0 { Duration::ZERO } else { state.since.elapsed() }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().expect("no holder panics");
        state.running -= 1;
        state.since = Instant::now();
    }
}
