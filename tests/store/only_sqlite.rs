//! SQLite only: transactions that SQLite rolls back itself, and a database file that was moved or replaced.

use optlab_domain::{Action, ExperimentId, Lease};
use std::fs;
use std::path::{Path, PathBuf};

use optlab::store::{StoreError, Submission};
use serde_json::json;

use crate::fixture::{Fixture, finished, spec};

/// Of the database at this URL.
fn path(fixture: &Fixture) -> PathBuf {
    PathBuf::from(fixture.url.strip_prefix("sqlite:").unwrap())
}

/// The database file, its log and the log's index.
fn files(database: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", database.display())))
}

#[tokio::test]
async fn a_transaction_rolled_back_by_sqlite_costs_only_its_connection() {
    let fixture = Fixture::sqlite().await;
    fixture
        .execute("CREATE TRIGGER no_room BEFORE INSERT ON jobs BEGIN SELECT RAISE(ROLLBACK, 'no room'); END")
        .await;
    let spec = spec(json!({}));
    for _ in 0..2 {
        let submitted = fixture.store.submit(Submission::of(&spec)).await;
        assert_eq!(submitted.unwrap_err().to_string(), "database: no room");
        fixture.store.ping().await.unwrap();
    }
    fixture.execute("DROP TRIGGER no_room").await;
    fixture.submit(json!({})).await;
}

#[tokio::test]
async fn no_write_is_acknowledged_while_a_database_file_is_missing() {
    for gone in 0..3 {
        let fixture = Fixture::sqlite().await;
        let experiment = fixture.submit(json!({})).await;
        let lease = fixture.claim().await.unwrap();
        let ended = fixture.claim().await.unwrap();
        fixture.end(ended, finished()).await;
        submit_with_key(&fixture).await.unwrap();
        let file = &files(&path(&fixture))[gone];
        let aside = file.with_extension("aside");
        fs::rename(file, &aside).unwrap();
        is_refused(&fixture, lease, ended).await;
        // Reads still work.
        assert_eq!(fixture.jobs(experiment).await.len(), 3);
        // A copy at the same path is another file.
        fs::copy(&aside, file).unwrap();
        is_refused(&fixture, lease, ended).await;
        fs::rename(&aside, file).unwrap();
        fixture.record(lease, &[1]).await.unwrap();
        fixture.store.ping().await.unwrap();
        fixture.end(lease, finished()).await;
    }
}

async fn submit_with_key(fixture: &Fixture) -> Result<ExperimentId, StoreError> {
    let spec = spec(json!({}));
    fixture.store.submit(Submission { idempotency: Some(("key", "body")), ..Submission::of(&spec) }).await
}

/// Every kind of write, the repetition of what was written before, and the readiness check. The attempt `ended` has ended.
async fn is_refused(fixture: &Fixture, lease: Lease, ended: Lease) {
    let store = &fixture.store;
    let errors = [
        store.act_on_job(lease.job, Action::Cancel).await.err(),
        fixture.record(lease, &[1]).await.err(),
        store.record_heartbeat(fixture.slot.worker, &[], None).await.err(),
        store.try_to_write().await.err(),
        submit_with_key(fixture).await.err(),
        store.end(ended, finished()).await.err(),
        store.ping().await.err(),
    ];
    for error in errors {
        let error = error.expect("refused").to_string();
        assert!(error.contains("was removed or replaced"), "{error}");
    }
}
