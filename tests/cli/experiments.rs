//! Commands on the experiments and jobs of a server.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{OPTLAB, Server, small_experiment, token};
use super::{err, out};

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
    assert!(out(&idle).ends_with("3 succeeded; no job to retry\n"), "{}", out(&idle));
    let more = client(&["add-seeds", "digits-mlp", "0", "1", "--json"]);
    let more: Value = serde_json::from_slice(&more.stdout).unwrap();
    assert_eq!(more["spec"]["seeds"], json!([0, 1]));
    let watched = client(&["watch", "digits-mlp"]);
    assert!(watched.status.success(), "{}", err(&watched));
    assert!(out(&watched).starts_with("6 succeeded\n"), "{}", out(&watched));
    assert!(out(&watched).contains("Too few seeds to tell: a conclusion needs 5 seeds"), "{}", out(&watched));
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

    let rate = "train.optimizer.learning_rate=1e-9";
    let idle = ["submit", "digits-mlp", "--arm", "baseline", "--set", "seeds=[0]", "--set", "train.epochs=3"];
    assert!(
        client(&[&idle[..], &["--set", "name=idle", "--set", rate, "--watch"]].concat()).status.success()
    );
    let compared = err(&client(&["compare", "idle"]));
    let warns = "(baseline, seed 0): the final accuracy of ";
    assert!(compared.contains(warns) && compared.contains("is that of guessing: 10.00%"), "{compared}");
    assert!(compared.contains("as if all images were taken for one class"), "{compared}");

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
