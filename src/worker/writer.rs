//! Stores the end of the attempt that a slot has trained, while the slot trains the next one.

use tokio::task::JoinHandle;
use tracing::Instrument;

use super::attempt::Unwritten;
use super::idle::Busy;

/// At most one attempt of a slot is written down at a time.
#[derive(Default)]
pub(super) struct Writer(Option<JoinHandle<()>>);

impl Writer {
    /// Waits until the attempt before is written down, and begins with this one. The worker is `busy` until its end.
    pub(super) async fn begin(&mut self, mut attempt: Unwritten, busy: Busy) {
        let has_lease = attempt.wait_for(self.finish()).await;
        self.finish().await;
        if has_lease {
            let writing = async move {
                let _busy = busy;
                attempt.write_down().await;
            };
            self.0 = Some(tokio::spawn(writing.in_current_span()));
        }
    }

    /// Waits until everything is written down. Safe to cancel.
    pub(super) async fn finish(&mut self) {
        if let Some(writing) = &mut self.0 {
            if let Err(panic) = writing.await {
                tracing::error!(%panic, "the end of an attempt is lost; its job is requeued when its lease expires");
            }
            self.0 = None;
        }
    }
}
