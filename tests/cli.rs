//! The commands, as a person types them.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use serde_json::Value;
use support::{OPTLAB, Server, runner, small_experiment};
use tempfile::TempDir;

fn optlab(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(OPTLAB).args(args).current_dir(folder.path()).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn query(folder: &TempDir, sql: &str) -> String {
    let answer = Command::new("sqlite3").args(["optlab.db", sql]).current_dir(folder.path()).output();
    let answer = answer.expect("the sqlite3 program is installed");
    assert!(answer.status.success(), "{}", err(&answer));
    out(&answer).trim().to_owned()
}

#[test]
fn the_demo_trains_compares_and_keeps_its_results() {
    runner();
    let folder = TempDir::new().unwrap();
    let output = optlab(&folder, &["demo", "--once", "--listen", "127.0.0.1:0"]);
    assert!(output.status.success(), "{}", err(&output));
    let said = out(&output);
    for part in ["baseline", "opt-cayley", "opt-gram-schmidt", "test error %", "Dashboard: http://127.0.0.1:"]
    {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    // A linear model of these digits reaches 97.2% at best; the OPT arms must not be worse.
    let sql = "SELECT min(100 - mean_test_error) FROM arm_summary WHERE method LIKE 'opt:%' AND n = 5";
    let accuracy: f64 = query(&folder, sql).parse().unwrap();
    assert!(accuracy > 97.2, "{accuracy}");
    let sql = "SELECT count(*) FROM metric_points p JOIN series s ON s.id = p.series_id
               WHERE s.name LIKE 'orthogonality_error/%' AND p.value >= 1e-4";
    assert_eq!(query(&folder, sql), "0");
    // How far the energy of any layer of any job moves from its start, at the most and at the least.
    let drift = "SELECT max(abs(p.value - first.value) / first.value) AS drift, j.method
                 FROM metric_points p
                 JOIN series s ON s.id = p.series_id AND s.name LIKE 'energy/hidden%'
                 JOIN metric_points first ON first.job_id = p.job_id AND first.series_id = s.id AND first.step = 0
                 JOIN jobs j ON j.id = p.job_id
                 GROUP BY j.id, s.id";
    let extreme = |sql: String| query(&folder, &sql).parse::<f64>().unwrap();
    assert!(extreme(format!("SELECT max(drift) FROM ({drift}) WHERE method LIKE 'opt:%'")) < 1e-4);
    assert!(extreme(format!("SELECT min(drift) FROM ({drift}) WHERE method = 'baseline'")) > 1e-4);
}

#[test]
fn one_run_can_be_trained_without_a_server() {
    runner();
    let folder = TempDir::new().unwrap();
    let args = ["train", "digits-mlp", "--arm", "opt-cayley", "--seed", "7", "--set", "train.epochs=2"];
    let output = optlab(&folder, &args);
    assert!(output.status.success(), "{}", err(&output));
    assert!(out(&output).contains("test accuracy %"), "{}", out(&output));
    let run = folder.path().join("runs/digits-mlp-opt-cayley-seed7");
    let spec: Value = serde_json::from_slice(&fs::read(run.join("spec.json")).unwrap()).unwrap();
    assert_eq!((&spec["seed"], &spec["train"]["epochs"]), (&Value::from(7), &Value::from(2)));
    let weights = out(&output).lines().find_map(|line| line.strip_prefix("Weights: ").map(str::to_owned));
    assert!(fs::metadata(folder.path().join(weights.unwrap())).unwrap().len() > 1000);
    let points = fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert!(points.lines().any(|line| line.starts_with("test/accuracy,90,")), "{points}");
    // A second run of the same name leaves the first as it is.
    assert!(optlab(&folder, &args).status.success());
    let again =
        fs::read_to_string(folder.path().join("runs/digits-mlp-opt-cayley-seed7-2/metrics.csv")).unwrap();
    let figures = |points: &str| {
        let timeless = |line: &str| line.rsplit_once(',').unwrap().0.to_owned();
        points
            .lines()
            .filter(|line| !line.starts_with("samples_per_second"))
            .map(timeless)
            .collect::<Vec<_>>()
    };
    assert_eq!(figures(&points), figures(&again), "another process gives the same curves");
}

#[test]
fn an_experiment_is_submitted_watched_and_compared() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    fs::write(folder.path().join("mine.json"), small_experiment(1, &[0])["overrides"].to_string()).unwrap();
    let client = |args: &[&str]| {
        Command::new(OPTLAB)
            .args(args)
            .current_dir(folder.path())
            .env("OPTLAB_SERVER", &server.address)
            .output()
            .unwrap()
    };
    let watched =
        client(&["submit", "digits-mlp", "--set", "train.epochs=1", "--set", "seeds=[0]", "--watch"]);
    assert!(watched.status.success(), "{}", err(&watched));
    assert!(out(&watched).contains("Experiment 1 `digits-mlp`, 3 jobs"), "{}", out(&watched));
    let json = client(&["compare", "1", "--format", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["arms"][1]["n"], 1);
    assert!(out(&client(&["compare", "1"])).contains("opt:cayley"));
    assert!(out(&client(&["compare", "1", "--format", "csv"])).starts_with("arm,method,n,mean"));

    let refused = client(&["submit", "mine.json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("/arms: is missing"), "{}", err(&refused));
    let unknown = client(&["compare", "99"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(err(&unknown).contains("there is no experiment 99"), "{}", err(&unknown));
}

#[test]
fn mistakes_end_with_status_2_and_say_what_would_be_right() {
    let folder = TempDir::new().unwrap();
    for (args, says) in [
        (&["train", "digits-mpl"][..], "did you mean `digits-mlp`?"),
        (&["train", "digits-mlp"], "choose an arm with --arm: baseline, opt-cayley, opt-gram-schmidt"),
        (&["train", "digits-mlp", "--arm", "opt"], "there is no arm `opt`"),
        (&["train", "digits-mlp", "--arm", "baseline", "--set", "train.epoch=3"], "did you mean `epochs`?"),
        (&["train", "digits-mlp", "--arm", "baseline", "--set", "epochs"], "must look like train.epochs=3"),
        (&["recipes", "show", "nothing"], "there is `digits-mlp`"),
        (&["data", "fetch", "cifar"], "there is no data set `cifar`"),
        (&["serve", "--lease-seconds", "0"], "--lease-seconds"),
    ] {
        let output = optlab(&folder, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{args:?}: {}", err(&output));
    }
    let output = optlab(&folder, &["compare", "1", "--server", "http://127.0.0.1:9"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("Is `optlab serve` running there?"), "{}", err(&output));
}

#[test]
fn recipes_and_data_are_listed() {
    let folder = TempDir::new().unwrap();
    let list = optlab(&folder, &["recipes", "--json"]);
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(list[0]["name"], "digits-mlp");
    let shown = optlab(&folder, &["recipes", "show", "mnist-mlp"]);
    assert!(out(&shown).contains("name = \"mnist-mlp\""));
    assert!(out(&optlab(&folder, &["data", "list"])).contains("digits"));
    let verified = optlab(&folder, &["data", "verify", "digits"]);
    assert!(out(&verified).contains("digits: whole and official"), "{verified:?}");
}

#[test]
fn an_altered_data_file_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("mnist")).unwrap();
    for name in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
        fs::write(folder.path().join(format!("mnist/{name}-ubyte.gz")), b"short").unwrap();
    }
    let output = Command::new(OPTLAB)
        .args(["data", "verify", "mnist"])
        .env("OPTLAB_DATA_DIR", folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("train-images-idx3-ubyte.gz is truncated or altered"), "{}", out(&output));
}

#[test]
fn the_service_does_without_libtorch_and_the_doctor_says_what_to_type() {
    let linked = Command::new("ldd").arg(OPTLAB).output().unwrap();
    assert!(!out(&linked).contains("torch"), "{}", out(&linked));

    // A runner that fails as the loader fails when libtorch is away.
    let folder = TempDir::new().unwrap();
    let broken = folder.path().join("optlab-runner");
    fs::write(&broken, "#!/bin/sh\necho 'libtorch_cpu.so: cannot open shared object file' >&2\nexit 127\n")
        .unwrap();
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
    let runner = broken.to_str().unwrap();
    let doctor = optlab(&folder, &["doctor", "--runner", runner]);
    assert_eq!(doctor.status.code(), Some(1));
    for part in ["libtorch_cpu.so: cannot open", "type: make setup"] {
        assert!(out(&doctor).contains(part), "{part} is missing:\n{}", out(&doctor));
    }
    let server = Server::start_with(&folder, &["--runner", runner]);
    assert_eq!(server.get("/readyz").status, 200);
    let id = server.submit(&small_experiment(1, &[0]));
    assert_eq!(server.jobs(id)[0]["state"], "queued");
}

#[test]
fn the_doctor_is_content_where_all_is_there() {
    let folder = TempDir::new().unwrap();
    let path = runner();
    let doctor = optlab(&folder, &["doctor", "--runner", path.to_str().unwrap()]);
    assert!(doctor.status.success(), "{}", out(&doctor));
    assert!(out(&doctor).contains("[ok]      libtorch 2.11.0"), "{}", out(&doctor));
}
