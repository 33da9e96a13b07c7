//! Input: commands of the slot, read by a separate thread, so that training sees them between two steps.

use std::cell::Cell;
use std::io::{self, BufRead};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;
use std::time::Duration;

use optlab_domain::Request;
use optlab_spec::protocol::Command;

use crate::failure::JobError;

/// Time after the end of input until the process is killed during a step or a download.
const GRACE: Duration = Duration::from_secs(1);

/// Commands in order; its end is the end of input.
pub struct Inbox {
    messages: Receiver<Message>,
}

/// A line of the input.
pub enum Message {
    /// A valid command.
    Command(Command),
    /// An invalid line, with the reason.
    Malformed(String),
}

impl Inbox {
    /// Starts to read standard input. The process ends at its end, whatever it is doing.
    pub fn of_stdin() -> Self {
        let (sender, messages) = mpsc::channel();
        thread::spawn(move || {
            read(io::stdin().lock(), &sender);
            drop(sender);
            thread::sleep(GRACE);
            tracing::warn!("the input has ended, but the running step has not: killing the process");
            // Not `exit`, which would run libtorch's destructors under a thread that still uses it.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        });
        Self { messages }
    }

    /// Waits for the next message; `None` at the end of input.
    pub fn next(&self) -> Option<Message> {
        self.messages.recv().ok()
    }

    /// The requests for the job that starts now, which pauses after `stop_at` updates if that is given.
    pub fn requests(&self, stop_at: Option<u64>) -> Requests<'_> {
        Requests { inbox: self, stop_at, pause: Cell::new(false) }
    }
}

/// The requests for the running job.
pub struct Requests<'a> {
    inbox: &'a Inbox,
    stop_at: Option<u64>,
    /// Whether a pause was requested. During a measurement, it waits for its end.
    pause: Cell<bool>,
}

impl Requests<'_> {
    /// Checks whether the job, after `step` updates, may continue.
    ///
    /// # Errors
    /// [`JobError::Cancelled`] or [`JobError::EndOfInput`].
    pub fn check(&self, step: u64) -> Result<(), JobError> {
        match self.now(step)? {
            Some(Request::Cancel) => Err(JobError::Cancelled { step }),
            Some(Request::Pause) | None => Ok(()),
        }
    }

    /// Checks for requests after `step` updates.
    ///
    /// # Errors
    /// [`JobError::EndOfInput`].
    pub fn now(&self, step: u64) -> Result<Option<Request>, JobError> {
        loop {
            match self.inbox.messages.try_recv() {
                Err(TryRecvError::Empty) => {
                    let pause = self.pause.get() || self.stop_at.is_some_and(|stop_at| step >= stop_at);
                    return Ok(pause.then_some(Request::Pause));
                }
                Err(TryRecvError::Disconnected) => return Err(JobError::EndOfInput),
                Ok(Message::Command(Command::Stop { request: Request::Cancel })) => {
                    return Ok(Some(Request::Cancel));
                }
                Ok(Message::Command(Command::Stop { request: Request::Pause })) => self.pause.set(true),
                Ok(Message::Command(Command::Run(run))) => {
                    tracing::error!(job = %run.job, attempt = %run.attempt, "rejected: another job is running");
                }
                // An answer would be mistaken for the end of the running job.
                Ok(Message::Malformed(error)) => tracing::error!(error, "ignored a line of input"),
            }
        }
    }
}

fn read(mut input: impl BufRead, sender: &Sender<Message>) {
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Ok(0) => return,
            Err(error) => return tracing::error!(%error, "the input cannot be read"),
            Ok(_) if line.trim_ascii().is_empty() => continue,
            Ok(_) => {
                let message = serde_json::from_slice(&line)
                    .map_or_else(|error| Message::Malformed(error.to_string()), Message::Command);
                if sender.send(message).is_err() {
                    return;
                }
            }
        }
    }
}
