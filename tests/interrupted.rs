//! Signals shut `optlab train` down gracefully, and the run can be resumed.

#![expect(clippy::disallowed_methods, reason = "waits for other processes")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::processes::{optlab, signal};
use support::{OPTLAB, Server, long_experiment, runner};
use tempfile::TempDir;

/// Time limit for waits that take seconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(300);

const STEPS: u64 = 4000;

fn train(folder: &TempDir, args: &[&str]) -> Command {
    runner();
    fs::write(folder.path().join("long.json"), long_experiment(STEPS).to_string()).unwrap();
    let mut command = optlab();
    command.arg("train").args(args).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until the run in `folder` has a point beyond `step`.
fn wait_beyond(folder: &Path, step: u64) {
    let started = Instant::now();
    loop {
        let points = fs::read_to_string(folder.join("metrics.csv")).unwrap_or_default();
        let whole = points.rsplit_once('\n').map_or("", |(whole, _)| whole);
        if whole.lines().filter_map(|line| line.split(',').nth(1)?.parse::<u64>().ok()).any(|at| at > step) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for a step beyond {step}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// All points, without times and timing series.
fn curves(folder: &Path) -> Vec<String> {
    let points = fs::read_to_string(folder.join("metrics.csv")).unwrap();
    let timeless = |line: &str| line.rsplit_once(',').unwrap().0.to_owned();
    points.lines().filter(|line| !line.starts_with("samples_per_second")).map(timeless).collect()
}

#[test]
fn a_stopped_run_resumes_with_the_same_bits() {
    let folder = TempDir::new().unwrap();
    let whole = train(&folder, &["long.json", "--out", "whole"]).output().unwrap();
    assert!(whole.status.success(), "{}", err(&whole));
    let place = "long-opt-cayley-seed0";
    let undisturbed = folder.path().join("whole").join(place);

    let run = folder.path().join("runs").join(place);
    let mut beyond = 0;
    let mut started = train(&folder, &["long.json"]);
    for name in ["TERM", "INT", "HUP"] {
        let child = started.spawn().unwrap();
        wait_beyond(&run, beyond);
        assert!(signal(child.id(), name));
        let stopped = child.wait_with_output().unwrap();
        assert_eq!(stopped.status.code(), Some(1), "{name}: {}", err(&stopped));
        let said = err(&stopped);
        let command = format!("`optlab train --resume runs/{place}` resumes at step ");
        assert!(said.contains("stopped at step ") && said.contains(&command), "{name}: {said}");
        let step = said.split(&command).nth(1).unwrap();
        beyond = step.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        assert!(beyond > 0 && beyond < STEPS, "{name}: {said}");
        started = train(&folder, &["--resume", &format!("runs/{place}")]);
    }
    // A killed run also resumes from a checkpoint, and repeats the later points.
    let mut child = started.spawn().unwrap();
    wait_beyond(&run, beyond);
    child.kill().unwrap();
    child.wait().unwrap();
    let ended = started.output().unwrap();
    assert!(ended.status.success(), "{}", err(&ended));
    assert_eq!(curves(&run), curves(&undisturbed));
    let weights = |folder: &Path| fs::read(folder.join("weights.safetensors")).unwrap();
    assert!(weights(&run) == weights(&undisturbed), "the weights differ");

    let complete = started.output().unwrap();
    assert_eq!(complete.status.code(), Some(1));
    assert!(err(&complete).contains("is complete; there is nothing to resume"), "{}", err(&complete));

    // An import has every attempt, of which the last one completed the run.
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let import = ["import", &format!("runs/{place}"), "--server", &server.address];
    let imported = optlab().args(import).current_dir(folder.path()).output().unwrap();
    assert!(imported.status.success(), "{}", err(&imported));
    let attempts = server.read("/api/v1/jobs/1/attempts")["items"].as_array().unwrap().clone();
    let ends: Vec<&str> = attempts.iter().map(|attempt| attempt["end_reason"].as_str().unwrap()).collect();
    assert_eq!(ends, ["handed_back", "handed_back", "handed_back", "handed_back", "completed"]);
    assert!(attempts[4]["start_step"].as_u64().unwrap() >= beyond, "{attempts:?}");
}

#[test]
fn a_run_that_cannot_be_resumed_reports_why() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    for (args, status, says) in [
        (&["--resume", "absent"][..], 1, "absent: No such file"),
        (&["--resume", "empty"], 1, "empty is not the folder of a run"),
        (&["--resume", "empty", "--seed", "1"], 2, "cannot be used with"),
        (&["--resume", "empty", "digits-mlp"], 2, "cannot be used with"),
        (&[], 2, "RECIPE|FILE"),
        (&["--set", "seeds=[1]"], 2, "RECIPE|FILE"),
    ] {
        let output = train(&folder, args).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{args:?}: {}", err(&output));
    }
    assert!(folder.path().join("empty").is_dir(), "a foreign folder is kept");

    // An altered file is rejected.
    let child = train(&folder, &["long.json"]).spawn().unwrap();
    let run = folder.path().join("runs/long-opt-cayley-seed0");
    wait_beyond(&run, 0);
    let other = train(&folder, &["--resume", "runs/long-opt-cayley-seed0"]).output().unwrap();
    assert!(err(&other).contains("another optlab process is using"), "{}", err(&other));
    assert!(signal(child.id(), "TERM"));
    child.wait_with_output().unwrap();
    let resume: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("resume.json")).unwrap()).unwrap();
    for name in ["spec.json", "metrics.csv", resume["checkpoints"][0]["checkpoint"]["file"].as_str().unwrap()]
    {
        let original = fs::read(run.join(name)).unwrap();
        let mut altered = original.clone();
        altered[40] ^= 1;
        for content in [&altered[..], &original[..20]] {
            fs::write(run.join(name), content).unwrap();
            let resumed = train(&folder, &["--resume", "runs/long-opt-cayley-seed0"]).output().unwrap();
            assert!(err(&resumed).contains(&format!("{name} was altered")), "{}", err(&resumed));
        }
        fs::write(run.join(name), original).unwrap();
    }
}

