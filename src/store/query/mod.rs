//! Statements of users: read-only, bounded and isolated from the service.
//!
//! Every query has its own connection, which is closed afterwards, so no setting, lock or cursor leaks into the next
//! query. For SQLite, an authorizer checks the statement and a child process runs it ([`sqlite`]). For Postgres, the
//! catalog and a read-only transaction check it, and a process of the database server runs it ([`postgres`]). A query
//! holds its slot until the database has stopped working on it, even if nobody waits for the answer any more.

mod answer;
mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

pub use self::sqlite::answer_query_of_stdin;
use crate::store::database::sqlite_options;
use crate::store::{StoreError, redacted};

/// Maximum length of a statement, in bytes.
pub const LONGEST_STATEMENT: usize = 100_000;
/// Maximum number of rows of an answer.
pub const MOST_ROWS: usize = 10_000;

/// The answer to a query.
#[derive(Debug, PartialEq)]
pub struct QueryAnswer {
    /// `{"columns": [...], "rows": [[...], ...], "truncated": ...}`. Column names are those of the statement and may
    /// repeat. A row has one value per column: null, a number, a text, true or false, or `{"hex": ...}` for bytes.
    /// Numbers that JSON cannot represent are the texts `NaN`, `Infinity` and `-Infinity`. `truncated` is true if there
    /// are more rows.
    pub json: Vec<u8>,
}

/// The reason why a query has no answer, as a sentence for the author of the statement.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The statement does something that is not allowed.
    #[error("{0}")]
    Refused(String),
    /// The database does not understand the statement, or fails in it.
    #[error("{0}")]
    Invalid(String),
    /// The statement exceeded a limit.
    #[error("{0}")]
    Stopped(String),
    /// All slots are busy with other queries.
    #[error("too many queries are being answered; try again shortly")]
    TooManyQueries,
    /// All slots are busy, and the database cannot interrupt this many queries that have exceeded their time limit.
    #[error(
        "no query can start: {0} queries have exceeded their time limit and are still being stopped; try again later"
    )]
    UnendingQueries(usize),
    /// The database or the machine has failed in the process of the query.
    #[error("the process of the query failed: {0}")]
    Failed(String),
    /// The database itself has failed, or is busy.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Maximum number of concurrent queries.
const AT_A_TIME: usize = 4;
/// Time limit for a free slot.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time to end a query after which a warning is logged.
const USUAL_END: Duration = Duration::from_secs(1);

/// Answers the queries of users.
#[derive(Clone)]
pub struct QueryRunner {
    target: Arc<Target>,
    /// Time limit of a query.
    time: Duration,
    permits: Arc<Semaphore>,
    /// Number of ended queries that the database still works on.
    unending: Arc<AtomicUsize>,
}

enum Target {
    Sqlite(sqlite::Target),
    Postgres(Box<postgres::Target>),
}

/// A statement and the maximum number of rows.
#[derive(Debug, Deserialize, Serialize)]
struct Query {
    sql: String,
    most_rows: usize,
}

/// A query that the database works on.
enum Running {
    Sqlite(Box<sqlite::Process>),
    Postgres(Box<postgres::Session>),
}

type Reply = oneshot::Sender<Result<QueryAnswer, QueryError>>;

impl QueryRunner {
    /// A runner of queries to the database at `url`, which must have the schema of this program. Nothing is opened yet.
    /// Queries to SQLite run in child processes of `program`, the path of this program.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for a URL of another kind than `sqlite:` or `postgres:`, [`StoreError::Unavailable`]
    /// for an SQLite database without a file.
    pub fn new(url: &str, time: Duration, program: PathBuf) -> Result<Self, StoreError> {
        let target = match url.split_once(':') {
            Some(("sqlite", _)) => {
                let file = sqlite_options(url)?.get_filename().to_owned();
                Target::Sqlite(sqlite::Target { program, file })
            }
            Some(("postgres" | "postgresql", _)) => Target::Postgres(Box::new(postgres::Target::new(url)?)),
            _ => return Err(StoreError::Unsupported(redacted(url))),
        };
        let (permits, unending) = (Arc::new(Semaphore::new(AT_A_TIME)), Arc::default());
        Ok(Self { target: Arc::new(target), time, permits, unending })
    }

