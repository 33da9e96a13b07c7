//! Output: events for the slot, on the original standard output.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use optlab_spec::protocol::Event;
use serde::Serialize;

/// Writes one JSON object per line, and blocks while the reader is slow.
pub struct EventPipe {
    out: BufWriter<File>,
}

impl EventPipe {
    /// Keeps the process's standard output for events; from then on descriptor 1 is standard error.
    ///
    /// # Errors
    /// If a descriptor is closed or no more can be opened.
    pub fn take_stdout() -> io::Result<Self> {
        // Not inherited: a child that outlives the runner must not hold the pipe open.
        let own = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
        rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
        Ok(Self { out: BufWriter::new(File::from(own)) })
    }

    #[cfg(test)]
    pub(crate) fn to(file: File) -> Self {
        Self { out: BufWriter::new(file) }
    }

    /// Sends an event.
    ///
    /// # Errors
    /// If the reader is gone.
    pub fn send(&mut self, event: &Event) -> io::Result<()> {
        self.line(event)
    }

    /// Sends a sentence for the job's log.
    ///
    /// # Errors
    /// If the reader is gone.
    pub fn log(&mut self, message: impl fmt::Display) -> io::Result<()> {
        self.send(&Event::Log { message: message.to_string() })
    }

    /// Sends any value as one line of JSON.
    ///
    /// # Errors
    /// If the reader is gone.
    pub fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}
