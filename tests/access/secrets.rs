//! Secrets that no request and no log may reveal.

use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::support::postgres::Postgres;
use super::support::{OPTLAB, Server, small_experiment, token};
use super::{EVERYWHERE, EXPERIMENTS, SESSION, bearer, get, is_problem, optlab};

#[test]
fn paths_cannot_reach_other_files() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let job = server.jobs(server.submit(&small_experiment(1, &[0]))).remove(0)["id"].clone();
    for name in [
        "..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "..",
        "..%5c..%5coptlab.db",
        "a%00b",
        "%2e%2e%2foptlab.db",
    ] {
        let answer = server.get(&format!("/api/v1/jobs/{job}/artifacts/{name}"));
        is_problem(&answer, 404, "not-found");
    }
    for path in ["/api/v1/recipes/..%2fCargo.toml", "/assets/..%2f..%2foptlab.db", "/assets//etc/passwd"] {
        is_problem(&server.get(path), 404, "not-found");
    }
}

#[test]
fn no_token_is_in_the_log_or_the_database() {
    let folder = TempDir::new().unwrap();
    let secret = token(&folder, &["create", "me", "--scope", "write"]);
    let server = Server::start_logging("trace", EVERYWHERE, &folder, &["--workers", "0"]);
    assert_eq!(get(&server, EXPERIMENTS, "authorization", &bearer(&secret)).status, 200);
    assert_eq!(get(&server, EXPERIMENTS, "cookie", &format!("optlab_session={secret}")).status, 200);
    let body = json!({ "token": &secret }).to_string();
    assert_eq!(server.send("POST", SESSION, &[], body.as_bytes()).status, 204);
    let log = server.kill_for_its_log();
    assert!(
        log.contains("TRACE") && log.contains("/api/v1/session"),
        "this log is not verbose enough:\n{log}"
    );
    assert!(!log.contains(&secret), "{log}");
    for file in std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
    {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", file.display());
    }
}

#[test]
fn no_password_of_the_database_is_in_the_log() {
    let folder = TempDir::new().unwrap();
    let url = Postgres::shared().database().replace("optlab@", "optlab:hunter2@");
    let args = ["--workers", "0", "--artifacts", "files", "--database-url", &url];
    let server = Server::start_logging("trace", "127.0.0.1:0", &folder, &args);
    server.submit(&small_experiment(1, &[0]));
    let log = server.kill_for_its_log();
    assert!(log.contains("TRACE") && log.contains("INSERT INTO"), "this log is not verbose enough:\n{log}");
    assert!(!log.contains("hunter2"), "{log}");
    for command in [["migrate", "--log=trace"], ["token", "list"]] {
        let url = "postgres://me:hunter2@nowhere.invalid/optlab";
        let output = optlab(&folder, &[&command[..], &["--database-url", url]].concat());
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("postgres://...@nowhere.invalid/optlab") && !said.contains("hunter2"),
            "{said}"
        );
    }
    // A password with an unescaped `@`, `/` or `?`, and a misspelt parameter.
    for password in
        ["hunt@er2", "hunt/er2", "hunt?er2", "12/er2", "12?er2=x", "x@nowhere.invalid/optlab?pasword=er2&x="]
    {
        let url = format!("postgres://me:{password}@nowhere.invalid/optlab");
        let output = optlab(&folder, &["migrate", "--log=trace", "--database-url", &url]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && !said.contains("er2") && !said.contains("hunt"),
            "{password}: {said}"
        );
    }
    let help =
        Command::new(OPTLAB).args(["serve", "--help"]).env("OPTLAB_DATABASE_URL", &url).output().unwrap();
    assert!(help.status.success() && !String::from_utf8_lossy(&help.stdout).contains("hunter2"));
}
