//! The cost of the queue and the store, on both databases: `cargo bench --bench queue`.
//!
//! The benchmark starts its own PostgreSQL server, with the durability settings of production.

#![expect(clippy::disallowed_methods, reason = "measures how long things take")]

#[path = "../../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use optlab::store::{self, Origin, Slot, Store, Submission};
use optlab_domain::Device;
use optlab_spec::protocol::{Environment, Point};
use optlab_spec::{ExperimentSpec, submission};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, SqliteConnection};
use support::postgres::Postgres;
use support::processes::Worker;
use support::{Server, long_experiment};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const LEASE_MS: i64 = 60_000;
const QUEUED: u64 = 2000;
const SLOTS: usize = 8;
const SUBMISSIONS: usize = 100;
/// Open pages that follow every event.
const PAGES: usize = 1000;
/// Points per flush, and number of flushes.
const BATCH: u64 = 200;
const BATCHES: u64 = 200;
/// Interleaved rounds of points and raw rows.
const ROUNDS: usize = 5;

fn main() {
    let postgres = Postgres::own();
    let folder = TempDir::new().unwrap();
    let sqlite = |name: &str| format!("sqlite:{}/{name}.db", folder.path().display());
    println!("| | SQLite | Postgres |\n| --- | --- | --- |");
    let row = |what: &str, figures: [f64; 2]| println!("| {what} | {:.1} | {:.1} |", figures[0], figures[1]);

    for (pages, what) in [
        (0, "from a job's row to its claim, embedded slot or separate worker".to_owned()),
        (PAGES, format!("the same with {PAGES} open pages")),
    ] {
        let urls = [sqlite(&format!("starts-{pages}")), postgres.database()];
        let waits = urls.map(|url| submit_to_start(&url, pages));
        row(&format!("{what}, median ms"), waits.each_ref().map(|w| quantile(w, 0.5)));
        row(&format!("{what}, 99th percentile ms"), waits.each_ref().map(|w| quantile(w, 0.99)));
    }

    let runtime = tokio::runtime::Runtime::new().unwrap();
    row(
        "claims per second, 2,000 jobs, 8 slots",
        [sqlite("claims"), postgres.database()].map(|url| runtime.block_on(claims(&url))),
    );
    // In turn, because other processes may slow the machine for a while.
    let mut rates = Vec::new();
    for round in 0..ROUNDS {
        let ours = [sqlite(&format!("points-{round}")), postgres.database()];
        let raw = [sqlite(&format!("raw-{round}")), postgres.database()];
        let ours = ours.map(|url| runtime.block_on(points(&url)));
        rates.push((ours, [runtime.block_on(raw_sqlite(&raw[0])), runtime.block_on(raw_postgres(&raw[1]))]));
    }
    let median = |of: &dyn Fn(usize) -> Vec<f64>| [0, 1].map(|database| quantile(&sorted(of(database)), 0.5));
    row(
        "acknowledged points per second, batches of 200",
        median(&|database| rates.iter().map(|(ours, _)| ours[database]).collect()),
    );
    row(
        "raw inserts of the same rows per second",
        median(&|database| rates.iter().map(|(_, raw)| raw[database]).collect()),
    );
    row(
        "share, percent",
        median(&|database| rates.iter().map(|(ours, raw)| 100.0 * ours[database] / raw[database]).collect()),
    );
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Sorted milliseconds from the row of a submitted job to its claim by an idle slot, from the database's times.
fn submit_to_start(url: &str, pages: usize) -> Vec<f64> {
    let folder = TempDir::new().unwrap();
    // SQLite's slot is in the server, Postgres' in a separate process.
    let (server, _worker) = if url.starts_with("sqlite") {
        (Server::start_with(&folder, &["--database-url", url, "--workers", "1"]), None)
    } else {
        (Server::without_slots(url, &folder), Some(Worker::start(url)))
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let heard = Arc::new(AtomicU64::new(0));
    runtime.block_on(open_pages(&server.address, pages, &heard));
    let mut spec = long_experiment(1);
    spec["train"]["model"] = json!({ "kind": "mlp", "hidden": [4] });
    let milliseconds = |job: &Value, field: &str| -> f64 {
        let time: jiff::Timestamp = job[field].as_str().unwrap().parse().unwrap();
        time.as_millisecond() as f64
    };
    let waits = (0..SUBMISSIONS)
        .map(|_| {
            let job = server.wait_for_success(server.submit(&spec)).remove(0);
            milliseconds(&job, "started_at") - milliseconds(&job, "created_at")
        })
        .collect();
    if pages > 0 {
        let told = heard.load(Ordering::Relaxed) / (pages * SUBMISSIONS) as u64;
        assert!(told > 100, "each page gets events of each job; only {told} bytes came");
    }
    sorted(waits)
}

/// Pages that read the event stream of all experiments.
async fn open_pages(address: &str, pages: usize, heard: &Arc<AtomicU64>) {
    let host = address.trim_start_matches("http://").to_owned();
    for _ in 0..pages {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let ask = format!("GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        let heard = heard.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                heard.fetch_add(length as u64, Ordering::Relaxed);
            }
        });
    }
}

