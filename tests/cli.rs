//! The command line.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::{OPTLAB, Server, runner, small_experiment, token};
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
    for part in ["baseline", "opt-cayley", "opt-gram-schmidt", "test error %"] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    assert!(!said.contains("Dashboard:"), "its server has ended:\n{said}");
    // A linear model of these digits reaches 97.2% at best; the OPT arms must not be worse.
    let sql = "SELECT min(100 - mean_test_error) FROM arm_summary WHERE method LIKE 'opt:%' AND n = 5";
    let accuracy: f64 = query(&folder, sql).parse().unwrap();
    assert!(accuracy > 97.2, "{accuracy}");
    let sql = "SELECT count(*) FROM metric_points p JOIN series s ON s.id = p.series_id
               WHERE s.name LIKE 'orthogonality_error/%' AND p.value >= 1e-4";
    assert_eq!(query(&folder, sql), "0");
    // The largest and smallest relative change of a layer's energy over all jobs.
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
    assert!(
        out(&output).contains("test loss 0.") && out(&output).contains("test accuracy 9"),
        "{}",
        out(&output)
    );
    let run = folder.path().join("runs/digits-mlp-opt-cayley-seed7");
    let spec: Value = serde_json::from_slice(&fs::read(run.join("spec.json")).unwrap()).unwrap();
    assert_eq!((&spec["seed"], &spec["train"]["epochs"]), (&Value::from(7), &Value::from(2)));
    let weights = out(&output).lines().find_map(|line| line.strip_prefix("Weights: ").map(str::to_owned));
    assert!(fs::metadata(folder.path().join(weights.unwrap())).unwrap().len() > 1000);
    let points = fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert!(points.lines().any(|line| line.starts_with("test/accuracy,90,")), "{points}");
    // A second run of the same name does not change the first.
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
    assert_eq!(figures(&points), figures(&again), "a second process gives the same curves");
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
    let json_text = client(&["compare", "1", "--format", "json"]);
    let json: Value = serde_json::from_slice(&json_text.stdout).unwrap();
    assert_eq!(json["arms"][1]["n"], 1);
    assert!(out(&client(&["compare", "1"])).contains("opt:cayley"));
    assert!(out(&client(&["compare", "1", "--format", "csv"])).starts_with("arm,method,n,mean"));

    assert_eq!(client(&["compare", "digits-mlp", "--json"]).stdout, json_text.stdout, "by name");

    let idle = client(&["retry", "digits-mlp"]);
    assert!(out(&idle).ends_with("3 succeeded; there was nothing to retry\n"), "{}", out(&idle));
    let more = client(&["add-seeds", "digits-mlp", "0", "1", "--json"]);
    let more: Value = serde_json::from_slice(&more.stdout).unwrap();
    assert_eq!(more["spec"]["seeds"], json!([0, 1]));
    let watched = client(&["watch", "digits-mlp"]);
    assert!(watched.status.success(), "{}", err(&watched));
    assert!(out(&watched).starts_with("6 succeeded\n"), "{}", out(&watched));
    assert!(out(&watched).contains("95% interval"), "{}", out(&watched));
    let arms_differ = "\nThe arms differ in method.init, method.kind, method.layers, method.learning_rate, \
                       method.neuron_mean, method.neurons, method.refine_steps, method.transform.\n";
    assert!(out(&watched).contains(arms_differ), "{}", out(&watched));

    let logs: Value = serde_json::from_slice(&client(&["logs", "1", "--json"]).stdout).unwrap();
    assert!(logs["text"].is_string(), "{logs}");
    assert_eq!(client(&["logs", "1", "--attempt", "9"]).status.code(), Some(1));

    let rate = "train.optimizer.learning_rate=1000";
    let one = ["submit", "digits-mlp", "--arm", "baseline", "--set", "seeds=[0]", "--set", rate];
    let failed = client(&[&one[..], &["--watch", "--json"]].concat());
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        err(&failed).contains("baseline with seed 0: train/loss is not finite at step"),
        "{}",
        err(&failed)
    );
    let ended: Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!((&ended["jobs"][0]["state"], &ended["jobs"][1]), (&Value::from("failed"), &Value::Null));
    assert_eq!(ended["comparison"]["arms"][0]["arm"], "baseline");
    let newest = client(&["jobs", "digits-mlp"]);
    assert!(
        err(&newest).contains("2 experiments have the name `digits-mlp`; 2 is the newest"),
        "{}",
        err(&newest)
    );
    assert!(out(&newest).contains("failed (diverged)"), "{}", out(&newest));

    let refused = client(&["submit", "mine.json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("/arms: is missing"), "{}", err(&refused));
    let unknown = client(&["compare", "99"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(err(&unknown).contains("there is no experiment 99"), "{}", err(&unknown));
}

#[test]
fn jobs_are_listed_paused_and_retried() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let client = |args: &[&str]| {
        let output = Command::new(OPTLAB).args(args).env("OPTLAB_SERVER", &server.address).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", err(&output));
        output
    };
    let json = |args: &[&str]| -> Value {
        serde_json::from_slice(&client(&[args, &["--json"]].concat()).stdout).unwrap()
    };
    let arms = [
        "--arm",
        "all",
        "--arm",
        "half",
        "--set",
        "arms.half.train.batch_size=64",
        "--set",
        "train.steps=100",
    ];
    let submitted = client(&[&["submit", "sopt-fractions"], &arms[..]].concat());
    assert!(out(&submitted).contains("Experiment 1 `sopt-fractions`, 6 jobs"), "{}", out(&submitted));
    assert!(err(&submitted).contains("no worker is active"), "{}", err(&submitted));
    let spec = &server.read("/api/v1/experiments/1")["spec"];
    let batch_sizes = [0, 1].map(|arm| spec["arms"][arm]["train"]["batch_size"].clone());
    assert!(batch_sizes[0] != 64 && batch_sizes[1] == 64, "{batch_sizes:?}");
    let draft = &server.read("/api/v1/experiments/1/submission")["draft"];
    assert_eq!(draft["arms"][1]["train"], json!({ "batch_size": 64 }));

    let listed = client(&["experiments"]);
    assert!(out(&listed).contains("sopt-fractions") && out(&listed).contains("6 queued"), "{}", out(&listed));
    let utc = server.read("/api/v1/experiments/1")["created_at"].as_str().unwrap()[..19].replace('T', " ");
    assert!(out(&listed).contains(&format!("{utc}Z ")), "times name their zone: {}", out(&listed));
    assert_eq!(json(&["experiments"])[0]["id"], 1);
    assert_eq!(
        json(&["jobs", "sopt-fractions", "--arm", "half", "--state", "queued"]).as_array().unwrap().len(),
        3
    );
    assert_eq!(json(&["cancel", "--job", "#1"])["state"], "cancelled");
    assert!(out(&client(&["retry", "--job", "1"])).contains("Job 1: queued"));
    assert!(out(&client(&["pause", "sopt-fractions"])).contains("`sopt-fractions`: 6 paused"));
    assert_eq!(json(&["resume", "--job", "2"])["state"], "queued");
    assert_eq!(json(&["resume", "1"])["counts"]["queued"], 6);
    assert!(
        out(&client(&["cancel", "sopt-fractions"])).contains("Experiment 1 `sopt-fractions`: 6 cancelled")
    );
    assert_eq!(json(&["retry", "#1"])["counts"]["queued"], 6);
    let steps = json(&["jobs", "1"]);
    assert!(steps.as_array().unwrap().iter().all(|job| job["priority"] == 0), "{steps}");
    let changed = client(&["priority", "#1", "-5"]);
    assert_eq!(out(&changed), "Experiment 1 `sopt-fractions`: 6 queued, priority -5\n");
    let steps = json(&["jobs", "1"]);
    assert!(steps.as_array().unwrap().iter().all(|job| job["priority"] == -5), "{steps}");
}

/// Learning rates of the rotations, where there are any, and of the other tensors, arm by arm.
fn rates(spec: &Value) -> Vec<[Value; 2]> {
    let of_arm = |arm: &Value| {
        [&arm["method"]["learning_rate"], &arm["train"]["optimizer"]["learning_rate"]].map(Value::clone)
    };
    spec["arms"].as_array().unwrap().iter().map(of_arm).collect()
}

#[test]
fn a_rate_that_is_set_in_a_copy_reaches_every_arm_that_inherited_it() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let client = |args: &[&str]| {
        let mut optlab = Command::new(OPTLAB);
        optlab.args(args).current_dir(folder.path()).env("OPTLAB_SERVER", &server.address);
        let output = optlab.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", err(&output));
        output
    };
    let submission = |id: i64| server.read(&format!("/api/v1/experiments/{id}/submission"));
    let spec = |id: i64| server.read(&format!("/api/v1/experiments/{id}"))["spec"].clone();

    let file = "# Mine.\nname = \"mine\"\nseeds = [0]\n\n[train]\nepochs = 1\ndata = { name = \"digits\" }
model = { kind = \"mlp\", hidden = [8] }\n\n[[arms]]\nname = \"baseline\"\nmethod = { kind = \"baseline\" }\n
[[arms]]\nname = \"opt\"\nmethod = { kind = \"opt\", transform = \"cayley\" }\n";
    fs::write(folder.path().join("mine.toml"), file).unwrap();
    client(&["submit", "mine.toml"]);
    assert_eq!(submission(1)["text"], file, "the server has the file as it is");
    assert_eq!(rates(&spec(1)), [[Value::Null, json!(0.1)], [json!(0.1), json!(0.1)]]);

    client(&["submit", "--from", "mine"]);
    assert_eq!((&submission(2)["text"], spec(2)), (&json!(file), spec(1)));
    client(&["add-seeds", "mine", "7"]);
    client(&["submit", "--from", "#2", "--set", "train.optimizer.learning_rate=0.5"]);
    assert_eq!(rates(&spec(3)), [[Value::Null, json!(0.5)], [json!(0.5), json!(0.5)]]);
    assert_eq!(spec(3)["seeds"], json!([0, 7]));

    // A recipe is a file too; an experiment of it is copied with what was set in it.
    client(&["submit", "digits-mlp"]);
    assert!(submission(4)["text"].as_str().unwrap().starts_with("# The demo"));
    client(&["submit", "digits-mlp", "--arm", "opt-cayley", "--set", "train.epochs=2"]);
    let checked =
        client(&["submit", "--from", "5", "--set", "train.optimizer.learning_rate=0.7", "--dry-run"]);
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(checked["spec"]["train"]["epochs"], 2);
    assert_eq!(rates(&checked["spec"]), [[json!(0.7), json!(0.7)]]);

    for (args, says) in
        [(&["submit"][..], "--from"), (&["submit", "mine.toml", "--from", "1"], "cannot be used")]
    {
        let refused = optlab(&folder, args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(err(&refused).contains(says), "{args:?}: {}", err(&refused));
    }
}

#[test]
fn every_command_accepts_an_id_with_a_number_sign() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    token(&folder, &["create", "guest"]);
    assert_eq!(server.submit(&small_experiment(1, &[0])), 1);
    for command in [
        "jobs {}",
        "compare {}",
        "export {} --format csv --output -",
        "export {} --format csv --table jobs --output -",
        "add-seeds {} 0 1",
        "priority {} 7",
        "pause {}",
        "pause --job {}",
        "resume {}",
        "resume --job {}",
        "cancel {}",
        "cancel --job {}",
        "watch {}",
        "thin {} --every 2",
        "logs {}",
        "retry --job {}",
        "retry {}",
        "token revoke {}",
    ] {
        let result = |id: &str| {
            let words = command.split(' ').map(|word| word.replace("{}", id));
            let mut optlab = Command::new(OPTLAB);
            optlab.args(words).current_dir(folder.path()).env("OPTLAB_SERVER", &server.address);
            let output = optlab.output().unwrap();
            (output.status.code(), out(&output), err(&output))
        };
        // The first call changes something; the other two have the same result.
        result("1");
        let plain = result("1");
        assert!(!plain.2.contains("Usage:"), "{command}: {}", plain.2);
        assert_eq!(result("#1"), plain, "{command}");
    }
}

#[test]
fn a_file_that_cannot_be_parsed_is_named_with_its_likely_format() {
    let folder = TempDir::new().unwrap();
    for (name, text, says) in [
        ("bad.toml", "name = \"x\"\nseeds =\n", "bad.toml: not TOML, at line 2, column 8"),
        ("json.toml", "{\"name\": \"x\"}", "It is JSON: rename the file, so that it ends in .json"),
        ("toml.json", "name = \"x\"", "It is TOML: rename the file, so that it does not end in .json"),
        ("bad.json", "{", "bad.json: not JSON: EOF"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
        let output = optlab(&folder, &["submit", name]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", err(&output));
        assert!(err(&output).contains(says), "{name}: {}", err(&output));
    }
}

#[test]
fn a_demo_at_a_given_address_fails_if_it_is_taken() {
    runner();
    let folder = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (listen, says) in [
        (port.as_str(), "another optlab may be running there"),
        ("192.0.2.1:8191", "does not belong to this machine"),
    ] {
        let output = optlab(&folder, &["demo", "--once", "--listen", listen]);
        assert_eq!(output.status.code(), Some(1), "{listen}: {}", err(&output));
        assert!(err(&output).contains(says), "{listen}: {}", err(&output));
    }
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let path = runner();
    let doctor = Command::new(OPTLAB).arg("doctor").env("OPTLAB_RUNNER", "").output().unwrap();
    assert!(out(&doctor).contains(path.to_str().unwrap()), "{}", out(&doctor));
}

#[test]
fn usage_errors_exit_with_status_2_and_suggest_a_correction() {
    let folder = TempDir::new().unwrap();
    for (args, says) in [
        (&["train", "digits-mpl"][..], "did you mean `digits-mlp`?"),
        (&["train", "digits-mlp"], "choose an arm with --arm: baseline, opt-cayley, opt-gram-schmidt"),
        (&["train", "digits-mlp", "--arm", "opt"], "there is no arm `opt`"),
        (&["train", "digits-mlp", "--arm", "baseline", "--set", "train.epoch=3"], "did you mean `epochs`?"),
        (&["train", "digits-mlp", "--arm", "baseline", "--set", "epochs"], "must look like train.epochs=3"),
        (&["train", "digits-mlp", "--set", "arms.basline.train.epochs=1"], "did you mean `baseline`?"),
        (
            &[
                "train",
                "digits-mlp",
                "--arm",
                "baseline",
                "--set",
                "train.steps=3",
                "--set",
                "train.epochs=3",
            ],
            "/train/epochs: `epochs` and `steps` stand both",
        ),
        (
            &["train", "sopt-fractions", "--arm", "quarter", "--set", "train.steps=50"],
            "optlab: /arms/0/method/stochastic/inner_steps: must be at most 50, train.steps, is 100 (arm `quarter`)\n",
        ),
        (&["train", "mine.toml"], "there is no file mine.toml"),
        (&["train", "mine"], "no such file, and unknown recipe \"mine\""),
        (&["train", "digits-mlp", "--set", "seeds=[0, 1"], "not closed"),
        (&["compare", "1", "--last", "3"], "--last is for --metric last_test_error"),
        (&["token", "create", ""], "NAME"),
        (&["serve", "--listen", "nowhere"], "must be like 127.0.0.1:8080, localhost:8080 or 8080"),
        (&["cancel"], "--job"),
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
    assert!(out(&verified).contains("digits: complete and official"), "{verified:?}");
}

#[test]
fn an_altered_data_file_is_named() {
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
    let list =
        Command::new(OPTLAB).args(["data", "list"]).env("OPTLAB_DATA_DIR", folder.path()).output().unwrap();
    assert!(out(&list).contains("truncated or altered: "), "{}", out(&list));
}

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
