//! A limited number of places for connections, and the eviction of idle ones.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Minimum time before an idle connection may be evicted. A new connection needs it until its first request is read.
const TIME_TO_ASK: Duration = Duration::from_millis(200);

/// A fixed number of places.
pub(super) struct Places {
    free: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
}

/// The idle connections.
#[derive(Default)]
struct Waiting {
    /// Number of the last connection that became idle.
    turn: u64,
    /// Idle connections by that number, so the longest idle one is first.
    evictable: BTreeMap<u64, Evictable>,
}

struct Evictable {
    since: Instant,
    evicted: CancellationToken,
}

/// The place of one connection.
pub(super) struct Place {
    places: Arc<Places>,
    /// Cancelled when another connection needs the place.
    pub(super) evicted: CancellationToken,
    /// The key in [`Waiting::evictable`] since the connection last became idle.
    turn: AtomicU64,
    _permit: OwnedSemaphorePermit,
}

/// A guard for a request in progress; the connection is idle again when it is dropped.
pub(super) struct Busy(Arc<Place>);

impl Places {
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { free: Arc::new(Semaphore::new(count)), waiting: Mutex::default() })
    }

    /// A free place, or that of the connection that has been idle longest; `None` if no connection is idle.
    pub(super) async fn take(self: &Arc<Self>) -> Option<Arc<Place>> {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return Some(self.place(permit));
            }
            if !self.evict() {
                return None;
            }
            if let Ok(place) = timeout(TIME_TO_ASK, self.acquire()).await {
                return Some(place);
            }
        }
    }

    /// Waits for a place.
    pub(super) async fn wait(self: &Arc<Self>) -> Arc<Place> {
        loop {
            if let Some(place) = self.take().await {
                return place;
            }
            if let Ok(place) = timeout(TIME_TO_ASK, self.acquire()).await {
                return place;
            }
        }
    }

    /// Closes the connection that has been idle longest, unless it is younger than [`TIME_TO_ASK`]. Returns false if no
    /// connection is idle.
    pub(super) fn evict(&self) -> bool {
        let mut waiting = self.waiting();
        let Some(oldest) = waiting.evictable.first_entry() else { return false };
        if oldest.get().since.elapsed() >= TIME_TO_ASK {
            oldest.remove().evicted.cancel();
        }
        true
    }

    async fn acquire(self: &Arc<Self>) -> Arc<Place> {
        let permit = self.free.clone().acquire_owned().await.expect("the semaphore is never closed");
        self.place(permit)
    }

    fn place(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Arc<Place> {
        let evicted = CancellationToken::new();
        let place = Place { places: self.clone(), evicted, turn: AtomicU64::new(0), _permit: permit };
        place.wait();
        Arc::new(place)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Marks the connection as busy with a request.
    pub(super) fn begin(self: Arc<Self>) -> Busy {
        self.leave();
        Busy(self)
    }

    /// Marks the connection as idle.
    fn wait(&self) {
        let mut waiting = self.places.waiting();
        waiting.turn += 1;
        self.turn.store(waiting.turn, Ordering::Relaxed);
        let turn = waiting.turn;
        let evictable = Evictable { since: Instant::now(), evicted: self.evicted.clone() };
        waiting.evictable.insert(turn, evictable);
    }

    fn leave(&self) {
        self.places.waiting().evictable.remove(&self.turn.load(Ordering::Relaxed));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.wait();
    }
}