fn experiment(jobs: u64) -> ExperimentSpec {
    let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
    let seeds: Vec<u64> = (0..jobs).collect();
    let overrides = json!({ "seeds": seeds, "arms": arms });
    submission::resolve(&json!({ "recipe": "digits-mlp", "overrides": overrides })).unwrap()
}

/// A separate store for each slot, as in separate processes.
async fn claims(url: &str) -> f64 {
    let first = store::open(url).await.unwrap();
    first.submit(Submission::of(&experiment(QUEUED))).await.unwrap();
    let slot = slot(&first).await;
    let began = Instant::now();
    let slots = (0..SLOTS).map(|_| {
        let (url, slot) = (url.to_owned(), slot.clone());
        tokio::spawn(async move {
            let store = store::open(&url).await.unwrap();
            let mut mine = 0;
            loop {
                match store.claim(&slot, LEASE_MS).await {
                    Ok(Some(_)) => mine += 1,
                    Ok(None) => return mine,
                    Err(error) => eprintln!("{error}"),
                }
            }
        })
    });
    let mut claimed = 0;
    for slot in slots.collect::<Vec<_>>() {
        claimed += slot.await.unwrap();
    }
    assert_eq!(claimed, QUEUED, "each job is claimed once");
    QUEUED as f64 / began.elapsed().as_secs_f64()
}

async fn slot(store: &Store) -> Slot {
    let worker = store.register_worker("bench", &[], &Origin::default()).await.unwrap();
    Slot { worker, device: Device::Cpu }
}

/// A flush: four series, fifty steps.
fn batch(number: u64) -> Vec<Point> {
    let point = |k: u64| Point {
        series: format!("train/series-{}", k % 4),
        step: number * BATCH / 4 + k / 4,
        value: (number * BATCH + k) as f64 / 7.0,
        time_ms: 1_700_000_000_000,
    };
    (0..BATCH).map(point).collect()
}

async fn points(url: &str) -> f64 {
    let store: Arc<Store> = store::open(url).await.unwrap();
    store.submit(Submission::of(&experiment(1))).await.unwrap();
    let lease = store.claim(&slot(&store).await, LEASE_MS).await.unwrap().unwrap().lease;
    let text = |word: &str| word.to_owned();
    let (optlab, libtorch, device, device_name) = (text("0"), text("2"), text("cpu"), text("cpu"));
    let environment = Environment { optlab, libtorch, device, device_name, threads: 1 };
    store.start(lease, &environment, 0, 1).await.unwrap();
    let began = Instant::now();
    for number in 0..BATCHES {
        store.record(lease, &batch(number), Some(number), LEASE_MS).await.unwrap();
    }
    rate(began.elapsed())
}

fn rate(time: Duration) -> f64 {
    (BATCH * BATCHES) as f64 / time.as_secs_f64()
}

/// Only the rows, in an equal table, with as many commits.
async fn raw_sqlite(url: &str) -> f64 {
    let store = store::open(url).await.unwrap();
    store.submit(Submission::of(&experiment(1))).await.unwrap();
    store.close().await;
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = OFF"] {
        sqlx::query(pragma).execute(&mut connection).await.unwrap();
    }
    let began = Instant::now();
    for number in 0..BATCHES {
        let mut transaction = connection.begin().await.unwrap();
        for (k, point) in batch(number).into_iter().enumerate() {
            sqlx::query("INSERT INTO metric_points (job_id, series_id, step, value, time_ms) VALUES ($1, $2, $3, $4, $5)")
                .bind(1_i64)
                .bind(k as i64 % 4)
                .bind(point.step as i64)
                .bind(point.value)
                .bind(point.time_ms)
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
    }
    rate(began.elapsed())
}

/// The same as [`raw_sqlite`], with one statement per batch.
async fn raw_postgres(url: &str) -> f64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query(
        "CREATE TABLE raw_points (job_id BIGINT, series_id BIGINT, step BIGINT, value DOUBLE PRECISION NOT NULL,
             time_ms BIGINT NOT NULL, PRIMARY KEY (job_id, series_id, step))",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let began = Instant::now();
    for number in 0..BATCHES {
        let points = batch(number);
        let column = |of: fn(usize, &Point) -> i64| -> Vec<i64> {
            points.iter().enumerate().map(|(k, point)| of(k, point)).collect()
        };
        sqlx::query("INSERT INTO raw_points SELECT 1, * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::FLOAT8[], $4::BIGINT[])")
            .bind(column(|k, _| k as i64 % 4))
            .bind(column(|_, point| point.step as i64))
            .bind(points.iter().map(|point| point.value).collect::<Vec<_>>())
            .bind(column(|_, point| point.time_ms))
            .execute(&mut connection)
            .await
            .unwrap();
    }
    rate(began.elapsed())
}
