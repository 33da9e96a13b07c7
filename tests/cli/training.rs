//! Commands that train: the demo, and one run without a server.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::support::runner;
use super::{err, optlab, out};

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
    for part in [
        "baseline",
        "opt-cayley",
        "opt-gram-schmidt",
        "test error %",
        "trials",
        "Tuned on validation error: 12 trials x 3 seeds per arm; 20 fresh seeds.",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    assert!(!said.contains("Rates differ"), "the budget says how the rates were chosen:\n{said}");
    assert!(!said.contains("Dashboard:"), "its server has ended:\n{said}");
    // Every arm has learned; guessing has an error of 90%.
    let sql = "SELECT max(mean_test_error) FROM arm_summary WHERE n = 20";
    let error: f64 = query(&folder, sql).parse().unwrap();
    assert!(error < 9.0, "{error}");
    let tested = "SELECT count(*) FROM metric_points p JOIN series s ON s.id = p.series_id JOIN jobs j ON j.id = p.job_id
                  WHERE j.phase = 'trial' AND s.name LIKE 'test/%'";
    assert_eq!(query(&folder, tested), "0", "no trial has a figure of the test set");
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
