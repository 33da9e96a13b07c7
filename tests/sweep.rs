//! The sweeper removes files of jobs without a row, and no others.

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use support::processes::kill;
use support::waiting::wait_until;
use support::{Database, Server, long_experiment, small_experiment};
use tempfile::TempDir;

/// A server that sweeps every second, and its artifact root.
fn start(folder: &TempDir) -> (Server, PathBuf) {
    support::runner();
    let server = Server::start_with(folder, &["--workers", "1", "--sweep-seconds", "1"]);
    (server, folder.path().join("optlab.db.artifacts"))
}

fn plant(root: &std::path::Path, path: &str) -> PathBuf {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "planted").unwrap();
    file
}

/// Checks that every file of the job matches its row.
fn files_are_whole(server: &Server, job: &Value) {
    let path = format!("/api/v1/jobs/{}/artifacts", job["id"]);
    let artifacts = server.read(&path);
    assert!(artifacts["items"].as_array().unwrap().len() >= 4, "{artifacts:#}");
    for artifact in artifacts["items"].as_array().unwrap() {
        let url = format!("{}{path}/{}", server.address, artifact["name"].as_str().unwrap());
        let bytes = ureq::get(url).call().unwrap().body_mut().read_to_vec().unwrap();
        let digest = hex::encode(Sha256::digest(bytes));
        assert_eq!(artifact["sha256"], Value::from(digest), "{artifact:#}");
    }
}

#[test]
fn only_files_without_a_row_are_removed() {
    let folder = TempDir::new().unwrap();
    let (server, root) = start(&folder);
    let jobs = server.wait_for_success(server.submit(&small_experiment(1, &[0])));
    let job = &jobs[0]["id"];
    let strays = ["checkpoint-7.safetensors", "weights.safetensors#1", "log.txt#12"]
        .map(|file| plant(&root, &format!("jobs/{job}/1/{file}")));
    // Files of unknown attempts and jobs, and foreign files.
    let others = [
        format!("jobs/{job}/2/weights.safetensors"),
        "jobs/999/1/weights.safetensors".to_owned(),
        format!("jobs/{job}/1/mine/notes.txt"),
        "jobs/notes.txt".to_owned(),
        format!("elsewhere/{job}/1/notes.txt"),
    ]
    .map(|path| plant(&root, &path));
    let linked = root.join(format!("jobs/{}", jobs[1]["id"])).join("1/linked");
    symlink(root.join("elsewhere"), &linked).unwrap();
    wait_until("the files without a row are gone", || strays.iter().all(|file| !file.exists()));
    // Waits for another round, which would have removed the others.
    let again = plant(&root, &format!("jobs/{job}/1/again"));
    wait_until("the next round has ended", || !again.exists());
    for file in others.iter().chain([&linked]) {
        assert!(file.exists(), "{} is gone", file.display());
    }
    jobs.iter().for_each(|job| files_are_whole(&server, job));
}

#[test]
fn files_of_a_deleted_experiment_are_removed() {
    support::runner();
    for database in [Database::Sqlite, Database::Postgres] {
        let folder = TempDir::new().unwrap();
        let (url, root) = (database.create(&folder), folder.path().join("files"));
        let start = |sweep_seconds| {
            let place = ["--database-url", &url, "--artifacts", root.to_str().unwrap()];
            Server::start_with(
                &folder,
                &[&place[..], &["--workers", "1", "--sweep-seconds", sweep_seconds]].concat(),
            )
        };
        let server = start("3600");
        let [gone, kept] = [0, 1].map(|seed| server.submit(&small_experiment(1, &[seed])));
        let [gone_jobs, kept_jobs] = [gone, kept].map(|id| server.wait_for_success(id));
        let file = root.join(format!("jobs/{}/1/weights.safetensors", gone_jobs[0]["id"]));
        assert!(file.exists());
        let path = format!("/api/v1/experiments/{gone}?name=small");
        assert_eq!(server.send("DELETE", &path, &[], b"").status, 204);
        // The server dies before it sweeps.
        server.kill();
        let server = start("1");
        // A lost worker stores a file after the deletion.
        let late = plant(&root, &format!("jobs/{}/7/late", gone_jobs[1]["id"]));
        wait_until("the files are gone", || {
            let files = gone_jobs.iter().map(|job| root.join(format!("jobs/{}/1", job["id"])));
            !late.exists()
                && files.into_iter().all(|folder| fs::read_dir(folder).map_or(0, Iterator::count) == 0)
        });
        kept_jobs.iter().for_each(|job| files_are_whole(&server, job));
    }
}

#[test]
fn a_kill_during_a_deletion_leaves_all_or_nothing() {
    let folder = TempDir::new().unwrap();
    let (server, root) = start(&folder);
    let spec = small_experiment(1, &[0, 1, 2, 3]);
    let jobs = server.wait_for_success(server.submit(&spec));
    let (file, count) = (root.join(format!("jobs/{}/1/weights.safetensors", jobs[0]["id"])), jobs.len());
    let mut server = server;
    // Later kills come when the deletion is done.
    for wait_ms in [0, 1, 2, 4, 8, 16, 32, 64, 128, 1024] {
        let address = server.address.clone();
        let deleting = std::thread::spawn(move || {
            support::agent().delete(format!("{address}/api/v1/experiments/1?name=small")).call().is_ok()
        });
        std::thread::sleep(Duration::from_millis(wait_ms));
        server.kill();
        let acknowledged = deleting.join().unwrap();
        server = start(&folder).0;
        if server.get("/api/v1/experiments/1").status == 404 {
            assert_eq!(server.read("/api/v1/jobs")["items"].as_array().unwrap().len(), 0);
            wait_until("the files are gone too", || !file.exists());
            return;
        }
        assert!(!acknowledged, "an acknowledged deletion lasts");
        assert_eq!(server.jobs(1).len(), count);
        jobs.iter().for_each(|job| files_are_whole(&server, job));
    }
    panic!("no deletion was completed within a second");
}

#[test]
fn files_of_a_running_attempt_are_kept() {
    let folder = TempDir::new().unwrap();
    let (server, root) = start(&folder);
    let ended = server.wait_for_success(server.submit(&small_experiment(1, &[0])));
    let long = server.submit(&long_experiment(1_000_000));
    let running = server.wait(long, "the job runs", |jobs| jobs[0]["step"].as_i64().unwrap() > 0);
    let stored = plant(&root, &format!("jobs/{}/1/checkpoint-1.safetensors", running[0]["id"]));
    for round in 0..2 {
        let stray = plant(&root, &format!("jobs/{}/1/stray", ended[0]["id"]));
        wait_until("a round has ended", || !stray.exists());
        assert!(stored.exists(), "round {round} has removed a file that may still get a row");
    }
    server.runners().into_iter().for_each(kill);
    server.wait(long, "the attempt has ended", |jobs| jobs[0]["attempt"].as_i64().unwrap() > 1);
    wait_until("its file is removed", || !stored.exists());
}
