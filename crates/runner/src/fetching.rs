//! Progress of downloads, for the log of the job that waits for them.

use std::time::{Duration, Instant};

use optlab_data::Progress;

use crate::clock;
use crate::pipe::EventPipe;

/// Interval between progress messages during a download. The worker treats a long silence as a hang.
const PACE: Duration = Duration::from_secs(20);

/// Logs which files are being fetched, and their progress.
pub struct Fetching<'a> {
    pipe: &'a mut EventPipe,
    /// File and time of the last message.
    reported: Option<(String, Instant)>,
}

impl<'a> Fetching<'a> {
    /// Logs to this pipe.
    pub fn new(pipe: &'a mut EventPipe) -> Self {
        Self { pipe, reported: None }
    }
}

impl Progress for Fetching<'_> {
    fn fetched(&mut self, file: &str, done: u64, total: u64) {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let message = match &self.reported {
            Some((reported, when)) if reported == file && when.elapsed() < PACE => return,
            Some((reported, _)) if reported == file => {
                format!("fetching {file}: {:.1} of {:.1} MB", megabytes(done), megabytes(total))
            }
            _ => format!("fetching {file} ({:.1} MB)", megabytes(total)),
        };
        self.reported = Some((file.to_owned(), clock::instant()));
        // A broken pipe causes an error at the next event, which is reported.
        let _ = self.pipe.log(message);
    }
}
