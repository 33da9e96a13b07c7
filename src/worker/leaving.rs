//! How a worker leaves: first it claims no more jobs, then it hands back those that run.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::attempt::LONGEST_STOP;
use crate::clock::{Clock, SystemClock};
use crate::config::{Drain, WorkerConfig};

/// Time before the machine goes away from which no job is claimed: a claimed one needs time to load its data, to train
/// and to hand back its checkpoint.
const LAST_CLAIM: Duration = Duration::from_secs(2 * LONGEST_STOP.as_secs());

/// The stages in which a worker leaves.
#[derive(Clone)]
pub(super) struct Leaving {
    /// Cancelled by a signal, a drain request or idleness.
    pub(super) stop: CancellationToken,
    /// Cancelled with `stop`, and some time before the machine goes away: no more jobs are claimed.
    pub(super) claims: CancellationToken,
    /// Cancelled when running jobs must be handed back.
    pub(super) jobs: CancellationToken,
}

impl Leaving {
    /// For a worker that leaves at `shutdown`, as its settings say, or before its machine goes away.
    pub(super) fn of(config: &WorkerConfig, shutdown: &CancellationToken) -> Self {
        let stop = shutdown.child_token();
        let leaving = Self { claims: stop.child_token(), jobs: CancellationToken::new(), stop };
        // Before the first claim, not some moments later.
        if config.origin.until_ms.is_some_and(|until_ms| left(until_ms, LAST_CLAIM).is_zero()) {
            leaving.claims.cancel();
        }
        tokio::spawn(leaving.clone().watch(config.training.drain, config.origin.until_ms));
        leaving
    }

    /// Cancels the stages in their order.
    async fn watch(self, drain: Drain, until_ms: Option<i64>) {
        let at = |before: Duration| async move {
            match until_ms {
                Some(until_ms) => sleep_until(until_ms, before).await,
                None => std::future::pending().await,
            }
        };
        let last_claim = async {
            at(LAST_CLAIM).await;
            tracing::info!("no more jobs are claimed, because the machine goes away soon");
            self.claims.cancel();
            at(LONGEST_STOP).await;
            tracing::info!("handing running jobs back, because the machine goes away");
        };
        let stopped = async {
            self.stop.cancelled().await;
            if drain == Drain::Finish {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = last_claim => {}
            () = stopped => {}
        }
        self.jobs.cancel();
    }
}

/// Time left until some time `before` a time of the calendar.
fn left(time_ms: i64, before: Duration) -> Duration {
    let left = time_ms - before.as_millis() as i64 - SystemClock.now_ms();
    Duration::from_millis(left.max(0) as u64)
}

/// Sleeps until some time `before` a time of the calendar. The clock is read again every minute, because it may be set or
/// the machine may sleep.
async fn sleep_until(time_ms: i64, before: Duration) {
    loop {
        let left = left(time_ms, before);
        if left.is_zero() {
            return;
        }
        sleep(left.min(Duration::from_secs(60))).await;
    }
}
