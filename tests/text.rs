//! NUL, which Postgres cannot store, and other control characters: requests are rejected, and the output of runners is
//! sanitized and bounded, on both databases alike.

mod support;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;

use optlab::exchange::{ParquetReader, ParquetWriter, PointWriter};
use optlab::store::Import;
use optlab_spec::protocol::VERSION;
use serde_json::{Value, json};
use support::{Answer, Database, Server, small_experiment};
use tempfile::TempDir;

const EXPERIMENTS: &str = "/api/v1/experiments";

/// Runs a test on both databases.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite { $(#[test] fn $test() { super::$test(super::Database::Sqlite) })* }
        mod postgres { $(#[test] fn $test() { super::$test(super::Database::Postgres) })* }
    };
}

on_both![
    a_request_with_nul_is_rejected_with_the_field,
    an_import_with_nul_is_rejected_with_the_field,
    nul_in_an_error_keeps_the_end_reason,
    nul_in_the_output_of_a_crash_is_replaced,
    a_long_log_keeps_its_beginning_and_its_end,
];

#[track_caller]
fn is_refused(answer: &Answer, place: &str) {
    assert_eq!(answer.status, 422, "{place}: {answer:?}");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(place) && detail.contains("U+0000"), "{place}: {detail}");
}

fn a_request_with_nul_is_rejected_with_the_field(database: Database) {
    let folder = TempDir::new().unwrap();
    let server = Server::without_slots(&database.create(&folder), &folder);
    let id = server.submit(&small_experiment(1, &[0]));
    let (experiment, job) =
        (format!("{EXPERIMENTS}/{id}"), format!("/api/v1/jobs/{}", server.jobs(id)[0]["id"]));
    let mut spec = small_experiment(1, &[0]);
    spec["overrides"]["notes"] = json!("a\0b");
    is_refused(&server.post(EXPERIMENTS, &spec), "/overrides/notes");
    is_refused(&server.post(&format!("{EXPERIMENTS}?dry_run=true"), &spec), "/overrides/notes");
    is_refused(
        &server.post(EXPERIMENTS, &json!({ "recipe": "digits-mlp", "overrides": { "a\0": 1 } })),
        "/overrides",
    );
    let toml = [("content-type", "application/toml")];
    is_refused(&server.send("POST", EXPERIMENTS, &toml, b"notes = \"\\u0000\""), "/notes");
    let edit = |edit: Value| server.send("PATCH", &experiment, &[], edit.to_string().as_bytes());
    is_refused(&edit(json!({ "notes": "\0" })), "/notes");
    is_refused(&edit(json!({ "tags": ["x", "\0"] })), "/tags/1");
    is_refused(&edit(json!({ "name": "a\0" })), "/name");
    is_refused(&server.post("/api/v1/query", &json!({ "sql": "SELECT '\0'" })), "/sql");
    is_refused(&server.post("/api/v1/session", &json!({ "token": "\0" })), "/token");
    for (path, name) in [
        ("/api/v1/jobs?arm=%00".to_owned(), "arm"),
        ("/api/v1/jobs?state=%00".to_owned(), "state"),
        (format!("{experiment}/curves?series=test%2Faccuracy%00"), "series"),
        (format!("{experiment}/runs?series=%00"), "series"),
        (format!("{experiment}/comparison?baseline=%00"), "baseline"),
        (format!("{experiment}/comparison?metric=%00"), "metric"),
        (format!("{job}/metrics?series=test%2Faccuracy,%00"), "series"),
    ] {
        is_refused(&server.get(&path), name);
    }
    for path in [format!("{job}/artifacts/a%00"), "/api/v1/recipes/%00".to_owned()] {
        assert_eq!(server.get(&path).status, 404, "{path}");
    }
    // Other control characters are text.
    let notes = "tab\tline\nbell\u{7} escape\u{1b}[31m";
    assert_eq!(edit(json!({ "notes": notes })).json()["notes"], notes);
    assert_eq!(server.read(EXPERIMENTS)["items"].as_array().unwrap().len(), 1);
}

fn an_import_with_nul_is_rejected_with_the_field(database: Database) {
    let folder = TempDir::new().unwrap();
    let server = Server::without_slots(&database.create(&folder), &folder);
    let id = server.submit(&small_experiment(1, &[0]));
    server.post(&format!("{EXPERIMENTS}/{id}/cancel"), &json!({}));
    let file = folder.path().join("small.parquet");
    let export = format!("{}{EXPERIMENTS}/{id}/export?format=parquet", server.address);
    fs::write(&file, ureq::get(export).call().unwrap().body_mut().read_to_vec().unwrap()).unwrap();
    let import = |change: &dyn Fn(&mut Import)| {
        let mut import = ParquetReader::open(File::open(&file).unwrap()).unwrap().import().clone();
        change(&mut import);
        let mut bytes = Vec::new();
        let writer = ParquetWriter::new(&mut bytes, &import.experiment, &import.jobs).unwrap();
        Box::new(writer).finish().unwrap();
        server.send("POST", "/api/v1/imports", &[], &bytes)
    };
    assert_eq!(import(&|_| {}).status, 201);
    is_refused(&import(&|import| import.experiment.notes = "\0".to_owned()), "/notes");
    is_refused(&import(&|import| import.experiment.name = "a\0".to_owned()), "/name");
    is_refused(&import(&|import| import.experiment.spec["notes"] = json!("\0")), "/spec/notes");
    is_refused(&import(&|import| import.jobs[2].record.error = Some("no\0".to_owned())), "/2/error");
    is_refused(&import(&|import| import.jobs[0].spec["later"] = json!({ "a": ["\0"] })), "/0/spec/later/a/0");
    assert_eq!(server.read(EXPERIMENTS)["items"].as_array().unwrap().len(), 2);
}

