//! What pages wait for, with 2 and with 20 million points of 2,000 jobs: `cargo bench --bench reads`.
//!
//! A server on SQLite, kept to one core where `taskset` is there, answers over HTTP, compressed as for a browser.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use optlab::store::{self, AttemptEnd, Slot, Store, Submission};
use optlab_spec::protocol::{Environment, Summary};
use optlab_spec::submission;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use support::Server;
use tempfile::TempDir;

const JOBS: i64 = 2000;
/// Of one experiment, which a page shows together.
const SHOWN: i64 = 20;
const LEASE_MS: i64 = 3_600_000;
const TIMES: usize = 41;

/// Points of each job in an experiment of [`SHOWN`] jobs.
const LENGTHS: [i64; 2] = [2_500, 100_000];

fn main() {
    let [small, large] = [2_000_000, 20_000_000].map(|points| {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}/optlab.db", folder.path().display());
        let experiments = tokio::runtime::Runtime::new().unwrap().block_on(fill(&url, points));
        let server = Server::start_with(&folder, &["--database-url", &url, "--workers", "0"]);
        keep_to_one_core(server.child.id());
        questions(experiments).map(|(_, path)| ask(&server, &path))
    });
    println!("| question | median ms, 2 million points | 20 million | ratio | kB |");
    println!("| --- | --- | --- | --- | --- |");
    for (((what, _), small), large) in questions([0, 1]).iter().zip(small).zip(large) {
        let (before, now, kilobytes) = (small.0, large.0, large.1);
        println!("| {what} | {before:.1} | {now:.1} | {:.2} | {kilobytes:.0} |", now / before);
    }
}

/// What is asked, and how; `experiments` are those of [`LENGTHS`].
fn questions(experiments: [i64; 2]) -> [(String, String); 8] {
    let path = |length: usize, what: &str| {
        format!("/api/v1/experiments/{}/{what}?series=train/loss&points=400", experiments[length])
    };
    let sorted = |sort: &str| format!("/api/v1/jobs?limit=100&sort={sort}");
    [
        ("20 single curves of 2,500 points".to_owned(), path(0, "runs")),
        ("20 single curves of 100,000 points".to_owned(), path(1, "runs")),
        ("an arm's mean over 20 seeds of 2,500 points".to_owned(), path(0, "curves")),
        ("an arm's mean over 20 seeds of 100,000 points".to_owned(), path(1, "curves")),
        ("the first 100 of 2,000 jobs".to_owned(), sorted("id")),
        ("the same, the latest first".to_owned(), sorted("-created_at")),
        ("the same, by test error".to_owned(), sorted("test_error")),
        ("the same, by state".to_owned(), sorted("state")),
    ]
}

/// A database with so many points; returns the experiments of [`LENGTHS`].
async fn fill(url: &str, points: i64) -> [i64; 2] {
    let store = store::open(url).await.unwrap();
    let worker = store.register_worker("bench", &["cpu".to_owned()]).await.unwrap();
    let slot = Slot { worker, device: "cpu".to_owned() };
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let mut experiments = [0; 2];
    for (experiment, length) in experiments.iter_mut().zip(LENGTHS) {
        *experiment = train(&*store, &slot, &mut connection, SHOWN, length).await;
    }
    let shown: i64 = LENGTHS.iter().map(|length| SHOWN * length).sum();
    let others = JOBS - 2 * SHOWN;
    // 2 million are little more than those of the long curves.
    train(&*store, &slot, &mut connection, others, ((points - shown) / others).max(10)).await;
    store.close().await;
    experiments
}

/// An experiment of so many jobs, each with a noisy curve of so many points.
async fn train(
    store: &dyn Store,
    slot: &Slot,
    connection: &mut SqliteConnection,
    jobs: i64,
    points: i64,
) -> i64 {
    let overrides = json!({
        "seeds": (0..jobs).collect::<Vec<_>>(),
        "arms": [{ "name": "baseline", "method": { "kind": "baseline" } }],
    });
    let spec = submission::resolve(&json!({ "recipe": "digits-mlp", "overrides": overrides })).unwrap();
    let experiment = store.submit(Submission { spec: &spec, idempotency: None }).await.unwrap();
    sqlx::query(
        "INSERT OR IGNORE INTO series (name, unit) VALUES ('train/loss', 'nat'), ('test/accuracy', '%')",
    )
    .execute(&mut *connection)
    .await
    .unwrap();
    for _ in 0..jobs {
        let lease = store.claim(slot, LEASE_MS).await.unwrap().unwrap().lease;
        store.start(lease, &environment(), 0, points as u64).await.unwrap();
        // Behind the store's back, because a flush at a time would take half an hour.
        for (series, curve) in
            [("train/loss", "exp(-step / 3e4) + random() / 1e20"), ("test/accuracy", "90 + random() / 1e18")]
        {
            let last = if series == "train/loss" { points } else { 20 };
            let statement = format!(
                "WITH RECURSIVE steps (step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM steps WHERE step < {last})
                 INSERT INTO metric_points
                 SELECT {}, (SELECT id FROM series WHERE name = '{series}'), step, {curve}, 0 FROM steps",
                lease.job
            );
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *connection).await.unwrap();
        }
        let summary: Summary =
            serde_json::from_value(json!({ "parameters_trained": 10, "seconds": 2.5 })).unwrap();
        store.end(lease, AttemptEnd::Finished(summary)).await.unwrap();
    }
    experiment
}

fn environment() -> Environment {
    let text = |word: &str| word.to_owned();
    Environment {
        optlab: text("0"),
        libtorch: text("2"),
        device: text("cpu"),
        device_name: text("cpu"),
        threads: 1,
    }
}

fn keep_to_one_core(process: u32) {
    let pinned = Command::new("taskset").args(["-a", "-c", "-p", "0", &process.to_string()]).output();
    if !pinned.is_ok_and(|output| output.status.success()) {
        println!("without `taskset` the server has every core");
    }
}

/// Median milliseconds to the end of the answer, and its length in kilobytes.
fn ask(server: &Server, path: &str) -> (f64, f64) {
    let mut length = 0;
    let mut times: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let began = Instant::now();
            length = get(&server.address, path);
            began.elapsed()
        })
        .collect();
    times.sort();
    (times[TIMES / 2].as_secs_f64() * 1000.0, length as f64 / 1000.0)
}

/// Length of the answer as it comes over the wire.
fn get(address: &str, path: &str) -> usize {
    let host = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
    answer.len()
}
