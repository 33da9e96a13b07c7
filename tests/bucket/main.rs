//! Artifacts in a bucket of an S3-compatible service.

#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use sha2::{Digest, Sha256};
use support::processes::{Worker, kill, signal};
use support::waiting::wait_until;
use support::{Server, long_experiment};
use tempfile::TempDir;

const STEPS: u64 = 3000;

/// A service with an empty bucket named `bucket`, which is killed when dropped.
struct Service {
    child: Child,
    address: String,
}

impl Service {
    fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bucket/.venv/bin/moto_server");
        let child = Command::new(&program).args(["--port", "0"]).stderr(Stdio::piped()).spawn();
        let mut child =
            child.unwrap_or_else(|error| panic!("{}: {error}; run `make setup-test`", program.display()));
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = log.next().expect("the service prints its address").unwrap();
            if let Some((_, address)) = line.split_once("Running on ") {
                break address.trim().to_owned();
            }
        };
        // A full pipe would block it.
        std::thread::spawn(move || log.for_each(drop));
        let service = Self { child, address };
        assert_eq!(
            support::agent().put(format!("{}/bucket", service.address)).send_empty().unwrap().status(),
            200
        );
        service
    }

    /// Names and sizes of all objects in the bucket, as the service lists them.
    fn list(&self) -> String {
        let url = format!("{}/bucket?list-type=2", self.address);
        support::agent().get(url).call().unwrap().body_mut().read_to_string().unwrap()
    }

    fn environment(&self) -> [(&str, &str); 6] {
        [
            // A service on this machine is reached without a proxy.
            ("HTTP_PROXY", "http://127.0.0.1:9"),
            ("AWS_ACCESS_KEY_ID", "somebody"),
            ("AWS_SECRET_ACCESS_KEY", "something"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT", &self.address),
            ("AWS_ALLOW_HTTP", "true"),
        ]
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_job_resumes_from_a_bucket_and_stores_its_files_there() {
    let (service, folder) = (Service::start(), TempDir::new().unwrap());
    let place = ["--workers", "1", "--artifacts", "s3://bucket/of/ours", "--sweep-seconds", "1"];
    let server = Server::start_in(&service.environment(), &folder, &place);
    let mut spec = long_experiment(STEPS);
    spec["checkpoint"] = serde_json::json!({ "every_steps": 100 });
    let id = server.submit(&spec);
    server.wait(id, "the job is in the middle", |jobs| jobs[0]["step"].as_i64() > Some(500));
    server.runners().into_iter().for_each(kill);
    let jobs = server.wait_for_success(id);
    let path = format!("/api/v1/jobs/{}", jobs[0]["id"]);
    let attempts = server.read(&format!("{path}/attempts"));
    assert!(attempts["items"][1]["start_step"].as_u64() >= Some(100), "it resumed: {attempts:#}");
    let steps = server.curve(&jobs[0], "train/loss").into_iter().map(|(step, _)| step);
    assert_eq!(steps.collect::<Vec<_>>(), (10..=STEPS as i64).step_by(10).collect::<Vec<_>>());

    let artifacts = server.read(&format!("{path}/artifacts"));
    let kinds =
        |kind: &str| artifacts["items"].as_array().unwrap().iter().filter(|one| one["kind"] == kind).count();
    assert_eq!((kinds("weights"), kinds("spec"), kinds("log")), (1, 2, 2), "{artifacts:#}");
    let listed = service.list();
    // No attempt resumes from a checkpoint of a succeeded job, so it may be removed at any time.
    let kept = artifacts["items"].as_array().unwrap().iter();
    let kept: Vec<&Value> = kept.filter(|artifact| artifact["kind"] != "checkpoint").collect();
    for artifact in &kept {
        let bytes = download(&server, &format!("{path}/artifacts/{}", text(&artifact["name"])));
        assert_eq!(hexadecimal(&Sha256::digest(&bytes)), text(&artifact["sha256"]), "{artifact}");
        assert!(listed.contains(&format!("<Size>{}</Size>", artifact["bytes"])), "{artifact}: {listed}");
    }
    let weights = format!("{path}/artifacts/weights.safetensors");
    let part = server.send("GET", &weights, &[("range", "bytes=8-23")], b"");
    assert_eq!((part.status, part.text.as_bytes()), (206, &download(&server, &weights)[8..24]));
    assert!(listed.contains("<Key>of/ours/jobs/1/2/weights.safetensors</Key>"), "{listed}");

    // Only files without a row are removed.
    let put = |path: &str| {
        let url = format!("{}/bucket/of/ours/{path}", service.address);
        assert_eq!(ureq::put(url).send("planted").unwrap().status(), 200);
    };
    put("jobs/1/2/stray");
    put("jobs/1/9/of-no-attempt");
    wait_until("the file without a row is gone", || !service.list().contains("jobs/1/2/stray"));
    put("jobs/1/2/again");
    wait_until("the next round has ended", || !service.list().contains("jobs/1/2/again"));
    let left = service.list();
    assert!(left.contains("<Key>of/ours/jobs/1/9/of-no-attempt</Key>"), "{left}");
    for artifact in kept {
        download(&server, &format!("{path}/artifacts/{}", text(&artifact["name"])));
    }

    let here = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name());
    assert!(here.filter_map(|name| name.into_string().ok()).all(|name| name.starts_with("optlab.db")));
    assert!(!folder.path().join("optlab.db.artifacts").exists(), "no artifact is on the machine");
}

/// A machine that is about to go away has no time for a storage that does not answer.
#[test]
fn a_worker_stops_in_time_while_the_bucket_does_not_answer() {
    let (service, folder) = (Service::start(), TempDir::new().unwrap());
    let place = ["--workers", "0", "--artifacts", "s3://bucket", "--sweep-seconds", "3600"];
    let server = Server::start_in(&service.environment(), &folder, &place);
    let url = format!("sqlite:{}", folder.path().join("optlab.db").display());
    let mut worker = Worker::start_in(&service.environment(), &url, &["--slots-per-device", "1"]);
    let id = server.submit(&long_experiment(1_000_000));
    server.wait(id, "the job runs", |jobs| jobs[0]["step"].as_i64() > Some(0));
    assert!(signal(service.child.id(), "STOP"));
    assert!(signal(worker.child.id(), "TERM"));
    wait_until("the worker ends", || worker.child.try_wait().unwrap().is_some());
    assert!(worker.said().contains("the storage is too slow"), "{}", worker.said());
    let attempts = server.read(&format!("/api/v1/jobs/{}/attempts", server.jobs(id)[0]["id"]));
    assert_eq!(attempts["items"][0]["end_reason"], "handed_back", "{attempts:#}");
}

fn download(server: &Server, path: &str) -> Vec<u8> {
    support::agent()
        .get(format!("{}{path}", server.address))
        .call()
        .unwrap()
        .body_mut()
        .read_to_vec()
        .unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