    /// The first `most_rows` rows of the answer to `sql`, which must be one read-only statement. Dropping the future
    /// stops the query.
    ///
    /// # Errors
    /// The reason why there is no answer.
    pub async fn query(&self, sql: String, most_rows: usize) -> Result<QueryAnswer, QueryError> {
        if sql.len() > LONGEST_STATEMENT {
            return Err(QueryError::Refused(format!(
                "a statement may have at most {LONGEST_STATEMENT} bytes, this one has {}",
                sql.len()
            )));
        }
        let permit = self.permit().await?;
        let (reply, answer) = oneshot::channel();
        let query = Query { sql, most_rows: most_rows.min(MOST_ROWS) };
        tokio::spawn(self.clone().run(query, reply, permit));
        // The task drops its sender without a reply only when the server ends.
        answer.await.unwrap_or_else(|_| Err(StoreError::Away.into()))
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, QueryError> {
        match timeout(PATIENCE, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(match self.unending.load(Ordering::Relaxed) {
                0 => QueryError::TooManyQueries,
                unending => QueryError::UnendingQueries(unending),
            }),
        }
    }

    /// Runs a query until the database has stopped working on it, which may be after the answer was sent.
    async fn run(self, query: Query, mut reply: Reply, permit: OwnedSemaphorePermit) {
        let deadline = Instant::now() + self.time;
        let mut running = None;
        let answered = async {
            // A timeout here means that the database did not accept the query, not that the query is slow.
            let started =
                timeout_at(deadline, self.target.start(self.time)).await.map_err(|_| StoreError::Away)?;
            let answer = running.insert(started?).answer(&query, self.time);
            timeout_at(deadline, answer).await.map_err(|_| QueryError::too_slow(self.time.as_secs()))?
        };
        tokio::select! {
            answer = answered => {
                let _ = reply.send(answer);
            }
            // The receiver of the answer is gone.
            () = reply.closed() => {}
        }
        if let Some(running) = running {
            self.end(running).await;
        }
        drop(permit);
    }

    async fn end(&self, running: Running) {
        let process = running.process();
        let mut end = pin!(running.end());
        if timeout(USUAL_END, &mut end).await.is_err() {
            tracing::warn!(
                process,
                "a user's query has ended, but the process that runs it cannot be stopped; it holds one of the \
                 {AT_A_TIME} query slots until it exits"
            );
            self.unending.fetch_add(1, Ordering::Relaxed);
            end.await;
            self.unending.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Target {
    async fn start(&self, time: Duration) -> Result<Running, QueryError> {
        Ok(match self {
            Self::Sqlite(target) => Running::Sqlite(Box::new(sqlite::Process::start(target)?)),
            Self::Postgres(target) => {
                Running::Postgres(Box::new(postgres::Session::begin(target, time).await?))
            }
        })
    }
}

impl Running {
    async fn answer(&mut self, query: &Query, time: Duration) -> Result<QueryAnswer, QueryError> {
        match self {
            Self::Sqlite(process) => process.answer(query).await,
            Self::Postgres(session) => session.answer(query, time).await,
        }
    }

    /// Id of the process that runs the query, on the database's machine.
    fn process(&self) -> Option<u32> {
        match self {
            Self::Sqlite(process) => process.id(),
            Self::Postgres(session) => session.process(),
        }
    }

    /// Returns once the database has stopped working on the query.
    async fn end(self) {
        match self {
            Self::Sqlite(process) => process.end().await,
            Self::Postgres(session) => session.end().await,
        }
    }
}
