//! Runs one job after another until the input ends.

use std::io;
use std::panic::{self, AssertUnwindSafe};

use optlab_domain::EndReason;
use optlab_spec::protocol::{Command, Event, Failure, Run};

use crate::attempt::{self, End};
use crate::data::DataSource;
use crate::failure::{self, JobError};
use crate::inbox::{Inbox, Message};
use crate::pipe::EventPipe;

/// Runs every job that comes in, with data from `source`.
///
/// # Errors
/// If the pipe breaks, or after a failure that [ends the runner](Failure::ends_runner).
pub fn serve(source: &mut DataSource, inbox: &Inbox, pipe: &mut EventPipe) -> io::Result<()> {
    while let Some(message) = inbox.next() {
        match message {
            Message::Command(Command::Run(run)) => {
                let span = tracing::info_span!("job", job = %run.job, attempt = %run.attempt);
                let _entered = span.enter();
                match answer(&run, source, inbox, pipe)? {
                    Answer::Given(event) => pipe.send(&event)?,
                    Answer::InputEnded => return Ok(()),
                }
            }
            // The request arrived after the end of its job.
            Message::Command(Command::Stop { .. }) => {}
            Message::Malformed(error) => pipe.send(&Event::Failed(not_understood(&error)))?,
        }
    }
    Ok(())
}

enum Answer {
    Given(Event),
    InputEnded,
}

/// Runs a job and reports its end.
fn answer(run: &Run, source: &mut DataSource, inbox: &Inbox, pipe: &mut EventPipe) -> io::Result<Answer> {
    tracing::info!(arm = run.spec.arm, seed = run.spec.seed, device = %run.device, "starts");
    let result = panic::catch_unwind(AssertUnwindSafe(|| attempt::run(run, source, inbox, pipe)));
    let failure = match result {
        Ok(Ok(End::Finished(summary))) => {
            tracing::info!(seconds = summary.seconds, "finished");
            return Ok(Answer::Given(Event::Finished { summary }));
        }
        Ok(Ok(End::Paused { step })) => {
            tracing::info!(step, "paused");
            return Ok(Answer::Given(Event::Paused { step }));
        }
        Ok(Err(JobError::EndOfInput)) => return Ok(Answer::InputEnded),
        Ok(Err(JobError::Pipe(error))) => return Err(error),
        Ok(Err(error)) => error.failure(),
        Err(panic) => failure::of_panic(panic.as_ref()),
    };
    tracing::warn!(reason = %failure.reason, step = failure.step, error = failure.error, "failed");
    // After a machine fault (disk, network), the process is still sound and can train the next job.
    if failure.ends_runner() {
        let why = format!("ends after {}", failure.reason);
        pipe.send(&Event::Failed(failure))?;
        return Err(io::Error::other(why));
    }
    Ok(Answer::Given(Event::Failed(failure)))
}

/// Sent while no job is running, so that a slot whose `run` is invalid does not wait for ever. The job is not at fault:
/// the programs on this machine are of different versions.
fn not_understood(error: &str) -> Failure {
    tracing::error!(error, "cannot read a line of input");
    Failure::of(EndReason::MachineFault, format!("the runner cannot read its command: {error}"))
}
