//! Imports of folders that `optlab train` wrote.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{Database, Server, runner, small_experiment};
use super::{client, said, without_slots};

fn train(server: &Server, folder: &TempDir, arm: &str, seed: &str, more: &[&str]) {
    let args = ["train", "small.json", "--arm", arm, "--seed", seed];
    said(&client(server, folder, &[&args[..], more].concat()));
}

/// A folder with a small experiment to train.
fn written() -> TempDir {
    runner();
    let folder = TempDir::new().unwrap();
    let mut spec = small_experiment(1, &[0]);
    spec["overrides"]["notes"] = json!("compared by hand");
    fs::write(folder.path().join("small.json"), spec.to_string()).unwrap();
    folder
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The points in a `metrics.csv`, as `series,step,value`, in the order of the text.
fn points(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut points: Vec<String> =
        text.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect();
    points.sort();
    points
}

#[test]
fn folders_of_runs_become_one_experiment_on_both_databases() {
    let folder = written();
    let sqlite = without_slots(&folder);
    let elsewhere = TempDir::new().unwrap();
    let postgres = Server::without_slots(&Database::Postgres.create(&elsewhere), &elsewhere);
    let set = ["--set", "train.batch_size=64"];
    for (arm, seed) in [("opt-cayley", "0"), ("baseline", "0"), ("opt-cayley", "3")] {
        train(&sqlite, &folder, arm, seed, &set);
    }
    let runs =
        ["opt-cayley-seed0", "baseline-seed0", "opt-cayley-seed3"].map(|name| format!("runs/small-{name}"));
    let first = folder.path().join(&runs[0]);
    let (summary, origin) = (json_of(&first.join("summary.json")), json_of(&first.join("run.json")));
    assert_eq!((&origin["set"], &origin["source"]), (&json!(["train.batch_size=64"]), &json!("small.json")));
    assert!(
        origin["provenance"]["command_line"].as_str().unwrap().starts_with("optlab train small.json --arm ")
    );

    for (server, own) in [(&sqlite, &folder), (&postgres, &folder)] {
        let import = [&["import"][..], &runs.each_ref().map(String::as_str)].concat();
        let answer = said(&client(server, own, &import));
        assert!(answer.contains("`small`, 4 jobs: http"), "{answer}");
        let id = server.read("/api/v1/experiments")["items"][0]["id"].as_i64().unwrap();
        let experiment = server.read(&format!("/api/v1/experiments/{id}"));
        assert_eq!((&experiment["seeds"], &experiment["baseline"]), (&json!([0, 3]), &json!("baseline")));
        assert_eq!(
            (&experiment["notes"], &experiment["spec"]["train"]["batch_size"]),
            (&json!("compared by hand"), &json!(64))
        );
        let jobs = server.jobs(id);
        let cells: Vec<_> = jobs.iter().map(|job| (&job["arm"], &job["seed"], &job["state"])).collect();
        let [cayley, baseline] = ["opt-cayley", "baseline"].map(Value::from);
        let [done, none] = ["succeeded", "cancelled"].map(Value::from);
        assert_eq!(
            cells,
            [
                (&cayley, &json!(0), &done),
                (&baseline, &json!(0), &done),
                (&cayley, &json!(3), &done),
                (&baseline, &json!(3), &none)
            ]
        );
        assert_eq!(jobs[3]["error"], "no folder of this run was imported");
        assert_eq!(jobs[0]["test_error"], summary["test_error"]);

        // Every point, the figures and the environment are those of the folder.
        for (job, run) in jobs.iter().zip(&runs[..1]) {
            let mut stored: Vec<String> = Vec::new();
            for (series, curve) in server.curves(job) {
                stored.extend(curve.iter().map(|(step, value)| format!("{series},{step},{value}")));
            }
            stored.sort();
            assert_eq!(stored, points(&folder.path().join(run).join("metrics.csv")));
        }
        let comparison = server.read(&format!("/api/v1/experiments/{id}/comparison"));
        let of = |number: usize, name: &str| {
            comparison["arms"][number]["values"][0]["value"]
                == json_of(&folder.path().join(name).join("summary.json"))["test_error"]
        };
        assert!(of(0, &runs[0]) && of(1, &runs[1]), "{comparison}");
        let attempts = server.read(&format!("/api/v1/jobs/{}/attempts", jobs[0]["id"]));
        assert_eq!(attempts["items"][0]["environment"], origin["attempts"][0]["environment"]);
        assert_eq!(attempts["items"][0]["end_reason"], "completed");
        // A run that was not imported can be trained here.
        assert_eq!(server.post(&format!("/api/v1/jobs/{}/retry", jobs[3]["id"]), &json!({})).status, 200);
    }

    // One folder alone keeps its spec as it was written, so that a copy inherits.
    said(&client(&sqlite, &folder, &["import", &runs[1]]));
    let alone = sqlite.read("/api/v1/experiments/2");
    assert_eq!(alone["arms"], json!([{ "name": "baseline", "method": "baseline" }]));
    assert_eq!(
        alone["provenance"]["command_line"],
        json_of(&folder.path().join(&runs[1]).join("run.json"))["provenance"]["command_line"]
    );
    let draft = &sqlite.read("/api/v1/experiments/2/submission")["draft"];
    assert_eq!(draft["arms"], json!([{ "name": "baseline", "method": { "kind": "baseline" } }]));
}

#[test]
fn summaries_have_the_final_figures() {
    let folder = written();
    let server = without_slots(&folder);
    train(&server, &folder, "baseline", "5", &["--set", "train.data.validation=0.1"]);
    let run = folder.path().join("runs/small-baseline-seed5");
    let (summary, points) = (json_of(&run.join("summary.json")), points(&run.join("metrics.csv")));
    let last = |series: &str| {
        let of_series =
            points.iter().filter_map(|point| point.strip_prefix(series)?.strip_prefix(',')?.split_once(','));
        let last = of_series.max_by_key(|(step, _)| step.parse::<u64>().unwrap());
        last.unwrap().1.parse::<f64>().unwrap()
    };
    for (name, series) in [
        ("train_loss", "train/loss"),
        ("test_loss", "test/loss"),
        ("test_accuracy", "test/accuracy"),
        ("validation_accuracy", "validation/accuracy"),
        ("energy", "energy/mean"),
    ] {
        assert_eq!(summary[name].as_f64(), Some(last(series)), "{name} in {summary}");
    }
    assert_eq!(summary["test_error"].as_f64(), Some(100.0 - last("test/accuracy")));
    assert!(
        summary["seconds"].as_f64().unwrap() > 0.0 && summary["parameters_trained"].as_u64().unwrap() > 0
    );
}

#[test]
fn unfinished_damaged_and_unrelated_folders_are_rejected_with_the_file() {
    let folder = written();
    let server = without_slots(&folder);
    for (arm, more) in
        [("baseline", &[][..]), ("opt-cayley", &["--set", "train.optimizer.learning_rate=0.5"])]
    {
        train(&server, &folder, arm, "0", more);
    }
    let place = "runs/small-baseline-seed0";
    let run = folder.path().join(place);
    let rejected = |args: &[&str], says: &str| {
        let output = client(&server, &folder, &[&["import"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{args:?}: {}", err(&output));
    };
    rejected(&["runs"], "runs is not the folder of a run: it has no spec.json");
    rejected(&[place, "small.json"], "small.json is no folder");
    rejected(&[place, place], "are the same run: baseline with seed 0");
    rejected(
        &[place, "runs/small-opt-cayley-seed0"],
        "belong to different experiments: they differ in train.optimizer.learning_rate",
    );
    for (name, says) in [
        (
            "summary.json",
            format!(
                "{place}/summary.json is missing, so the run is unfinished; `optlab train --resume {place}`"
            ),
        ),
        ("run.json", format!("{place}/run.json: No such file")),
        ("metrics.csv", format!("{place}/metrics.csv: No such file")),
    ] {
        fs::rename(run.join(name), folder.path().join("kept")).unwrap();
        rejected(&[place], &says);
        fs::rename(folder.path().join("kept"), run.join(name)).unwrap();
    }
    for (name, from, to, says) in [
        ("metrics.csv", "train/loss,1,", "train/loss,1,1", "metrics.csv was altered: its SHA-256"),
        ("metrics.csv", "train/loss,2,", "train/loss,x,", "metrics.csv: line"),
        (
            "spec.json",
            "\"seed\": 0",
            "\"seed\": 1",
            "spec.json was altered: it is not the spec of the run in run.json",
        ),
        ("summary.json", "{", "", "summary.json: "),
        (
            "run.json",
            "\"epochs\": 1",
            "\"epochs\": 2",
            "spec.json was altered: it is not the spec of the run in run.json",
        ),
    ] {
        let whole = fs::read_to_string(run.join(name)).unwrap();
        fs::write(run.join(name), whole.replace(from, to)).unwrap();
        rejected(&[place], says);
        fs::write(run.join(name), whole).unwrap();
    }
    assert_eq!(server.read("/api/v1/experiments")["items"], json!([]), "nothing was stored");
    said(&client(&server, &folder, &["import", place]));
}
