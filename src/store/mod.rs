//! Everything that outlives a process: the only place with SQL.
//!
//! One trait a concern, so that a reader of `api` or `worker` sees what it can ask for; a database implements all of
//! them as a [`Store`]. Writes that belong to an attempt carry its [`Lease`] and fail with
//! [`StoreError::LeaseLost`] once the job has gone on without it.

mod experiments;
mod jobs;
mod queue;

mod artifacts;
mod curves;
mod metrics;
mod monitor;
mod query;
mod results;
mod settings;
mod thinning;
mod tokens;
mod transfer;
mod workers;

mod error;
mod sql;

use std::sync::Arc;

use tokio::sync::watch;
use url::Url;

use self::sql::{Schema, SqlStore};
use crate::clock::{Clock, SystemClock};
pub use crate::stats::CurvePoint;

pub use artifacts::{Artifact, ArtifactKind, Artifacts};
pub use curves::{Curve, CurveRange, CurveSet, Curves};
pub use error::StoreError;
pub use experiments::{Counts, Edit, Experiment, Experiments, Submission};
pub use jobs::{Attempt, Cell, Job, JobFilter, JobKey, JobOrder, Jobs, LAST_PLACE, PastRun};
pub use metrics::{Metrics, Series};
pub use monitor::{Activity, Census, Monitor};
pub use query::{LONGEST_STATEMENT, MOST_ROWS, QueryAnswer, QueryError};
pub use queue::{AttemptEnd, Claim, CompleteRun, Lease, Queue, Slot};
pub use results::{JobFigures, LastEvaluations, Results};
pub use settings::{Root, Settings};
pub use sql::{CopyError, QueryRunner, answer_query_of_stdin, copy_sqlite};
pub use thinning::{Thinned, Thinning};
pub use tokens::{Scope, Secret, Token, Tokens};
pub use transfer::{
    AttemptRecord, CurveBatch, ExperimentRecord, Import, JobRecord, ResultsRecord, TimedPoint, Transfer,
};
pub use workers::{Memory, OfferedDevice, Worker, Workers};

/// A database with all that it can be asked for.
#[async_trait::async_trait]
pub trait Store:
    Experiments
    + Jobs
    + Queue
    + Artifacts
    + Curves
    + Metrics
    + Results
    + Thinning
    + Transfer
    + Workers
    + Tokens
    + Settings
    + Monitor
{
    /// Changes whenever this process has written; writes of other processes are found by asking again.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Ends every connection in good order: what is written is then in the database file itself.
    async fn close(&self);

    /// Succeeds if the database answers and its files are still those that were opened.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// A database URL without secrets: user, password and parameters are removed, because a parameter may be a password. An
/// `@` after the host means that a password with an unescaped `/`, `?` or `#` was parsed as part of the path; then only
/// the scheme is shown.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once(':').filter(|(scheme, _)| *scheme != "sqlite") else {
        return url.split_once('?').map_or(url, |(file, _)| file).to_owned();
    };
    let hidden = format!("{scheme}://...");
    let Ok(url) = Url::parse(url) else { return hidden };
    let behind = [url.path(), url.query().unwrap_or_default(), url.fragment().unwrap_or_default()];
    let Some(host) = url.host_str().filter(|_| !behind.concat().contains('@')) else {
        return if rest.contains('@') { hidden } else { format!("{scheme}://{}", url.path()) };
    };
    let user = if url.username().is_empty() && url.password().is_none() { "" } else { "...@" };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{user}{host}{port}{}", url.path())
}

/// Opens the database at `url` and brings its schema up to date. Its time is that of the database's machine.
///
/// # Errors
/// [`StoreError::Unsupported`] for a URL of another kind than `sqlite:` or `postgres:`, else what the database says.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    open_with(url, Schema::Migrate, None).await
}

/// As [`open`], for everybody who waits until a server or `optlab migrate` has brought the schema up to date.
///
/// # Errors
/// As [`open`].
pub async fn join(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    open_with(url, Schema::Await, None).await
}

/// As [`open`], by another clock: for tests.
///
/// # Errors
/// As [`open`].
pub async fn open_with_clock(url: &str, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, StoreError> {
    open_with(url, Schema::Migrate, Some(clock)).await
}

async fn open_with(
    url: &str,
    schema: Schema,
    clock: Option<Arc<dyn Clock>>,
) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(match url.split_once(':') {
        // The file is on this machine, and so is its time.
        Some(("sqlite", _)) => {
            SqlStore::sqlite(url, schema, clock.unwrap_or_else(|| Arc::new(SystemClock))).await?
        }
        Some(("postgres" | "postgresql", _)) => SqlStore::postgres(url, schema, clock).await?,
        _ => return Err(StoreError::Unsupported(redacted(url))),
    }))
}

/// At most `limit` items, and whether there are more.
#[derive(Debug)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Id of the last item, where more follow.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    /// From up to `limit + 1` items: the one too many only tells that more follow.
    fn cut(mut items: Vec<T>, limit: i64, id: impl Fn(&T) -> i64) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        Self { next: items.last().filter(|_| more).map(id), items }
    }
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        for (url, shown) in [
            ("sqlite:optlab.db", "sqlite:optlab.db"),
            ("sqlite:///data/optlab.db?mode=rwc", "sqlite:///data/optlab.db"),
            ("postgres://me:p@ss@host:5432/optlab", "postgres://...@host:5432/optlab"),
            ("postgres://host/optlab?password=hunter2", "postgres://host/optlab"),
            ("postgres:///optlab?host=/run/postgresql&password=hunter2", "postgres:///optlab"),
            ("postgres://me:a@b@c@host/optlab", "postgres://...@host/optlab"),
            // A password whose `@`, `/`, `?` or `#` is not written as %40, %2F, %3F or %23.
            ("postgres://me:pa/ss@host/optlab", "postgres://..."),
            ("postgres://me:12/34@host/optlab", "postgres://..."),
            ("postgres://me:12?34@host/optlab", "postgres://..."),
            ("postgres://me:12#34@host/optlab", "postgres://..."),
            ("postgres://me:pa?ss@host/optlab", "postgres://..."),
            ("postgres://me:pa#ss@host/optlab", "postgres://..."),
            ("postgres://host/optlab?password=hunt@er2", "postgres://..."),
            ("postgres:me:hunter2@host", "postgres://..."),
            ("postgres://me:hunter2", "postgres://..."),
            ("mysql://me:hunter2@host/optlab", "mysql://...@host/optlab"),
            ("sqlite:/data/@home/optlab.db?mode=rwc", "sqlite:/data/@home/optlab.db"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }
}
