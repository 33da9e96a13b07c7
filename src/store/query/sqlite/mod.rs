//! A query in SQLite runs in a child process, which can be killed.
//!
//! SQLite checks for interrupts only between instructions, and a single instruction can take minutes. Its memory limit
//! applies to a whole process. The server therefore starts this program again for every query ([`child`]). It kills the
//! process when the time limit is reached or nobody waits for the answer any more. The process exits when the server
//! ends.

mod authorizer;
mod child;

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

pub use self::child::answer_query_of_stdin;
use super::Query;
use crate::store::{QueryAnswer, QueryError, StoreError};

/// The command of this program that answers a query.
const COMMAND: &str = "query-child";

/// The program and the database file of queries.
pub(super) struct Target {
    pub(super) program: PathBuf,
    pub(super) file: PathBuf,
}

/// A running query. Dropping it kills the process.
pub(super) struct Process {
    child: Child,
    /// The process exits when this is closed, also by the end of the server.
    input: ChildStdin,
    output: ChildStdout,
}

/// The error of a query, as the child process reports it.
#[derive(Debug, Deserialize, Serialize)]
enum Report {
    Refused(String),
    Invalid(String),
    Stopped(String),
    Busy,
    Failed(String),
}

impl Process {
    pub(super) fn start(target: &Target) -> Result<Self, QueryError> {
        let mut child = Command::new(&target.program)
            .arg0("optlab")
            .arg(COMMAND)
            .arg(&target.file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            // Ctrl-C in a terminal reaches the whole group; the server decides when its queries end.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let input = child.stdin.take().expect("stdin is piped");
        let output = child.stdout.take().expect("stdout is piped");
        Ok(Self { child, input, output })
    }

    pub(super) async fn answer(&mut self, query: &Query) -> Result<QueryAnswer, QueryError> {
        let (output, status) = self.exchange(query).await.map_err(failed)?;
        if status.success() {
            return Ok(QueryAnswer { json: output });
        }
        let answer = serde_json::from_slice::<Report>(&output);
        Err(answer.map_or_else(|_| failed(format!("it ended early: {status}")), Into::into))
    }

    /// Sends the query, and reads what the process writes until it ends.
    async fn exchange(&mut self, query: &Query) -> io::Result<(Vec<u8>, ExitStatus)> {
        let mut line = serde_json::to_vec(query)?;
        line.push(b'\n');
        self.input.write_all(&line).await?;
        let mut output = Vec::new();
        self.output.read_to_end(&mut output).await?;
        Ok((output, self.child.wait().await?))
    }

    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills the process, and waits until it is gone.
    pub(super) async fn end(mut self) {
        let _ = self.child.kill().await;
    }
}

impl From<QueryError> for Report {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Refused(sentence) => Self::Refused(sentence),
            QueryError::Invalid(sentence) => Self::Invalid(sentence),
            QueryError::Stopped(sentence) => Self::Stopped(sentence),
            QueryError::Store(StoreError::Busy) => Self::Busy,
            QueryError::Failed(reason) => Self::Failed(reason),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<Report> for QueryError {
    fn from(report: Report) -> Self {
        match report {
            Report::Refused(sentence) => Self::Refused(sentence),
            Report::Invalid(sentence) => Self::Invalid(sentence),
            Report::Stopped(sentence) => Self::Stopped(sentence),
            Report::Busy => StoreError::Busy.into(),
            Report::Failed(reason) => Self::Failed(reason),
        }
    }
}

/// The database or the machine has failed.
fn failed(reason: impl ToString) -> QueryError {
    QueryError::Failed(reason.to_string())
}
