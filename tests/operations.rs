//! Operation of the service: metrics, backups, thinning, failing disks, internal errors.

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use rlimit::{INFINITY, Resource, prlimit};
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};
use support::postgres::Postgres;
use support::processes::signal;
use support::waiting::wait_until;
use support::{Database, OPTLAB, Server, long_experiment, small_experiment};
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn optlab(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(OPTLAB).args(args).current_dir(folder.path()).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn points(server: &Server, jobs: &[Value]) -> usize {
    jobs.iter().flat_map(|job| server.curves(job)).map(|(_, points)| points.len()).sum()
}

#[test]
fn metrics_agree_with_the_database_and_the_clients() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let jobs = server.wait_for_success(server.submit(&small_experiment(1, &[0])));
    let stored = points(&server, &jobs);
    for _ in 0..2 {
        assert_eq!(server.get("/api/v1/jobs/777").status, 404);
    }
    assert_eq!(server.get("/no/such/page").status, 404);
    assert_eq!(server.send("BREW", "/no/such/page", &[], b"").status, 404);
    let answer = server.get("/metrics");
    assert!(answer.content_type.starts_with("application/openmetrics-text"), "{answer:?}");
    let version = env!("CARGO_PKG_VERSION");
    for line in [
        format!("optlab_build_info{{version=\"{version}\"}} 1"),
        "optlab_jobs{state=\"succeeded\"} 3".to_owned(),
        "optlab_jobs{state=\"queued\"} 0".to_owned(),
        "optlab_attempts_ended_total{reason=\"completed\"} 3".to_owned(),
        "optlab_attempts_ended_total{reason=\"worker_lost\"} 0".to_owned(),
        "optlab_attempts_ended_total{reason=\"runner_crashed\"} 0".to_owned(),
        "optlab_attempts_ended_total{reason=\"machine_fault\"} 0".to_owned(),
        "optlab_claim_wait_seconds_count 3".to_owned(),
        format!("optlab_points_stored_total {stored}"),
        "optlab_http_requests_total{method=\"GET\",route=\"/api/v1/jobs/{id}\",status=\"404\"} 2".to_owned(),
        "optlab_http_requests_total{method=\"POST\",route=\"/api/v1/experiments\",status=\"201\"} 1"
            .to_owned(),
        "optlab_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1".to_owned(),
        "optlab_http_requests_total{method=\"other\",route=\"none\",status=\"404\"} 1".to_owned(),
        "# EOF".to_owned(),
    ] {
        assert!(answer.text.lines().any(|said| said == line), "{line} is missing:\n{}", answer.text);
    }
    assert!(!answer.text.contains("777") && !answer.text.contains("/no/such"), "{}", answer.text);
}

#[test]
fn a_backup_during_writes_is_consistent() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let id = server.submit(&long_experiment(100_000));
    let before = server.wait(id, "the job is in the middle", |jobs| jobs[0]["step"].as_i64().unwrap() > 200);
    let acknowledged = server.curve(&before[0], "train/loss");
    let done = optlab(&folder, &["backup", "copy.db"]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("files of jobs"), "{}", said(&done));
    assert!(!folder.path().join("copy.db.unfinished").exists());
    let again = optlab(&folder, &["backup", "copy.db"]);
    assert!(!again.status.success() && said(&again).contains("exists already"), "{}", said(&again));
    // The job has continued and still runs.
    let step = |jobs: &[Value]| jobs[0]["step"].as_i64().unwrap();
    let then = step(&server.jobs(id));
    server.wait(id, "the job is further", |jobs| step(jobs) > then);
    let written = server.curve(&before[0], "train/loss");
    server.kill();

    let copy = Server::start_with(&folder, &["--workers", "0", "--database-url", "sqlite:copy.db"]);
    let copied = copy.curve(&before[0], "train/loss");
    assert_eq!(copied[..acknowledged.len()], acknowledged);
    assert_eq!(copied, written[..copied.len()]);
    assert!(copied.len() < written.len(), "later points are not in the copy");
    assert_eq!(copy.get("/readyz").status, 200);
}