/// A server of one slot whose runner is this script, and the job that it gets.
fn job_of(database: Database, folder: &TempDir, script: &str) -> (Server, Value) {
    let path = folder.path().join("runner");
    let cpu = json!({ "device": "cpu", "name": "A\0B", "uuid": null });
    let probe = json!({ "protocol": VERSION, "libtorch": "2\0", "devices": [cpu], "threads": 1 });
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = --probe ]; then printf '%s\\n' '{probe}'; exit; fi\nread -r command\n{script}\nread -r next\n"
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    let (url, files) = (database.create(folder), folder.path().join("files"));
    let server = Server::start_with(
        folder,
        &[
            "--database-url",
            &url,
            "--artifacts",
            files.to_str().unwrap(),
            "--workers",
            "1",
            "--runner",
            path.to_str().unwrap(),
        ],
    );
    let mut spec = small_experiment(1, &[0]);
    spec["overrides"]["max_attempts"] = json!(1);
    spec["overrides"]["arms"] = json!([{ "name": "a", "method": { "kind": "baseline" } }]);
    let id = server.submit(&spec);
    let job = server.wait(id, "the job has failed", |jobs| jobs[0]["state"] == "failed").remove(0);
    (server, job)
}

const STARTED: &str = r#"{"type":"started","step":0,"steps":12,"environment":{"optlab":"1","libtorch":"2","device":"cpu","device_name":"A\u0000B","threads":1}}"#;

fn nul_in_an_error_keeps_the_end_reason(database: Database) {
    let folder = TempDir::new().unwrap();
    let point =
        r#"{"type":"flush","points":[{"series":"odd\u0000","step":1,"value":0.5,"time_ms":1}],"step":1}"#;
    let log = r#"{"type":"log","message":"one\u0000two"}"#;
    let long = "x".repeat(50_000);
    let failed = format!(
        r#"{{"type":"failed","reason":"user_error","error":"no \u0000 \u001b[31m\tC:\\u0000 {long}"}}"#
    );
    let lines = [STARTED, point, log, &failed].map(|line| format!("cat <<'EOF'\n{line}\nEOF\n")).concat();
    let (server, job) = job_of(database, &folder, &lines);
    assert_eq!((&job["end_reason"], &job["attempt"]), (&json!("user_error"), &json!(1)), "{job:#}");
    let error = job["error"].as_str().unwrap();
    assert!(error.starts_with("no \u{fffd} \u{fffd}[31m\tC:\\u0000 xxx"), "{:.100}", error);
    assert!(error.len() < 20_000, "{} bytes", error.len());
    assert!(error.contains("bytes left out"), "{}", &error[error.len() - 100..]);
    let curves = server.curves(&job);
    assert_eq!(curves, [("odd\u{fffd}".to_owned(), vec![(1, 0.5)])]);
    let attempts = server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
    assert_eq!(attempts["items"][0]["environment"]["device_name"], "A\u{fffd}B");
    assert_eq!(server.read("/api/v1/workers")["items"][0]["devices"][0]["name"], "A\u{fffd}B");
    let log = server.get(&format!("/api/v1/jobs/{}/logs", job["id"]));
    assert!(log.text.contains("one\u{fffd}two"), "{log:?}");
}

fn nul_in_the_output_of_a_crash_is_replaced(database: Database) {
    let folder = TempDir::new().unwrap();
    let script = format!("cat <<'EOF'\n{STARTED}\nEOF\nprintf 'cannot \\000 open \\033[1m\\n' >&2\nexit 3");
    let (_server, job) = job_of(database, &folder, &script);
    assert_eq!(job["end_reason"], "runner_crashed", "{job:#}");
    assert!(job["error"].as_str().unwrap().contains("cannot \u{fffd} open \u{fffd}[1m"), "{job:#}");
}

fn a_long_log_keeps_its_beginning_and_its_end(database: Database) {
    let folder = TempDir::new().unwrap();
    let script = format!("cat <<'EOF'\n{STARTED}\nEOF\nseq 1 6000000 >&2\nexit 3");
    let (server, job) = job_of(database, &folder, &script);
    let artifacts = server.read(&format!("/api/v1/jobs/{}/artifacts", job["id"]));
    let log = artifacts["items"].as_array().unwrap().iter().find(|file| file["kind"] == "log").unwrap();
    // The lines have 46,888,896 bytes in total.
    assert!(log["bytes"].as_u64().unwrap() <= 16 << 20, "{log:#}");
    let url = format!("{}/api/v1/jobs/{}/logs", server.address, job["id"]);
    let log =
        ureq::get(url).call().unwrap().body_mut().with_config().limit(1 << 30).read_to_string().unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let (left_out, kept) = lines.iter().partition::<Vec<&str>, _>(|line| line.starts_with("... "));
    let bytes: usize = kept.iter().map(|line| line.len() + 1).sum();
    assert_eq!(left_out, [format!("... {} bytes of the log are left out here ...", 46_888_896 - bytes)]);
    assert_eq!((lines[0], lines[lines.len() - 1]), ("1", "6000000"));
    let numbers = kept.iter().map(|line| line.parse::<u32>().unwrap());
    assert_eq!(numbers.clone().zip(numbers.skip(1)).filter(|(one, next)| one + 1 != *next).count(), 1);
}
