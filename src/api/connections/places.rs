//! Places for connections, and who gives his up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// A connection keeps its place for so long at least. Its request comes with it, but is not read at once.
const TIME_TO_ASK: Duration = Duration::from_millis(200);

/// A number of places.
pub(super) struct Places {
    free: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
}

/// The connections that wait for a request.
#[derive(Default)]
struct Waiting {
    /// Grows with every connection that begins to wait.
    turn: u64,
    /// By turn, the one that has waited longest first.
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
    /// When it last began to wait.
    turn: AtomicU64,
    _permit: OwnedSemaphorePermit,
}

/// While this lives, a request is under way on the place.
pub(super) struct Busy(Arc<Place>);

impl Places {
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { free: Arc::new(Semaphore::new(count)), waiting: Mutex::default() })
    }

    /// A free place, or that of the connection that has waited longest; `None` where each has a request under way.
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

    /// A place, however long it takes.
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

    /// Closes the connection that has waited longest for a request, if it has had the time to send one. False where none
    /// waits.
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
    /// A request has arrived.
    pub(super) fn begin(self: Arc<Self>) -> Busy {
        self.leave();
        Busy(self)
    }

    /// The connection begins to wait for a request.
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