#[test]
fn a_failed_backup_names_its_own_disk_and_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    Server::start_with(&folder, &["--workers", "0"]).kill();
    let copies = folder.path().join("copies");
    fs::create_dir(&copies).unwrap();
    let limited = format!("ulimit -f 96; exec {OPTLAB} backup copies/copy.db");
    let failed = Command::new("sh").args(["-c", &limited]).current_dir(folder.path()).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    assert!(said(&failed).contains("cannot write copies/copy.db"), "{}", said(&failed));
    assert!(!said(&failed).contains("disk of the database"), "{}", said(&failed));
    assert_eq!(fs::read_dir(&copies).unwrap().count(), 0);
}

/// A process that holds a write transaction of this database until its input ends.
fn hold_write_lock(folder: &TempDir) -> Child {
    let mut child = Command::new("sqlite3")
        .args(["-cmd", ".timeout 60000", "optlab.db"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the sqlite3 program is installed");
    child.stdin.as_mut().unwrap().write_all(b"BEGIN IMMEDIATE;\nSELECT 'held';\n").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    child
}

#[test]
fn a_server_stays_ready_during_a_long_write_of_another_process() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    assert_eq!(server.get("/readyz").status, 200);
    let mut writer = hold_write_lock(&folder);
    std::thread::sleep(std::time::Duration::from_secs(2));
    let answer = server.get("/readyz");
    assert_eq!(answer.status, 200, "{answer:?}");
    drop(writer.stdin.take());
    writer.wait().unwrap();
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn a_database_of_another_program_is_rejected_unchanged() {
    let folder = TempDir::new().unwrap();
    let sqlite = |sql: &str| {
        let done = Command::new("sqlite3").args(["other.db", sql]).current_dir(folder.path()).output();
        String::from_utf8(done.expect("the sqlite3 program is installed").stdout).unwrap()
    };
    sqlite("CREATE TABLE notes (text); CREATE TABLE people (name)");
    let before = fs::read(folder.path().join("other.db")).unwrap();
    for command in ["migrate", "serve", "worker"] {
        let refused = optlab(&folder, &[command, "--database-url", "sqlite:other.db"]);
        assert_eq!(refused.status.code(), Some(1), "{command}");
        let reason = "other.db is a database of another program: it has the tables notes, people";
        assert!(said(&refused).contains(reason), "{command}: {}", said(&refused));
    }
    assert_eq!(fs::read(folder.path().join("other.db")).unwrap(), before);
    // Other programs that use a migrations table of this name.
    for columns in ["version, description, checksum", "version, description, applied_on"] {
        sqlite(&format!(
            "CREATE TABLE _sqlx_migrations ({columns}); INSERT INTO _sqlx_migrations VALUES (1, 'initial', x'00')"
        ));
        let before = fs::read(folder.path().join("other.db")).unwrap();
        let refused = said(&optlab(&folder, &["serve", "--database-url", "sqlite:other.db"]));
        assert!(
            refused.contains("it has the tables _sqlx_migrations, notes, people and none of optlab"),
            "{refused}"
        );
        assert_eq!(fs::read(folder.path().join("other.db")).unwrap(), before);
        let refused = said(&optlab(&folder, &["backup", "copy.db", "--database-url", "sqlite:other.db"]));
        assert!(refused.contains("is a database of another program"), "{refused}");
        sqlite("DROP TABLE notes; DROP TABLE people; VACUUM");
        let before = fs::read(folder.path().join("other.db")).unwrap();
        let refused = said(&optlab(&folder, &["serve", "--database-url", "sqlite:other.db"]));
        assert!(refused.contains("it has the tables _sqlx_migrations and none of optlab"), "{refused}");
        assert_eq!(fs::read(folder.path().join("other.db")).unwrap(), before);
        sqlite("DROP TABLE _sqlx_migrations; CREATE TABLE notes (text); CREATE TABLE people (name)");
    }
    // An empty database is accepted.
    assert_eq!(sqlite("DROP TABLE notes; DROP TABLE people; VACUUM"), "");
    let done = optlab(&folder, &["migrate", "--database-url", "sqlite:other.db"]);
    assert!(done.status.success(), "{}", said(&done));
}

#[test]
fn a_database_that_cannot_be_created_is_reported() {
    let refused = optlab(&TempDir::new().unwrap(), &["serve", "--database-url", "sqlite:/proc/optlab.db"]);
    assert!(said(&refused).contains("cannot create /proc/optlab.db"), "{}", said(&refused));
}

/// Limits the size of the server's files, so that its writes fail as on a failing disk.
fn limit_files(server: &Server, bytes: u64) {
    prlimit(server.child.id() as i32, Resource::FSIZE, Some((bytes, INFINITY)), None).unwrap();
}

fn refusal(server: &Server) -> (u16, String) {
    let answer = server.post("/api/v1/experiments", &small_experiment(1, &[0]));
    (answer.status, answer.json()["type"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_server_reports_a_failing_disk_and_recovers() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let id = server.submit(&small_experiment(1, &[0]));
    limit_files(&server, 1);
    for _ in 0..2 {
        assert_eq!(refusal(&server), (503, "urn:optlab:problem:database-failing".to_owned()));
        assert_eq!(server.get("/readyz").status, 503);
    }
    assert_eq!(server.jobs(id).len(), 3);
    limit_files(&server, INFINITY);
    assert!(server.submit(&small_experiment(1, &[0])) > id);
    // The last outcome counts for a second.
    wait_until("the server is ready again", || server.get("/readyz").status == 200);
}

#[test]
fn a_server_whose_database_was_removed_acknowledges_no_write() {
    let folder = TempDir::new().unwrap();
    let mut server = Server::start_with(&folder, &["--workers", "0"]);
    let id = server.submit(&small_experiment(1, &[0]));
    assert_eq!(server.get("/readyz").status, 200);
    // Without the log, the file lacks the latest writes.
    fs::remove_file(folder.path().join("optlab.db-wal")).unwrap();
    for _ in 0..2 {
        assert_eq!(refusal(&server), (503, "urn:optlab:problem:database-moved".to_owned()));
        assert_eq!(server.get("/readyz").status, 503);
    }
    assert!(signal(server.child.id(), "TERM") && server.child.wait().unwrap().success());
    let log = server.kill_for_its_log();
    assert_eq!(log.matches("was removed or replaced").count(), 1, "{log}");
    // A server that stops in good order moves its log into the file, even if the log was moved.
    let server = Server::start_with(&folder, &["--workers", "0"]);
    assert_eq!(server.jobs(id).len(), 3);
    fs::remove_file(folder.path().join("optlab.db")).unwrap();
    assert_eq!(refusal(&server), (503, "urn:optlab:problem:database-moved".to_owned()));
    assert_eq!(server.get("/readyz").status, 503);
}

async fn execute(database: Database, url: &str, sql: &'static str) {
    match database {
        Database::Sqlite => drop(SqliteConnection::connect(url).await.unwrap().execute(sql).await.unwrap()),
        Database::Postgres => drop(PgConnection::connect(url).await.unwrap().execute(sql).await.unwrap()),
    }
}

#[test]
fn an_internal_error_is_logged_once_and_its_cause_stays_in_the_log() {
    for database in [Database::Sqlite, Database::Postgres] {
        let folder = TempDir::new().unwrap();
        let url = database.create(&folder);
        let server = Server::without_slots(&url, &folder);
        let id = server.submit(&small_experiment(1, &[0]));
        let rename = "ALTER TABLE experiments RENAME COLUMN notes TO remarks";
        Runtime::new().unwrap().block_on(execute(database, &url, rename));

        let answer = server.get(&format!("/api/v1/experiments/{id}"));
        assert_eq!((answer.status, answer.content_type.as_str()), (500, "application/problem+json"));
        let problem = serde_json::json!({
            "type": "urn:optlab:problem:internal",
            "title": "Internal error",
            "status": 500,
            "detail": "something failed inside the server; its log has the cause",
        });
        assert_eq!(answer.json(), problem, "{database:?}");
        let log = server.kill_for_its_log();
        let causes: Vec<&str> = log.lines().filter(|line| line.contains("notes")).collect();
        assert!(matches!(causes[..], [cause] if cause.contains("ERROR a request failed: ")), "{log}");
    }
}

#[test]
fn backup_refers_to_pg_dump_for_postgres() {
    let folder = TempDir::new().unwrap();
    let url = "postgres://me:hunter2@there/optlab";
    let refused = optlab(&folder, &["backup", "copy.db", "--database-url", url]);
    assert_eq!(refused.status.code(), Some(1));
    let said = said(&refused);
    assert!(said.contains("pg_dump --format=custom --file=copy.db") && !said.contains("hunter2"), "{said}");
    // No database is created if there is none.
    assert!(!optlab(&folder, &["backup", "copy.db"]).status.success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn curves_are_thinned_only_with_confirmation() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let id = server.submit(&small_experiment(2, &[0, 1]));
    let jobs = server.wait_for_success(id);
    let (whole, comparison) =
        (points(&server, &jobs), server.read(&format!("/api/v1/experiments/{id}/comparison")));
    let thin = |more: &[&str]| {
        let output = optlab(&folder, &[&["thin", "small", "--every", "10"], more].concat());
        assert!(output.status.success(), "{}", said(&output));
        let said = said(&output);
        let deleted = said.split_whitespace().find_map(|word| word.parse::<usize>().ok()).unwrap();
        (said, deleted)
    };
    let (told, deleted) = thin(&[]);
    assert!(
        told.starts_with("Would permanently delete")
            && told.contains(&format!("of {whole} points of 6 ended")),
        "{told}"
    );
    assert_eq!(points(&server, &jobs), whole);
    assert!(deleted > whole / 2, "{told}");
    let (told, same) = thin(&["--yes"]);
    assert!(told.starts_with("Deleted") && same == deleted, "{told}");
    assert_eq!(points(&server, &jobs), whole - deleted);
    // The comparison does not use the deleted points.
    assert_eq!(server.read(&format!("/api/v1/experiments/{id}/comparison")), comparison);
    assert_eq!(optlab(&folder, &["thin", "1", "--every", "1"]).status.code(), Some(2));
    let by_id = optlab(&folder, &["thin", &format!("#{id}"), "--every", "10"]);
    assert!(said(&by_id).starts_with("Would permanently delete"), "{}", said(&by_id));
    let unknown = optlab(&folder, &["thin", "absent", "--every", "10"]);
    assert!(said(&unknown).contains("there is no experiment `absent`"), "{}", said(&unknown));
}

#[test]
fn a_server_with_a_closed_log_pipe_trains_and_stops() {
    let folder = TempDir::new().unwrap();
    let mut server = Server::start_unheard(&folder);
    server.wait_for_success(server.submit(&small_experiment(1, &[0])));
    assert!(signal(server.child.id(), "TERM"));
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn a_database_that_cannot_be_opened_is_explained() {
    let folder = TempDir::new().unwrap();
    let postgres = Postgres::shared().database();
    let nowhere = postgres.replace("/test_", "/nowhere_");
    for (args, why) in [
        (["migrate", "--database-url", "sqlite:absent/optlab.db"], "there is no folder absent"),
        (["migrate", "--database-url", "postgres://127.0.0.1:1/optlab"], "127.0.0.1:1: Connection refused"),
        (["migrate", "--database-url", &nowhere], "does not exist; `createdb` makes one"),
        (["backup", "copy.db", "--database-url=sqlite:absent.db"], "there is no file absent.db"),
        (["backup", "absent/copy.db", "--database-url=sqlite:absent.db"], "there is no folder"),
    ] {
        let done = optlab(&folder, &args);
        assert!(!done.status.success() && said(&done).contains(why), "{args:?}: {}", said(&done));
    }
}

#[test]
fn every_command_rejects_an_in_memory_database() {
    let commands: [&[&str]; 9] = [
        &["serve", "--workers", "0", "--listen", "127.0.0.1:0"],
        &["demo", "--once", "--listen", "127.0.0.1:0"],
        &["worker"],
        &["migrate"],
        &["token", "create", "me"],
        &["token", "list"],
        &["token", "revoke", "1"],
        &["thin", "1", "--every", "2"],
        &["backup", "copy.db"],
    ];
    let urls =
        ["sqlite::memory:", "sqlite:%3Amemory%3A", "sqlite:", "sqlite://", "sqlite:optlab.db?mode=memory"];
    for (url, command) in urls.iter().flat_map(|url| commands.map(|command| (url, command))) {
        let folder = TempDir::new().unwrap();
        // A command that accepts the URL may not end.
        let mut program = Command::new("timeout");
        program.args(["10", OPTLAB]).args(command).env("OPTLAB_DATABASE_URL", url);
        let done = program.current_dir(folder.path()).output().unwrap();
        let words = said(&done);
        assert_eq!(done.status.code(), Some(1), "{url} {command:?}: {words}");
        assert!(
            words.contains("names no file") && words.contains("sqlite:optlab.db"),
            "{url} {command:?}: {words}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{url} {command:?}: {words}");
    }
}