/// Starts a run with frequent checkpoints and stops it after the second; returns its folder and its checkpoints, the
/// newest first.
fn stopped_after_two_checkpoints(folder: &TempDir) -> (PathBuf, Vec<String>) {
    let args = ["long.json", "--set", "checkpoint.every_steps=300"];
    let child = train(folder, &args).spawn().unwrap();
    let run = folder.path().join("runs/long-opt-cayley-seed0");
    wait_beyond(&run, 700);
    assert!(signal(child.id(), "TERM"));
    child.wait_with_output().unwrap();
    let mut steps: Vec<u64> = fs::read_dir(&run)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_prefix("checkpoint-")?.strip_suffix(".safetensors")?.parse().ok()
        })
        .collect();
    steps.sort_by(|a, b| b.cmp(a));
    (run, steps.iter().map(|step| format!("checkpoint-{step}.safetensors")).collect())
}

#[test]
fn a_damaged_checkpoint_is_skipped() {
    let folder = TempDir::new().unwrap();
    let whole = train(&folder, &["long.json", "--out", "whole"]).output().unwrap();
    assert!(whole.status.success(), "{}", err(&whole));
    let (run, checkpoints) = stopped_after_two_checkpoints(&folder);
    assert_eq!(checkpoints.len(), 2);
    let newest = run.join(&checkpoints[0]);
    let mut altered = fs::read(&newest).unwrap();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(&newest, altered).unwrap();
    let resumed = train(&folder, &["--resume", "runs/long-opt-cayley-seed0"]).output().unwrap();
    let said = err(&resumed);
    assert!(resumed.status.success(), "{said}");
    assert!(said.contains(&format!("{} was altered", checkpoints[0])), "{said}");
    let step = checkpoints[1].trim_start_matches("checkpoint-").trim_end_matches(".safetensors");
    assert!(said.contains(&format!("Resuming from the checkpoint before, at step {step}")), "{said}");
    assert_eq!(curves(&run), curves(&folder.path().join("whole/long-opt-cayley-seed0")));
}

