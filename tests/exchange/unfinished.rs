//! Imports that are killed, and concurrent writes during an import.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use tempfile::TempDir;

use crate::support::processes::signal;
use crate::support::waiting::{Patience, wait_until};
use crate::support::{Database, OPTLAB, Server};
use crate::{client, import, long_curve, said, without_slots};

/// The file of an experiment of one long curve.
fn exported(points: usize) -> Vec<u8> {
    let (folder, server) = long_curve(points);
    said(&client(&server, &folder, &["export", "1", "--format", "parquet"]));
    fs::read(folder.path().join("small-1.parquet")).unwrap()
}

/// The number that a statement returns from the database in this folder.
fn count(folder: &TempDir, sql: &str) -> i64 {
    let done = Command::new("sqlite3")
        .args(["-cmd", ".timeout 60000", "optlab.db", sql])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().parse().unwrap()
}

fn has_no_experiment(server: &Server) {
    assert_eq!(server.read("/api/v1/experiments")["items"], Value::Array(Vec::new()));
    assert_eq!(server.read("/api/v1/jobs")["items"], Value::Array(Vec::new()));
}

/// A server that sends a part of a file and then nothing more. Returns its address.
fn stalling() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head =
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\ncontent-disposition: attachment; filename=\"x.csv\"";
        write!(stream, "{head}\r\n\r\na part").unwrap();
        // Returns when the client has gone.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    address
}

#[test]
fn an_interrupted_export_leaves_no_file() {
    for name in ["INT", "TERM"] {
        let folder = TempDir::new().unwrap();
        let mut export = Command::new(OPTLAB)
            .args(["export", "1", "--format", "csv", "--server", &stalling()])
            .current_dir(folder.path())
            .spawn()
            .unwrap();
        wait_until("the export has begun", || folder.path().join("x.csv.unfinished").exists());
        assert!(signal(export.id(), name));
        assert_eq!(export.wait().unwrap().code(), Some(130));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn other_clients_can_write_during_a_long_import() {
    let bytes = exported(200_000);
    let folder = TempDir::new().unwrap();
    let server = without_slots(&folder);
    let id = server.submit(&crate::small_experiment(1, &[0]));
    thread::scope(|scope| {
        let importing = scope.spawn(|| import(&server, &bytes));
        wait_until("the import has begun to write", || {
            importing.is_finished() || count(&folder, "SELECT count(*) FROM metric_points") > 0
        });
        let mut written = 0;
        while !importing.is_finished() {
            let notes = format!("{{\"notes\": \"{written}\"}}");
            let answer = server.send("PATCH", &format!("/api/v1/experiments/{id}"), &[], notes.as_bytes());
            assert_eq!(answer.status, 200, "after {written} writes: {answer:?}");
            written += 1;
        }
        assert_eq!(importing.join().unwrap().status, 201);
        assert!(written >= 10, "only {written} writes succeeded");
    });
    assert_eq!(
        count(&folder, "SELECT count(*) FROM metric_points p JOIN jobs j ON j.id = p.job_id"),
        200_000
    );
    // The staging connection does not check foreign keys.
    assert_eq!(count(&folder, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

#[test]
fn a_killed_import_into_sqlite_leaves_nothing_visible() {
    let bytes = exported(100_000);
    let folder = TempDir::new().unwrap();
    let server = without_slots(&folder);
    let points = |more: &str| count(&folder, &format!("SELECT count(*) FROM metric_points {more}"));
    thread::scope(|scope| {
        let importing = scope.spawn(|| {
            ureq::post(format!("{}/api/v1/imports", server.address))
                .send(&bytes[..])
                .map(|answer| answer.status())
        });
        wait_until("the import has begun to write", || importing.is_finished() || points("") > 0);
        // During the import, also for readers.
        has_no_experiment(&server);
        crate::support::processes::kill(server.child.id());
        assert!(importing.join().unwrap().is_err());
    });
    drop(server);
    assert!(points("WHERE job_id NOT IN (SELECT id FROM jobs)") > 0, "it was not killed in the middle");

    let server = without_slots(&folder);
    has_no_experiment(&server);
    assert_eq!((points(""), count(&folder, "SELECT count(*) FROM condensed_curves")), (0, 0));
    assert_eq!(import(&server, &bytes).status, 201);
    assert_eq!(points("WHERE job_id IN (SELECT id FROM jobs)"), 100_000);
    assert_ne!(count(&folder, "SELECT count(*) FROM condensed_curves"), 0);
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_into_postgres_leaves_no_trace() {
    let (folder, source) = long_curve(20_000);
    said(&client(&source, &folder, &["export", "1", "--format", "parquet"]));
    let file = folder.path().join("small-1.parquet");
    let url = Database::Postgres.create(&folder);
    let target = Server::without_slots(&url, &folder);
    // A lock blocks the import at its first point, after the experiment and its jobs are inserted.
    let (mut connection, mut watcher) = (connect(&url).await, connect(&url).await);
    connection.execute("BEGIN; LOCK TABLE metric_points IN EXCLUSIVE MODE").await.unwrap();
    let mut command = Command::new(OPTLAB);
    command.args(["import", file.to_str().unwrap(), "--server", &target.address]);
    let client = thread::spawn(move || command.output().unwrap());
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO metric_points%'";
    let mut patience = Patience::until("the import writes its points");
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut watcher).await.unwrap() == 0 {
        patience.again(());
    }
    target.kill();
    connection.execute("COMMIT").await.unwrap();
    assert!(!client.join().unwrap().status.success());

    let target = Server::without_slots(&url, &folder);
    has_no_experiment(&target);
    assert_eq!(import(&target, &fs::read(&file).unwrap()).status, 201);
    assert_eq!(target.jobs(target.read("/api/v1/experiments")["items"][0]["id"].as_i64().unwrap()).len(), 1);
}
