//! A worker and its messages to the database.

use optlab_domain::{EndReason, Request};

use crate::Rules;
use crate::job::{History, Job};

/// Updates of a run.
pub const STEPS: usize = 2;

/// The state of a worker for the attempt that it believes to hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Run {
    pub experiment: u8,
    pub job: usize,
    pub attempt: u8,
    history: History,
    has_started: bool,
    /// Steps whose points were acknowledged.
    recorded: usize,
    /// The step of the last checkpoint.
    kept: usize,
    /// The request that came with the last answer.
    request: Option<Request>,
    /// The last message, until it is answered.
    pub unanswered: Option<Packet>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Write {
    /// The runner starts from here.
    Start(History),
    /// The point of the last update.
    Points(History),
    Checkpoint(History),
    End(EndReason),
}

/// A transaction in transit. It happens once or not at all, possibly long after its worker has died.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packet {
    pub experiment: u8,
    pub job: usize,
    pub attempt: u8,
    pub write: Write,
}

impl Run {
    /// An attempt that begins at `job`, which has the index `index`.
    pub fn of(index: usize, job: &Job) -> Self {
        let checkpoint = job.last_readable_checkpoint();
        let steps = checkpoint.len();
        Self {
            experiment: job.experiment,
            job: index,
            attempt: job.attempt,
            history: checkpoint,
            has_started: false,
            recorded: steps,
            kept: steps,
            request: None,
            unanswered: None,
        }
    }

    /// The messages that may be sent now.
    pub fn writes(&self, rules: Rules) -> Vec<Write> {
        let here = || self.history.clone();
        let one_further = || here().into_iter().chain([self.attempt]).collect();
        let steps = self.history.len();
        if self.unanswered.is_some() {
            return Vec::new();
        }
        if !self.has_started {
            return vec![Write::Start(here())];
        }
        if self.recorded < steps {
            return vec![Write::Points(here())];
        }
        let mut writes = Vec::new();
        writes.extend(self.request.map(|request| {
            Write::End(match request {
                Request::Cancel => EndReason::Cancelled,
                Request::Pause => EndReason::HandedBack,
            })
        }));
        if steps < STEPS {
            writes.push(Write::Points(one_further()));
            if !rules.checkpoint_follows_points {
                writes.push(Write::Checkpoint(one_further()));
            }
        } else {
            writes.push(Write::End(EndReason::Completed));
        }
        if self.kept < steps {
            writes.push(Write::Checkpoint(here()));
        }
        writes
    }

    pub fn send(&mut self, write: Write) -> Packet {
        let packet = Packet { experiment: self.experiment, job: self.job, attempt: self.attempt, write };
        self.unanswered = Some(packet.clone());
        packet
    }

    /// Advances; false if nothing is left to do.
    pub fn is_acknowledged(&mut self, write: &Write, request: Option<Request>) -> bool {
        self.unanswered = None;
        self.request = request;
        match write {
            Write::Start(_) => self.has_started = true,
            Write::Points(history) => {
                self.recorded = history.len();
                self.history = history.clone();
            }
            Write::Checkpoint(history) => {
                self.kept = history.len();
                self.history = history.clone();
            }
            Write::End(_) => return false,
        }
        true
    }
}
