//! Response times of pages and commands, with 2 and with 20 million points of 2,000 jobs, and with 10,000 waiting jobs:
//! `cargo bench --bench reads`, or only one half with `-- points` or `-- waiting`.
//!
//! A server on SQLite, limited to one core if `taskset` exists, answers over HTTP, compressed as for a browser.

#![expect(clippy::disallowed_methods, reason = "measures how long things take")]

#[path = "../filled/mod.rs"]
mod filled;
#[path = "../../tests/support/mod.rs"]
mod support;
mod waiting;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use filled::{Curve, Database};
use optlab_domain::ExperimentId;
use support::Server;
use tempfile::TempDir;

const JOBS: i64 = 2000;
/// Jobs of one experiment, which a page shows together.
const SHOWN: i64 = 20;
const TIMES: usize = 41;

/// Points of each job in an experiment of [`SHOWN`] jobs.
const LENGTHS: [i64; 2] = [2_500, 100_000];

fn main() {
    let asked: Vec<String> =
        std::env::args().filter(|word| ["points", "waiting"].contains(&word.as_str())).collect();
    let wanted = |word: &str| asked.is_empty() || asked.iter().any(|asked| asked == word);
    if wanted("points") {
        points();
    }
    if wanted("waiting") {
        waiting::compare();
    }
}

/// The same requests to a small and to a large database.
fn points() {
    let [small, large] = [2_000_000, 20_000_000].map(|points| {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}/optlab.db", folder.path().display());
        let experiments = tokio::runtime::Runtime::new().unwrap().block_on(fill(&url, points));
        let server = Server::start_with(&folder, &["--database-url", &url, "--workers", "0"]);
        keep_to_one_core(server.child.id());
        requests(experiments).map(|(_, path)| ask(&server, &path))
    });
    println!("| request | median ms, 2 million points | 20 million | ratio | kB |");
    println!("| --- | --- | --- | --- | --- |");
    for (((what, _), small), large) in requests([0, 1].map(ExperimentId::from)).iter().zip(small).zip(large) {
        let (before, now, kilobytes) = (small.0, large.0, large.1);
        println!("| {what} | {before:.1} | {now:.1} | {:.2} | {kilobytes:.0} |", now / before);
    }
}

/// The requests; `experiments` are those of [`LENGTHS`].
fn requests(experiments: [ExperimentId; 2]) -> [(String, String); 8] {
    let path = |length: usize, what: &str| {
        format!("/api/v1/experiments/{}/{what}?series=train/loss&points=400", experiments[length])
    };
    let sorted = |sort: &str| format!("/api/v1/jobs?limit=100&sort={sort}");
    [
        ("20 single curves of 2,500 points".to_owned(), path(0, "runs")),
        ("20 single curves of 100,000 points".to_owned(), path(1, "runs")),
        ("mean of an arm over 20 seeds of 2,500 points".to_owned(), path(0, "curves")),
        ("mean of an arm over 20 seeds of 100,000 points".to_owned(), path(1, "curves")),
        ("the first 100 of 2,000 jobs".to_owned(), sorted("id")),
        ("the same, the latest first".to_owned(), sorted("created_at&order=desc")),
        ("the same, by test error".to_owned(), sorted("test_error")),
        ("the same, by state".to_owned(), sorted("state")),
    ]
}

/// Fills a database with this many points; returns the experiments of [`LENGTHS`].
async fn fill(url: &str, points: i64) -> [ExperimentId; 2] {
    let mut database = Database::open(url).await;
    let mut experiments = [ExperimentId::from(0); 2];
    for (experiment, length) in experiments.iter_mut().zip(LENGTHS) {
        *experiment = database.fill(1, SHOWN, &curves(length)).await;
    }
    let shown: i64 = LENGTHS.iter().map(|length| SHOWN * length).sum();
    let others = JOBS - 2 * SHOWN;
    // 2 million are only slightly more than the points of the long curves.
    database.fill(1, others, &curves(((points - shown) / others).max(10))).await;
    database.close().await;
    experiments
}

fn curves(points: i64) -> [Curve; 2] {
    [
        Curve { series: "train/loss", points, every: 1, value: "exp(-step / 3e4) + random() / 1e20" },
        Curve { series: "test/accuracy", points: 20, every: 1, value: "90 + random() / 1e18" },
    ]
}

fn keep_to_one_core(process: u32) {
    let pinned = Command::new("taskset").args(["-a", "-c", "-p", "0", &process.to_string()]).output();
    if !pinned.is_ok_and(|output| output.status.success()) {
        println!("without `taskset`, the server uses every core");
    }
}

/// The median milliseconds to the end of the answer, and its length in kilobytes.
fn ask(server: &Server, path: &str) -> (f64, f64) {
    let mut length = 0;
    let times = (0..TIMES).map(|_| {
        let began = Instant::now();
        length = get(&server.address, path);
        began.elapsed()
    });
    (median(times.collect()), length as f64 / 1000.0)
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

/// Length of the compressed answer.
fn get(address: &str, path: &str) -> usize {
    send(address, "GET", path, "")
}

fn send(address: &str, method: &str, path: &str, body: &str) -> usize {
    let host = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
    answer.len()
}
