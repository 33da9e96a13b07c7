//! `optlab doctor`: the requirements of training on this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use optlab_spec::protocol::VERSION;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::processes::Worker;
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

/// A runner of a machine whose GPUs cannot be used.
fn runner_without_its_gpus(folder: &TempDir, why: &str, cure: &str) -> String {
    let probe = json!({
        "protocol": VERSION, "libtorch": "2", "devices": [{ "device": "cpu", "name": "x" }], "threads": 1,
        "unusable_gpus": { "why": why, "cure": cure },
    });
    let program = folder.path().join("optlab-runner");
    let runner = runner();
    let script = format!(
        "#!/bin/sh\ncase $1 in --probe) echo '{probe}';; *) exec {} \"$@\";; esac\n",
        runner.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.into_os_string().into_string().unwrap()
}

#[test]
fn a_machine_whose_gpus_cannot_be_used_trains_on_its_cpu_only_if_told() {
    let folder = TempDir::new().unwrap();
    let (why, cure) = ("the driver of an H200 is too old", "install driver 580");
    let runner = runner_without_its_gpus(&folder, why, cure);

    let doctor = optlab(&folder, &["doctor", "--runner", &runner]);
    assert_eq!(doctor.status.code(), Some(1));
    let printed = out(&doctor);
    assert!(printed.contains(&format!("[broken]  {why}\n          {cure}\n")), "{printed}");
    assert!(printed.contains("--device cpu"), "{printed}");
    for arguments in [&["demo", "--once"][..], &["train", "digits-mlp", "--arm", "baseline"]] {
        let refused = optlab(&folder, &[arguments, &["--runner", &runner]].concat());
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(why) && said.contains("--device cpu"), "{said}");
    }

    let server = Server::start_with(&folder, &["--workers", "1", "--runner", &runner]);
    let id = server.submit(&small_experiment(1, &[0]));
    let is_told = |text: &Value| text.as_str().is_some_and(|text| text.contains(why) && text.contains(cure));
    server.wait(id, "the job reports why it waits", |jobs| is_told(&jobs[0]["why_queued"]));
    assert!(is_told(&server.read("/api/v1/workers")["items"][0]["trouble"]));
    let url = format!("sqlite://{}", folder.path().join("optlab.db").display());
    // Its worker is started with `--device cpu`.
    let _told = Worker::start_with(&url, &["--runner", &runner]);
    server.wait_for_success(id);
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
