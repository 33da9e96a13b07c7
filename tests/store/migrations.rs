//! A database of an older program, with what it has stored.

use std::fs;
use std::path::Path;

use optlab::store;
use sqlx::migrate::Migrator;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::support::postgres::Postgres;

/// Two jobs as the version before stored them, of which one has succeeded.
const OLD: [&str; 6] = [
    "INSERT INTO experiments (name, notes, tags, spec, created_ms) VALUES ('old', '', '[]', '{}', 1)",
    "INSERT INTO workers (name, devices, started_ms, last_seen_ms) VALUES ('here', '[]', 1, 1)",
    "INSERT INTO jobs (experiment_id, arm, arm_position, method, seed, spec, device_wanted, priority, max_attempts,
                       time_limit_seconds, state, steps, version, created_ms)
     VALUES (1, 'a', 0, 'baseline', 0, '{}', 'any', 0, 5, 9, 'succeeded', 9, 1, 1),
            (1, 'a', 0, 'baseline', 1, '{}', 'any', 0, 5, 9, 'failed', 9, 2, 1)",
    "INSERT INTO attempts (job_id, number, worker_id, device, started_ms) VALUES (1, 1, 1, 'cpu', 1)",
    "INSERT INTO series (name, unit) VALUES ('test/accuracy', '%'), ('energy/mean', '')",
    "INSERT INTO metric_points (job_id, series_id, step, value, time_ms)
     VALUES (1, 1, 0, 10, 1), (1, 1, 5, 98, 1), (1, 1, 9, 97, 1), (1, 2, 0, 3, 1), (1, 2, 9, 2, 1), (2, 1, 5, 50, 1)",
];

const MOVED: &str = "SELECT count(*) FROM results
                     WHERE job_id = 1 AND test_accuracy = 97 AND best_test_accuracy = 98 AND energy = 2
                       AND peak_memory_bytes IS NULL";

/// The migrations up to the second.
async fn older(database: &str) -> Migrator {
    let folder = TempDir::new().unwrap();
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    for file in fs::read_dir(all).unwrap().map(|entry| entry.unwrap()) {
        if file.file_name().to_str().unwrap() < "0003" {
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
    }
    Migrator::new(folder.path()).await.unwrap()
}

#[tokio::test]
async fn figures_of_jobs_that_have_succeeded_are_kept_on_sqlite() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}/optlab.db?mode=rwc", folder.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    older("sqlite").await.run(&mut connection).await.unwrap();
    for statement in OLD {
        connection.execute(statement).await.unwrap();
    }
    store::open(&url).await.unwrap().close().await;
    let moved: i64 = sqlx::query_scalar(MOVED).fetch_one(&mut connection).await.unwrap();
    let all: i64 =
        sqlx::query_scalar("SELECT count(*) FROM results").fetch_one(&mut connection).await.unwrap();
    assert_eq!((moved, all), (1, 1));
}

#[tokio::test]
async fn figures_of_jobs_that_have_succeeded_are_kept_on_postgres() {
    let url = Postgres::shared().database();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    older("postgres").await.run(&mut connection).await.unwrap();
    for statement in OLD {
        connection.execute(statement).await.unwrap();
    }
    store::open(&url).await.unwrap().close().await;
    let moved: i64 = sqlx::query_scalar(MOVED).fetch_one(&mut connection).await.unwrap();
    let all: i64 =
        sqlx::query_scalar("SELECT count(*) FROM results").fetch_one(&mut connection).await.unwrap();
    assert_eq!((moved, all), (1, 1));
}
