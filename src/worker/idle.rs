//! How long nothing has run on a worker.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Counts what runs.
pub(super) struct Idle(Mutex<State>);

struct State {
    running: usize,
    since: Instant,
}

/// Something runs while this lives.
pub(super) struct Busy<'a>(&'a Idle);

impl Idle {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { running: 0, since: Instant::now() }))
    }

    pub(super) fn busy(&self) -> Busy<'_> {
        self.0.lock().expect("no holder panics").running += 1;
        Busy(self)
    }

    /// Zero while something runs.
    pub(super) fn lasts(&self) -> Duration {
        let state = self.0.lock().expect("no holder panics");
        if state.running > 0 { Duration::ZERO } else { state.since.elapsed() }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().expect("no holder panics");
        state.running -= 1;
        state.since = Instant::now();
    }
}
