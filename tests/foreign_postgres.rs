//! Effects of other programs and administrators on a PostgreSQL server that optlab uses.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Output};

use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use support::postgres::Postgres;
use support::processes::Worker;
use support::waiting::{STUCK, wait_until};
use support::{OPTLAB, Server, small_experiment};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A connection of a program other than optlab.
struct Other {
    runtime: Runtime,
    connection: PgConnection,
}

impl Other {
    fn new(url: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let connection = runtime.block_on(PgConnection::connect(url)).unwrap();
        Self { runtime, connection }
    }

    fn run(&mut self, sql: &str) {
        self.runtime.block_on(self.connection.execute(AssertSqlSafe(sql.to_owned()))).unwrap();
    }
}

/// The URL with another role, which needs no password here.
fn as_role(url: &str, role: &str) -> String {
    url.replacen("optlab@", &format!("{role}@"), 1)
}

fn optlab(folder: &TempDir, args: &[&str]) -> Output {
    // A server that does start must not need the usual port.
    let mut command = Command::new(OPTLAB);
    command.args(args).env("OPTLAB_LISTEN", "127.0.0.1:0").current_dir(folder.path()).output().unwrap()
}

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    words.iter().for_each(|words| assert!(said.contains(words), "{words}: {said}"));
}

#[test]
fn pages_get_changes_while_another_program_keeps_a_transaction_open() {
    let (postgres, folder) = (Postgres::own(), TempDir::new().unwrap());
    let (ours, others) = (postgres.database(), postgres.database());
    let server = Server::without_slots(&ours, &folder);
    let id = server.submit(&small_experiment(1, &[0]));
    let agent: ureq::Agent =
        ureq::Agent::config_builder().proxy(None).timeout_global(Some(STUCK)).build().into();
    let events = agent.get(format!("{}/api/v1/events", server.address)).call().unwrap();
    let mut lines = BufReader::new(events.into_body().into_reader()).lines().map(Result::unwrap);

    let mut other = Other::new(&others);
    other.run("BEGIN; SELECT pg_current_xact_id()");
    let paused = server.post(&format!("/api/v1/experiments/{id}/pause"), &json!({}));
    assert_eq!(paused.status, 200, "{paused:?}");
    let mut states = lines.by_ref().filter_map(|line| {
        let data: Value = serde_json::from_str(line.strip_prefix("data: ")?).unwrap();
        Some(data["state"].as_str()?.to_owned())
    });
    assert!(states.any(|state| state == "paused"), "the event comes before the transaction ends");
    other.run("COMMIT");
    let resumed = server.post(&format!("/api/v1/experiments/{id}/resume"), &json!({}));
    assert_eq!(resumed.status, 200, "{resumed:?}");
    assert_eq!(states.find(|state| state != "paused").as_deref(), Some("queued"));
}

#[test]
fn a_read_only_database_is_reported_as_temporary() {
    let (postgres, folder) = (Postgres::own(), TempDir::new().unwrap());
    let url = postgres.database();
    let server = Server::without_slots(&url, &folder);
    let mut other = Other::new(&url);
    let settings = ["default_transaction_read_only = on", "statement_timeout = '1ms'"];
    for (setting, kind) in settings.iter().zip(["database-failing", "busy"]) {
        // A setting of the database holds for new connections.
        let all_anew = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        other.run(&format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {}', current_database()); END $$",
            setting.replace('\'', "''")
        ));
        other.run(all_anew);
        wait_until("a write is rejected as read-only", || {
            let answer = server.post("/api/v1/experiments", &small_experiment(1, &[0]));
            assert_ne!(answer.status, 500, "{answer:?}");
            answer.status == 503 && answer.text.contains(kind)
        });
        other.run("SET default_transaction_read_only = off");
        other.run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET ALL', current_database()); END $$");
        other.run(all_anew);
        wait_until("writes succeed again", || {
            server.post("/api/v1/experiments", &small_experiment(1, &[0])).status == 201
        });
    }
}

