//! The way in: commands of the slot, read by a thread of their own so that training sees them between two steps.

use std::cell::Cell;
use std::io::{self, BufRead};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;
use std::time::Duration;

use optlab_domain::Request;
use optlab_spec::protocol::Command;

use crate::failure::JobError;

/// How long after the end of input a step, or a download, may still take before the process is killed.
const GRACE: Duration = Duration::from_secs(1);

/// Commands in the order in which they came; its end is the end of input.
pub struct Inbox {
    messages: Receiver<Message>,
}

/// A line of the input.
pub enum Message {
    /// One that can be read.
    Command(Command),
    /// One that cannot, and why.
    Malformed(String),
}

impl Inbox {
    /// Starts to read standard input. The process ends with it, whatever it is doing then.
    pub fn of_stdin() -> Self {
        let (sender, messages) = mpsc::channel();
        thread::spawn(move || {
            read(io::stdin().lock(), &sender);
            drop(sender);
            thread::sleep(GRACE);
            tracing::warn!("the input ended and the running step did not: killed");
            // Not `exit`, which would run libtorch's destructors under a thread that still uses it.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        });
        Self { messages }
    }

    /// Waits for the next message; `None` at the end of input.
    pub fn next(&self) -> Option<Message> {
        self.messages.recv().ok()
    }

    /// What will be wanted of the job that begins now.
    pub fn requests(&self) -> Requests<'_> {
        Requests { inbox: self, pause: Cell::new(false) }
    }
}

/// What is wanted of the running job.
pub struct Requests<'a> {
    inbox: &'a Inbox,
    /// Whether a pause has been asked for: heard while something is measured, it waits for the end of that.
    pause: Cell<bool>,
}

impl Requests<'_> {
    /// Whether the job that has completed `step` updates may go on with what it is doing.
    ///
    /// # Errors
    /// [`JobError::Cancelled`] or [`JobError::EndOfInput`].
    pub fn check(&self, step: u64) -> Result<(), JobError> {
        match self.now()? {
            Some(Request::Cancel) => Err(JobError::Cancelled { step }),
            Some(Request::Pause) | None => Ok(()),
        }
    }

    /// What is wanted between two steps.
    ///
    /// # Errors
    /// [`JobError::EndOfInput`].
    pub fn now(&self) -> Result<Option<Request>, JobError> {
        loop {
            match self.inbox.messages.try_recv() {
                Err(TryRecvError::Empty) => return Ok(self.pause.get().then_some(Request::Pause)),
                Err(TryRecvError::Disconnected) => return Err(JobError::EndOfInput),
                Ok(Message::Command(Command::Stop { request: Request::Cancel })) => {
                    return Ok(Some(Request::Cancel));
                }
                Ok(Message::Command(Command::Stop { request: Request::Pause })) => self.pause.set(true),
                Ok(Message::Command(Command::Run(run))) => {
                    tracing::error!(job = run.job, attempt = run.attempt, "refused: another job is running");
                }
                // The answer would be taken for the end of the running job.
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
