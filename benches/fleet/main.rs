//! How much of their time two slots train, with jobs of about a second: `cargo bench --bench fleet`.
//!
//! `-- 50` measures 50 jobs in place of 200.

#![expect(clippy::disallowed_methods, reason = "measures how long things take")]

#[path = "../../tests/support/mod.rs"]
mod support;

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use sqlx::{Connection, PgConnection, SqliteConnection};
use support::processes::Worker;
use support::{Database, Server, long_experiment};
use tempfile::TempDir;

const JOBS: u64 = 200;
/// About a second of training on one core.
const STEPS: u64 = 1000;
const SLOTS: u32 = 2;

/// Busy: training time that the runners report. Claimed, ended: the first claim and the last end. Stepped: the first
/// update. All but the first in milliseconds since the epoch.
const FIGURES: &str = "SELECT sum(seconds), min(started_ms), max(ended_ms),
     (SELECT min(time_ms) FROM metric_points WHERE step > 0), count(seconds) FROM attempts";

fn main() {
    let jobs = env::args().find_map(|argument| argument.parse().ok()).unwrap_or(JOBS);
    println!("| {jobs} jobs, {SLOTS} slots | SQLite | Postgres |\n| --- | --- | --- |");
    let [sqlite, postgres] = [Database::Sqlite, Database::Postgres].map(|database| measured(database, jobs));
    let row = |what: &str, figure: fn(&Measured) -> f64, digits: usize| {
        println!("| {what} | {:.digits$} | {:.digits$} |", figure(&sqlite), figure(&postgres));
    };
    row("busy time of slots over slots x wall time", |of| of.busy / (f64::from(SLOTS) * of.wall), 3);
    row("training time per job, s", |of| of.busy / of.jobs, 2);
    row(
        "slot time per job without training, ms",
        |of| 1e3 * (f64::from(SLOTS) * of.wall - of.busy) / of.jobs,
        0,
    );
    row("from the start of a worker to its first claim, s", |of| of.to_claim, 2);
    row("from the start of a worker to its first update, s", |of| of.to_step, 2);
}

/// In seconds.
struct Measured {
    jobs: f64,
    busy: f64,
    wall: f64,
    to_claim: f64,
    to_step: f64,
}

fn measured(database: Database, jobs: u64) -> Measured {
    let folder = TempDir::new().unwrap();
    let url = database.create(&folder);
    let server = Server::without_slots(&url, &folder);
    let mut spec = long_experiment(STEPS);
    spec["seeds"] = json!((0..jobs).collect::<Vec<u64>>());
    let id = server.submit(&spec);
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let slots = SLOTS.to_string();
    // Nothing is polled meanwhile, because that would take the time of a core.
    let mut worker = Worker::start_with(&url, &["--slots-per-device", &slots, "--exit-when-idle", "1"]);
    assert!(worker.ends_well(), "the worker ends when it is idle");
    server.wait_for_success(id);
    let (busy, claimed, ended, stepped, attempts) =
        tokio::runtime::Runtime::new().unwrap().block_on(figures(&url));
    assert_eq!(attempts as u64, jobs, "every job is trained once");
    let seconds = |from: i64, to: i64| (to - from) as f64 / 1000.0;
    Measured {
        jobs: jobs as f64,
        busy,
        wall: seconds(claimed, ended),
        to_claim: seconds(started, claimed),
        to_step: seconds(started, stepped),
    }
}

async fn figures(url: &str) -> (f64, i64, i64, i64, i64) {
    if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::query_as(FIGURES).fetch_one(&mut connection).await.unwrap()
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query_as(FIGURES).fetch_one(&mut connection).await.unwrap()
    }
}