#[test]
fn a_query_to_an_unreachable_database_is_not_reported_as_too_slow() {
    let (postgres, folder) = (Postgres::own(), TempDir::new().unwrap());
    let url = postgres.database();
    let query = || json!({ "sql": "SELECT 1" });
    let place = ["--database-url", url.as_str(), "--artifacts", "files"];
    let server =
        Server::start_with(&folder, &[&place[..], &["--workers", "0", "--query-seconds", "1"]].concat());
    let answer = postgres.while_frozen(|| server.post("/api/v1/query", &query()));
    assert_eq!((answer.status, answer.json()["type"].as_str()), (503, Some("urn:optlab:problem:busy")));
    wait_until("queries are answered again", || server.post("/api/v1/query", &query()).status == 200);
}

#[test]
fn a_database_without_utf8_is_rejected() {
    let (postgres, folder) = (Postgres::own(), TempDir::new().unwrap());
    let url = postgres.database();
    Other::new(&url)
        .run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
    let (before, after) = url.split_once("/test_").unwrap();
    let latin = format!("{before}/latin?{}", after.split_once('?').unwrap().1);
    for command in ["serve", "worker", "migrate"] {
        refused(&optlab(&folder, &[command, "--database-url", &latin]), &["LATIN1", "--encoding=UTF8"]);
    }
}

#[test]
fn missing_privileges_are_named() {
    let (postgres, folder) = (Postgres::own(), TempDir::new().unwrap());
    let url = postgres.database();
    let mut other = Other::new(&url);
    other.run("CREATE ROLE guest LOGIN; CREATE ROLE clerk LOGIN");
    let (guest, clerk) = (as_role(&url, "guest"), as_role(&url, "clerk"));
    let denied = optlab(&folder, &["migrate", "--database-url", &guest]);
    refused(&denied, &["permission denied for schema public", "GRANT CREATE"]);

    assert!(optlab(&folder, &["migrate", "--database-url", &url]).status.success());
    refused(&optlab(&folder, &["worker", "--database-url", &guest]), &["permission denied for table"]);
    other.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk");
    other.run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk");
    let server = Server::without_slots(&clerk, &folder);
    server.submit(&small_experiment(1, &[0]));
}

#[test]
fn a_worker_waiting_for_the_schema_survives_a_database_restart() {
    let (mut postgres, folder) = (Postgres::own(), TempDir::new().unwrap());
    let url = postgres.database();
    let worker = Worker::start_with(&url, &["--slots-per-device", "1"]);
    worker.wait_until_it_says("bring the database up to date");
    postgres.crash();
    worker.wait_until_it_says("the database does not answer");
    postgres.start();
    let server = Server::without_slots(&url, &folder);
    worker.wait_until_it_says("worker is ready");
    server.wait_for_success(server.submit(&small_experiment(1, &[0])));
}

#[test]
fn a_row_locked_by_another_program_blocks_nothing_else() {
    let (postgres, folder) = (Postgres::own(), TempDir::new().unwrap());
    let url = postgres.database();
    let server = Server::without_slots(&url, &folder);
    let id = server.submit(&small_experiment(1, &[0]));
    let jobs = server.jobs(id);
    let abandoned = "UPDATE jobs SET state = 'running', attempt = 1, lease_until_ms = 1";
    Other::new(&url).run(abandoned);
    let mut other = Other::new(&url);
    other.run(&format!("BEGIN; SELECT id FROM jobs WHERE id = {} FOR UPDATE", jobs[0]["id"]));
    let free: Vec<&Value> = jobs[1..].iter().map(|job| &job["id"]).collect();
    wait_until("the unlocked jobs are requeued", || {
        let states = server.jobs(id);
        states.iter().filter(|job| free.contains(&&job["id"])).all(|job| job["state"] == "queued")
    });
    let held = server.post(&format!("/api/v1/jobs/{}/cancel", jobs[0]["id"]), &json!({}));
    assert_eq!(
        (held.status, held.json()["type"].as_str()),
        (503, Some("urn:optlab:problem:busy")),
        "{held:?}"
    );
    assert_eq!(server.get("/readyz").status, 200);
    other.run("COMMIT");
    wait_until("the locked job is requeued too", || server.jobs(id)[0]["state"] == "queued");
}
