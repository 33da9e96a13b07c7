//! Imports into SQLite. SQLite has one writer at a time, so the points are staged in short transactions that let other
//! writers in between.
//!
//! Staged points have reserved job ids without a job and are therefore invisible. The transaction that inserts the jobs
//! completes the import. [`remove_unfinished`] deletes the staged points of imports that never got there.

use std::collections::HashMap;
use std::time::Duration;

use optlab_domain::{ExperimentId, JobId};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::import;
use crate::store::curves::{condense, forget, long_curves};
use crate::store::database::{Connect, Reader, Sqlite, Transaction, sql};
use crate::store::{CurveBatch, Import, Store, StoreError};

/// Maximum length of a staging transaction, and the pause after it in which other writers can proceed.
const LONGEST: Duration = Duration::from_millis(50);
const PAUSE: Duration = Duration::from_millis(20);

pub(super) async fn import(
    store: &Store,
    sqlite: &Sqlite,
    import: &Import,
    series: &HashMap<&str, i64>,
    points: &mut mpsc::Receiver<CurveBatch>,
) -> Result<ExperimentId, StoreError> {
    // Held to the end, so that no other process removes the points.
    let _lock = sqlite.lock_for_import()?;
    let mut tx = store.begin().await?;
    let ids = reserve(&mut tx, import.jobs.len() as i64).await?;
    tx.commit().await?;
    let done = async {
        stage(sqlite, &ids, series, import.points, points).await?;
        let mut tx = store.begin().await?;
        let now = store.now(&mut tx).await?;
        let experiment = import::insert(&mut tx, import, &ids, now).await?;
        store.commit(tx).await?;
        Ok::<_, StoreError>(experiment)
    };
    let done = done.await;
    if done.is_err()
        && let Err(error) = remove(sqlite, &ids).await
    {
        tracing::warn!(%error, "cannot remove the points of a failed import; the next start tries again");
    }
    done
}

/// Reserves job ids that no other job will get.
async fn reserve(tx: &mut Transaction, count: i64) -> Result<Vec<JobId>, StoreError> {
    let update = sql("UPDATE sqlite_sequence SET seq = seq + $1 WHERE name = 'jobs' RETURNING seq");
    let last = match update.bind(count).fetch_optional::<(i64,)>(tx).await? {
        Some((last,)) => last,
        None => {
            let insert = sql("INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', $1)");
            insert.bind(count).execute(tx).await?;
            count
        }
    };
    Ok((last - count + 1..=last).map(JobId::from).collect())
}

/// Writes the points as they arrive, `expected` in total, and condenses long curves.
async fn stage(
    sqlite: &Sqlite,
    ids: &[JobId],
    series: &HashMap<&str, i64>,
    expected: u64,
    points: &mut mpsc::Receiver<CurveBatch>,
) -> Result<(), StoreError> {
    let mut transactions = ShortTransactions::new(sqlite);
    let mut staged = 0;
    loop {
        let batch = match points.try_recv() {
            Ok(batch) => batch,
            // Never wait for points inside a transaction.
            Err(_) => {
                transactions.end().await?;
                let Some(batch) = points.recv().await else { break };
                batch
            }
        };
        let (job, series) = (ids[batch.job], series[batch.series.as_str()]);
        import::insert_batch(transactions.transaction().await?, job, series, &batch.points).await?;
        staged += batch.points.len() as u64;
    }
    if staged != expected {
        return Err(StoreError::BrokenOff);
    }
    for &job in ids {
        for series in long_curves(&mut Reader::Sqlite(sqlite.read().await?), job).await? {
            while condense(transactions.transaction().await?, job, series).await? {}
        }
    }
    transactions.end().await
}

/// Removes the points of unfinished imports, unless an import is running in any process; then the next call does it.
pub(super) async fn remove_unfinished(sqlite: &Sqlite) -> Result<(), StoreError> {
    let Some(_lock) = sqlite.lock_against_imports()? else { return Ok(()) };
    let mut reader = Reader::Sqlite(sqlite.read().await?);
    let ids = without_job(&mut reader).await?;
    drop(reader);
    remove(sqlite, &ids).await
}

/// Job ids that have points but no job. The recursive query makes one index lookup per id, not per point.
async fn without_job(on: &mut impl Connect) -> Result<Vec<JobId>, StoreError> {
    let ids: Vec<(JobId,)> = sql("WITH RECURSIVE ids (id) AS (
             SELECT min(job_id) FROM metric_points
             UNION ALL
             SELECT (SELECT min(job_id) FROM metric_points WHERE job_id > ids.id) FROM ids WHERE ids.id IS NOT NULL
         )
         SELECT id FROM ids WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM jobs)")
    .fetch_all(on)
    .await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}

/// Removes the points of `ids`, except of jobs that exist by now because another process has just completed their
/// import.
async fn remove(sqlite: &Sqlite, ids: &[JobId]) -> Result<(), StoreError> {
    let mut transactions = ShortTransactions::new(sqlite);
    for &id in ids {
        let tx = transactions.transaction().await?;
        let job = sql("SELECT count(*) FROM jobs WHERE id = $1").bind(id).fetch_number(tx).await?;
        if job > 0 {
            continue;
        }
        // Points are deleted last, because an interrupted removal finds the id by them.
        forget(tx, id).await?;
        let delete = || {
            sql("DELETE FROM metric_points WHERE job_id = $1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = $1)
                 AND (series_id, step) IN
                 (SELECT series_id, step FROM metric_points WHERE job_id = $1 LIMIT 1000)")
        };
        while delete().bind(id).execute(transactions.transaction().await?).await? > 0 {}
    }
    transactions.end().await
}

/// A sequence of short transactions, with pauses in which others can write.
struct ShortTransactions<'a> {
    sqlite: &'a Sqlite,
    open: Option<(Transaction, Instant)>,
}

impl<'a> ShortTransactions<'a> {
    fn new(sqlite: &'a Sqlite) -> Self {
        Self { sqlite, open: None }
    }

    /// The current transaction, or a new one if the current one has reached its maximum length.
    async fn transaction(&mut self) -> Result<&mut Transaction, StoreError> {
        if self.open.as_ref().is_some_and(|(_, began)| began.elapsed() >= LONGEST) {
            self.end().await?;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => (Transaction::Sqlite(self.sqlite.begin_unchecked().await?), Instant::now()),
        };
        Ok(&mut self.open.insert(open).0)
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        if let Some((transaction, _)) = self.open.take() {
            transaction.commit().await?;
            sleep(PAUSE).await;
        }
        Ok(())
    }
}
