//! Missing and altered files of jobs, and an artifact root that is unavailable.

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use support::{Answer, Database, OPTLAB, Server, small_experiment};
use tempfile::TempDir;

/// A server with a job that has succeeded.
struct Done {
    folder: TempDir,
    server: Server,
    job: Value,
}

impl Done {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let server = Server::start(&folder);
        let mut spec = small_experiment(1, &[0]);
        spec["overrides"]["arms"] = json!([{ "name": "a", "method": { "kind": "baseline" } }]);
        let job = server.wait_for_success(server.submit(&spec)).remove(0);
        Self { folder, server, job }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("optlab.db.artifacts")
    }

    /// Name and path of the job's file of this kind.
    fn file(&self, kind: &str) -> (String, PathBuf) {
        let list = self.server.read(&format!("/api/v1/jobs/{}/artifacts", self.job["id"]));
        let item =
            list["items"].as_array().unwrap().iter().find(|item| item["kind"] == kind).unwrap().clone();
        let name = item["name"].as_str().unwrap().to_owned();
        let sql = format!("SELECT path FROM artifacts WHERE kind = '{kind}'");
        let path = self.server.post("/api/v1/query", &json!({ "sql": sql })).json()["rows"][0][0].clone();
        (name, self.root().join(path.as_str().unwrap()))
    }

    fn get(&self, name: &str, range: Option<&str>) -> Answer {
        let headers: Vec<(&str, &str)> = range.map(|range| ("range", range)).into_iter().collect();
        self.server.send("GET", &format!("/api/v1/jobs/{}/artifacts/{name}", self.job["id"]), &headers, b"")
    }

    fn logs(&self, parameters: &str) -> Answer {
        self.server.get(&format!("/api/v1/jobs/{}/logs{parameters}", self.job["id"]))
    }
}

#[track_caller]
fn is_gone(answer: &Answer, name: &str) {
    assert_eq!(answer.status, 410, "{answer:?}");
    assert_eq!(answer.json()["type"], "urn:optlab:problem:file-gone");
    assert!(answer.json()["detail"].as_str().unwrap().contains(name), "{name}: {answer:?}");
}

#[test]
fn a_missing_file_is_named_and_the_others_are_served() {
    let done = Done::new();
    let (weights, weights_file) = done.file("weights");
    let (log, log_file) = done.file("log");
    fs::remove_file(weights_file).unwrap();
    for range in [None, Some("bytes=0-9"), Some("bytes=-1")] {
        is_gone(&done.get(&weights, range), &weights);
    }
    assert_eq!((done.get(&log, None).status, done.logs("").status), (200, 200));
    assert_eq!(done.get(&log, Some("bytes=0-9")).status, 206);

    // A truncated file is not what was stored either.
    let text = fs::read(&log_file).unwrap();
    fs::write(&log_file, &text[..text.len() / 2]).unwrap();
    let end = format!("bytes={}-", text.len() - 1);
    for answer in [done.get(&log, None), done.get(&log, Some(&end)), done.logs(""), done.logs("?offset=1")] {
        is_gone(&answer, &log);
    }
    fs::remove_file(&log_file).unwrap();
    is_gone(&done.logs(""), &log);
    let job = done.job["id"].to_string();
    let output =
        Command::new(OPTLAB).args(["logs", &job, "--server", &done.server.address]).output().unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains(&log), "{output:?}");
}

#[test]
fn an_unavailable_artifact_root_is_temporary() {
    let done = Done::new();
    let (name, _) = done.file("log");
    let elsewhere = done.folder.path().join("elsewhere");
    fs::rename(done.root(), &elsewhere).unwrap();
    for answer in [done.get(&name, None), done.get(&name, Some("bytes=0-9")), done.logs("")] {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.json()["type"], "urn:optlab:problem:files-away");
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    }
    fs::rename(&elsewhere, done.root()).unwrap();
    assert_eq!(done.get(&name, None).status, 200);
}

#[test]
fn a_named_pipe_instead_of_a_file_is_rejected_at_once() {
    let done = Done::new();
    for kind in ["log", "weights"] {
        let (name, path) = done.file(kind);
        fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        is_gone(&done.get(&name, None), &name);
        is_gone(&done.get(&name, Some("bytes=0-1")), &name);
    }
    assert_eq!(done.logs("").status, 410);
}

#[test]
fn a_symlink_to_the_database_finds_the_same_files() {
    let done = Done::new();
    let (name, _) = done.file("log");
    let Done { folder, server, job } = done;
    server.kill();
    let other = TempDir::new().unwrap();
    symlink(folder.path().join("optlab.db"), other.path().join("link.db")).unwrap();
    let server = Server::start_with(&other, &["--workers", "0", "--database-url", "sqlite:link.db"]);
    let answer = server.get(&format!("/api/v1/jobs/{}/artifacts/{name}", job["id"]));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!other.path().join("link.db.artifacts").exists());
}

#[test]
fn an_artifact_root_can_be_written_in_several_ways() {
    for database in [Database::Sqlite, Database::Postgres] {
        let folder = TempDir::new().unwrap();
        let url = database.create(&folder);
        let files = folder.path().join("files");
        let start = |place: &str| {
            Server::start_with(&folder, &["--workers", "0", "--database-url", &url, "--artifacts", place])
                .kill();
        };
        start(files.to_str().unwrap());
        symlink(folder.path(), folder.path().join("link")).unwrap();
        let names = ["files", "./files/", "link/files", "link/files/."];
        names.into_iter().for_each(start);
        start(&format!("file://{}", files.display()));
        let mut command = Command::new(OPTLAB);
        command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", &url, "--artifacts", "others"]);
        let refused = command.current_dir(folder.path()).output().unwrap();
        assert!(String::from_utf8_lossy(&refused.stderr).contains("not at"), "{refused:?}");
    }
}

#[test]
fn a_wrong_artifact_root_at_the_first_start_can_be_corrected() {
    for database in [Database::Sqlite, Database::Postgres] {
        let folder = TempDir::new().unwrap();
        let url = database.create(&folder);
        for (wrong, said) in
            [("/dev/null/files", "/dev/null/files"), ("/proc", "no file can be written to /proc")]
        {
            let mut command = Command::new(OPTLAB);
            command.args(["serve", "--workers", "0", "--listen", "127.0.0.1:0", "--database-url", &url]);
            let refused = command.args(["--artifacts", wrong]).current_dir(folder.path()).output().unwrap();
            assert!(String::from_utf8_lossy(&refused.stderr).contains(said), "{refused:?}");
        }
        Server::start_with(&folder, &["--workers", "0", "--database-url", &url, "--artifacts", "right"])
            .kill();
        Server::start_with(&folder, &["--workers", "0", "--database-url", &url]).kill();
        assert_eq!(fs::read_dir(folder.path().join("right")).unwrap().count(), 0, "nothing is left behind");
    }
}
