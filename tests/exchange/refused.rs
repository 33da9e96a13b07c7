//! Rejected imports, with the reason.

use std::fs;
use std::process::Command;

use optlab::store::{Import, ResultsRecord};
use optlab_domain::{EndReason, JobId};
use serde_json::json;
use tempfile::TempDir;

use super::support::{OPTLAB, Server, token};
use super::{client, import, rewritten, trained};

/// The file with words of the same length replaced in its metadata.
fn reworded(file: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut file = file.to_vec();
    let mut begin = 0;
    while let Some(at) = file[begin..].windows(from.len()).position(|window| window == from.as_bytes()) {
        file[begin + at..][..to.len()].copy_from_slice(to.as_bytes());
        begin += at + 1;
    }
    assert!(begin > 0);
    file
}

#[test]
fn invalid_imports_are_rejected_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let (server, _, file) = trained(&folder);
    let whole = fs::read(&file).unwrap();
    let at = whole.windows(13).position(|window| window == b"optlab.format").unwrap();
    let mut newer = whole.clone();
    let version = at + newer[at..].iter().position(|&byte| byte == b'4').unwrap();
    newer[version] = b'5';
    let mut older = whole.clone();
    older[version] = b'3';
    let changed = |change: fn(&mut Import)| rewritten(&file, change);
    for (bytes, reason) in [
        (b"hello".to_vec(), "cannot be read as Parquet"),
        (Vec::new(), "cannot be read as Parquet"),
        (whole[..whole.len() / 2].to_vec(), "cannot be read as Parquet"),
        (newer, "format 5"),
        (older, "export the experiment again"),
        (changed(|import| import.jobs.truncate(5)), "is missing"),
        (changed(|import| import.jobs[5].record.id = JobId::from(99)), "belongs to no job"),
        (changed(|import| import.jobs[1].record.seed = 4), "is not in the spec"),
        (changed(|import| import.jobs[1].record.id = import.jobs[0].record.id), "is a duplicate"),
        (
            changed(|import| import.jobs[0].spec["train"]["batch_size"] = json!(7)),
            "differs from the experiment's",
        ),
        (changed(|import| import.experiment.spec["train"]["batch_size"] = json!("x")), "the spec: "),
        (changed(|import| import.experiment.name = "../etc".to_owned()), "the experiment: "),
        (
            changed(|import| import.experiment.name = "1".to_owned()),
            "must not be only digits, because commands take a number for an id",
        ),
        (changed(|import| (import.jobs[0].record.step, import.jobs[0].record.steps) = (3, 3)), "has 3 steps"),
        (changed(|import| import.jobs[0].attempts.clear()), "does not have the expected"),
        (reworded(&whole, "diverged", "wandered"), "unknown variant `wandered`"),
        (
            changed(|import| import.jobs[5].record.end_reason = Some(EndReason::MachineFault)),
            "ends only attempts",
        ),
        (changed(|import| import.jobs[0].record.method = "opt:magic".to_owned()), "but its spec has"),
        (changed(|import| import.jobs[0].record.ended_ms = None), "without a time"),
        (changed(|import| import.jobs[0].results.test_accuracy = Some(101.0)), "a test_accuracy of 101"),
        (changed(|import| import.jobs[0].results = ResultsRecord::default()), "without results"),
        (changed(|import| import.jobs[0].record.end_reason = None), "without results"),
        (changed(|import| import.jobs[5].results.energy = Some(1.0)), "and has results"),
        (changed(|import| import.jobs[0].results.seconds = Some(-1.0)), "-1 seconds"),
        (changed(|import| import.jobs[0].attempts[0].seconds = Some(1e300)), "seconds, which is impossible"),
        (changed(|import| import.jobs[0].record.created_ms = -1), "not between the years"),
        (changed(|import| import.jobs[0].attempts[0].started_ms = -1), "not between the years"),
        (changed(|import| import.experiment.created_ms = i64::MIN), "not between the years"),
        (changed(|import| import.jobs[0].record.method = "x".repeat(100_000)), "has the method xxx"),
        (changed(|import| import.jobs.swap(0, 1)), "order"),
    ] {
        let answer = import(&server, &bytes);
        assert_eq!(answer.status, 422, "{reason}: {answer:?}");
        assert_eq!(answer.json()["type"], "urn:optlab:problem:invalid-import");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(reason), "{reason}: {detail}");
        assert!(detail.len() < 1000, "{reason}: the answer has {} bytes", detail.len());
    }
    assert_eq!(server.read("/api/v1/experiments")["items"].as_array().unwrap().len(), 1);
    fs::write(folder.path().join("mine.txt"), "hello").unwrap();
    let refused = client(&server, &folder, &["import", "mine.txt"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot be read as Parquet"), "{refused:?}");
}

#[test]
fn imports_are_limited_in_size_and_need_write_scope() {
    let folder = TempDir::new().unwrap();
    let reader = token(&folder, &["create", "reader", "--scope", "read"]);
    let writer = token(&folder, &["create", "writer", "--scope", "write"]);
    let server = Server::start_on("0.0.0.0:0", &folder, &["--workers", "0", "--import-limit-mb", "1"]);
    fs::write(folder.path().join("big"), vec![b'x'; 1_000_001]).unwrap();
    fs::write(folder.path().join("small"), vec![b'x'; 1_000_000]).unwrap();
    let import = |token: &str, file: &str| {
        let mut command = Command::new(OPTLAB);
        command.args(["import", file, "--server", &server.address]).env("OPTLAB_TOKEN", token);
        let output = command.current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(import(&writer, "big").contains("at most 1000000 bytes"), "{}", import(&writer, "big"));
    assert!(import(&writer, "small").contains("cannot be read as Parquet"), "{}", import(&writer, "small"));
    assert!(import(&reader, "small").contains("scope `read`"), "{}", import(&reader, "small"));
    assert!(import("", "small").contains("OPTLAB_TOKEN"), "{}", import("", "small"));
}

#[test]
fn an_import_reports_a_missing_temporary_folder() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_in(&[("TMPDIR", "/nonexistent")], &folder, &["--workers", "0"]);
    let answer = import(&server, b"hello");
    assert_eq!(
        (answer.status, answer.json()["type"].as_str()),
        (503, Some("urn:optlab:problem:temporary-storage-failing"))
    );
    assert!(answer.text.contains("TMPDIR"), "{answer:?}");
    let log = server.kill_for_its_log();
    let told = log.find("no temporary file can be written to /nonexistent");
    assert!(
        told < log.find("a request failed") && told.is_some(),
        "the log does not say so at the start:\n{log}"
    );
}