/// The output of a command, which is killed if it does not end.
fn output_in_time(mut command: Command) -> Output {
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            panic!("{command:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn a_fifo_in_a_run_s_folder_is_rejected() {
    let folder = TempDir::new().unwrap();
    let (run, checkpoints) = stopped_after_two_checkpoints(&folder);
    let place = "runs/long-opt-cayley-seed0";
    let mut names = vec!["spec.json", "metrics.csv", "resume.json"];
    // The older checkpoint comes first, so that the newest has none to fall back to.
    names.extend(checkpoints.iter().rev().map(String::as_str));
    for name in names {
        let (file, kept) = (run.join(name), run.join("kept"));
        fs::rename(&file, &kept).unwrap();
        assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
        if name == checkpoints[1] {
            continue;
        }
        let output = output_in_time(train(&folder, &["--resume", place]));
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains(&format!("{name}: not a regular file")), "{}", err(&output));
        fs::rename(&kept, &file).unwrap();
    }
    assert!(Command::new("mkfifo").arg(folder.path().join("fifo")).status().unwrap().success());
    let output = output_in_time(train(&folder, &["--resume", "fifo"]));
    assert!(err(&output).contains("fifo is not a folder"), "{}", err(&output));
}

#[test]
fn a_second_signal_ends_the_run_at_once() {
    let folder = TempDir::new().unwrap();
    let mut child = train(&folder, &["long.json"]).spawn().unwrap();
    wait_beyond(&folder.path().join("runs/long-opt-cayley-seed0"), 0);
    let runner = support::processes::children(child.id());
    assert_eq!(runner.len(), 1);
    // A frozen runner cannot write the checkpoint that the first signal requests.
    assert!(signal(runner[0], "STOP"));
    assert!(signal(child.id(), "INT"));
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.map(Result::unwrap).find(|line| line.contains("stopping after this step"));
    assert!(said.is_some(), "the first signal is answered");
    assert!(signal(child.id(), "HUP"));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    signal(runner[0], "KILL");
}

fn ends(child: &mut Child) -> Option<i32> {
    child.wait().unwrap().code()
}

#[test]
fn a_server_hands_its_jobs_back_on_sighup() {
    let folder = TempDir::new().unwrap();
    let mut server = Server::start(&folder);
    let id = server.submit(&long_experiment(1_000_000));
    server.wait(id, "the job has begun", |jobs| jobs[0]["step"].as_i64().unwrap() > 0);
    assert!(signal(server.child.id(), "HUP"));
    assert_eq!(ends(&mut server.child), Some(0));
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let job = &server.jobs(id)[0];
    assert_eq!((job["state"].as_str(), job["requested"].as_str()), (Some("queued"), None), "{job}");
    let step = job["step"].as_i64().unwrap();
    assert!(step > 0, "it resumes from its checkpoint: {job}");
}

#[test]
fn a_server_under_nohup_ignores_sighup() {
    let folder = TempDir::new().unwrap();
    let mut child = Command::new("nohup")
        .args([OPTLAB, "--log", "info", "serve", "--listen", "127.0.0.1:0", "--workers", "0"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let serving = log.find_map(|line| Some(line.split_once("serving ")?.1.split(' ').next()?.to_owned()));
    let serving = serving.expect("it serves");
    assert!(signal(child.id(), "HUP"));
    assert_eq!(support::agent().get(format!("{serving}/readyz")).call().unwrap().status(), 200);
    assert!(signal(child.id(), "TERM"));
    assert_eq!(ends(&mut child), Some(0));
}
