//! `optlab doctor`: the requirements of training on this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::support::{OPTLAB, Server, runner, small_experiment};
use super::{optlab, out};

#[test]
fn the_service_runs_without_libtorch_and_the_doctor_prints_the_fix() {
    let linked = Command::new("ldd").arg(OPTLAB).output().unwrap();
    assert!(!out(&linked).contains("torch"), "{}", out(&linked));

    // A runner that fails like the loader does without libtorch.
    let folder = TempDir::new().unwrap();
    let broken = folder.path().join("optlab-runner");
    fs::write(&broken, "#!/bin/sh\necho 'libtorch_cpu.so: cannot open shared object file' >&2\nexit 127\n")
        .unwrap();
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
    let runner = broken.to_str().unwrap();
    let doctor = optlab(&folder, &["doctor", "--runner", runner]);
    assert_eq!(doctor.status.code(), Some(1));
    for part in ["libtorch_cpu.so: cannot open", "run: make setup"] {
        assert!(out(&doctor).contains(part), "{part} is missing:\n{}", out(&doctor));
    }
    let server = Server::start_with(&folder, &["--runner", runner]);
    assert_eq!(server.get("/readyz").status, 200);
    let id = server.submit(&small_experiment(1, &[0]));
    server.wait(id, "the job reports what its machine lacks", |jobs| {
        let why = jobs[0]["why_queued"].as_str().expect("no job can start");
        why.contains("libtorch_cpu.so: cannot open")
    });
}

#[test]
fn the_doctor_passes_on_a_complete_machine() {
    let folder = TempDir::new().unwrap();
    let path = runner();
    let doctor = optlab(&folder, &["doctor", "--runner", path.to_str().unwrap()]);
    assert!(doctor.status.success(), "{}", out(&doctor));
    assert!(out(&doctor).contains("[ok]      libtorch 2.11.0"), "{}", out(&doctor));
    let doctor = optlab(&folder, &["doctor", "--json", "--runner", path.to_str().unwrap()]);
    let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    assert_eq!((&doctor["can_train"], &doctor["findings"][0]["verdict"]), (&true.into(), &"ok".into()));
}

#[test]
fn the_doctor_checks_that_folders_are_writable() {
    let folder = TempDir::new().unwrap();
    let path = runner();
    let examine = |scratch: &str, database: &str| {
        let mut doctor = Command::new(OPTLAB);
        doctor.args(["doctor", "--runner", path.to_str().unwrap()]).env("OPTLAB_DATABASE_URL", database);
        doctor.env("TMPDIR", scratch).current_dir(folder.path()).output().unwrap()
    };
    let ill = examine("/nonexistent", "sqlite:/nowhere/optlab.db");
    assert_eq!(ill.status.code(), Some(1), "no job can be trained");
    for part in
        ["scratch folder (TMPDIR): /nonexistent cannot be written", "folder of the database: /nowhere cannot"]
    {
        assert!(out(&ill).contains(part), "{part} is missing:\n{}", out(&ill));
    }
    let ill = examine("/tmp", "sqlite::memory:");
    assert!(out(&ill).contains("[broken]  database: `sqlite::memory:` names no file"), "{}", out(&ill));
    let here = folder.path().display();
    let well = examine(folder.path().to_str().unwrap(), "sqlite:optlab.db");
    assert!(well.status.success(), "{}", out(&well));
    for part in [
        format!("scratch folder (TMPDIR): {here}, "),
        format!("folder of the database: {here}, "),
        format!("artifact root: {here}/optlab.db.artifacts, "),
        "folder for downloaded data: ".to_owned(),
    ] {
        assert!(out(&well).contains(&part), "{part} is missing:\n{}", out(&well));
    }
}
