//! Tuned experiments on real servers: trials, the freeze and the confirming runs, undisturbed and killed in every phase.

mod fixture;
mod halving;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fixture::{Fault, Outcome, SEEDS, TRIALS, TUNING_SEEDS, optlab, outcome, phase, spec, tuning};
use serde_json::{Value, json};
use support::processes::{Worker, kill};
use support::waiting::{Patience, turn};
use support::{Database, Server};
use tempfile::TempDir;

/// The outcome without any disturbance.
static UNDISTURBED: LazyLock<Outcome> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let id = server.submit(&spec());
    wait_for_the_end(&server, id);
    outcome(&server, id)
});

/// Waits until every choice is made and every job has ended.
#[track_caller]
fn wait_for_the_end(server: &Server, id: i64) {
    let mut patience = Patience::until("the tuned experiment has ended");
    loop {
        let experiment = server.read(&format!("/api/v1/experiments/{id}"));
        let (counts, progress) = (&experiment["counts"], &experiment["tuning"]);
        let open =
            ["queued", "running", "paused"].iter().map(|state| counts[state].as_i64().unwrap()).sum::<i64>();
        if open == 0 && progress["frozen"] == progress["arms"] {
            assert_eq!((&progress["to_come"], &progress["due"]), (&json!(0), &json!(0)));
            assert_eq!(experiment["step"], experiment["steps"]);
            return;
        }
        patience.again((counts.clone(), experiment["step"].clone()));
    }
}

/// Waits until all trials have ended and no choice is made.
#[track_caller]
fn wait_for_due_choices(server: &Server, id: i64) {
    server.wait(id, "all trials have ended", |jobs| {
        jobs.len() == 2 * TRIALS * TUNING_SEEDS.len() && jobs.iter().all(|job| job["state"] == "succeeded")
    });
    assert_eq!(server.read(&format!("/api/v1/experiments/{id}"))["tuning"]["due"], 2);
}

/// Waits until a job of the phase trains.
#[track_caller]
fn wait_for_training(server: &Server, id: i64, of: &str) {
    server.wait(id, &format!("a job of the phase {of} trains"), |jobs| {
        phase(jobs, of).iter().any(|job| job["state"] == "running" && job["step"].as_i64() > Some(0))
    });
}

#[test]
fn killed_processes_change_neither_choices_nor_curves_on_sqlite() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let url = Database::Sqlite.create(&folder);
    let server = Server::start(&folder);
    // The second confirming job cannot be inserted, so the transaction of a freeze is undone as by a kill inside it.
    Fault::begin(&url);
    let id = server.submit(&spec());
    wait_for_training(&server, id, "trial");
    server.kill();

    let server = Server::start(&folder);
    wait_for_due_choices(&server, id);
    server.kill();
    Fault::end(&url);

    let server = Server::start(&folder);
    wait_for_training(&server, id, "confirm");
    let choices = tuning(&server, id);
    server.kill();
    let server = Server::start(&folder);
    wait_for_the_end(&server, id);
    assert_eq!(tuning(&server, id), choices, "a choice never changes");
    assert_eq!(outcome(&server, id), *UNDISTURBED);
}

#[test]
fn killed_processes_change_neither_choices_nor_curves_on_postgres() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let url = Database::Postgres.create(&folder);
    // Two servers may make each choice, and workers in their own processes train.
    let servers = [Server::without_slots(&url, &folder), Server::without_slots(&url, &folder)];
    let [server, other] = servers;
    Fault::begin(&url);
    let id = server.submit(&spec());
    let worker = Worker::start(&url);
    wait_for_training(&server, id, "trial");
    kill(worker.child.id());
    other.kill();

    let other = Server::without_slots(&url, &folder);
    let workers = [Worker::start(&url), Worker::start(&url)];
    wait_for_due_choices(&server, id);
    Fault::end(&url);
    wait_for_training(&server, id, "confirm");
    kill(workers[0].child.id());
    server.kill();
    wait_for_the_end(&other, id);
    assert_eq!(outcome(&other, id), *UNDISTURBED);
}

#[test]
fn no_test_figure_of_a_trial_exists() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let id = server.submit(&spec());
    wait_for_the_end(&server, id);
    let jobs = server.jobs(id);
    let (trials, confirming) = (phase(&jobs, "trial"), phase(&jobs, "confirm"));
    assert_eq!((trials.len(), confirming.len()), (2 * TRIALS * TUNING_SEEDS.len(), 2 * SEEDS.len()));
    for job in &trials {
        assert!(job["test_error"].is_null(), "{job:#}");
        let series: Vec<String> = server.curves(job).into_iter().map(|(name, _)| name).collect();
        assert!(series.contains(&"validation/accuracy".to_owned()), "{series:?}");
        assert!(series.iter().all(|name| !name.starts_with("test")), "{series:?}");
        let log = server.get(&format!("/api/v1/jobs/{}/logs", job["id"]));
        assert!(!log.text.contains("test"), "{log:?}");
    }
    for job in &confirming {
        assert!(job["test_error"].is_number(), "{job:#}");
    }
    let count = |sql: &str| {
        let answer = server.post("/api/v1/query", &json!({ "sql": sql }));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["rows"][0][0].as_i64().unwrap()
    };
    let points = "SELECT count(*) FROM metric_points p JOIN series s ON s.id = p.series_id JOIN jobs j ON j.id = p.job_id
                  WHERE s.name LIKE 'test/%' AND j.phase = ";
    assert_eq!(count(&format!("{points}'trial'")), 0);
    assert!(count(&format!("{points}'confirm'")) > 0);
    let figures = "SELECT count(*) FROM results r JOIN jobs j ON j.id = r.job_id
                   WHERE coalesce(r.test_accuracy, r.test_error, r.best_test_accuracy) IS NOT NULL AND j.phase = ";
    assert_eq!(count(&format!("{figures}'trial'")), 0);
    assert_eq!(count(&format!("{figures}'confirm'")), confirming.len() as i64);
    let text = server.read(&format!("/api/v1/experiments/{id}/tuning")).to_string();
    assert!(!text.contains("test"), "{text}");
    exports_have_none(&server, id);
}

/// Reads both tables of a CSV export, and imports the Parquet file, whose reader checks it.
fn exports_have_none(server: &Server, id: i64) {
    let export = |query: &str| server.get(&format!("/api/v1/experiments/{id}/export?{query}"));
    let rows = |text: &str| -> Vec<BTreeMap<String, String>> {
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split(',').collect();
        let row = |line: &str| {
            header
                .iter()
                .zip(line.split(','))
                .map(|(name, value)| ((*name).to_owned(), value.to_owned()))
                .collect()
        };
        lines.map(row).collect()
    };
    let points = rows(&export("format=csv").text);
    assert!(points.iter().any(|row| row["phase"] == "confirm" && row["series"] == "test/accuracy"));
    let of_trials: Vec<_> = points.iter().filter(|row| row["phase"] == "trial").collect();
    assert!(!of_trials.is_empty());
    assert!(of_trials.iter().all(|row| !row["series"].starts_with("test") && !row["trial"].is_empty()));
    let jobs = rows(&export("format=csv&table=jobs").text);
    for row in jobs.iter().filter(|row| row["phase"] == "trial") {
        assert!(
            row["test_accuracy"].is_empty()
                && row["test_error"].is_empty()
                && !row["validation_error"].is_empty()
        );
    }
}

#[test]
fn an_import_of_a_tuned_experiment_equals_its_export() {
    let _turn = turn();
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = Server::start(&folder);
    let id = server.submit(&spec());
    wait_for_the_end(&server, id);
    let file = folder.path().join("tuned.parquet");
    let exported =
        optlab(&server, &["export", &id.to_string(), "--format", "parquet", "-o", file.to_str().unwrap()]);
    assert!(exported.status.success(), "{exported:?}");
    let other = Server::start(&elsewhere);
    let imported = optlab(&other, &["import", file.to_str().unwrap()]);
    assert!(imported.status.success(), "{imported:?}");
    assert_eq!(outcome(&other, 1), outcome(&server, id));
    assert_eq!(tuning(&other, 1), tuning(&server, id));
}

#[test]
fn commands_and_the_comparison_know_the_phases() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let file = folder.path().join("spec.json");
    std::fs::write(&file, spec().to_string()).unwrap();
    let planned = server.post("/api/v1/experiments?dry_run=true", &spec()).json();
    let planned = planned["jobs"].as_array().unwrap().clone();
    assert_eq!((phase(&planned, "trial").len(), phase(&planned, "confirm").len()), (12, 6));
    // The command waits for all phases.
    let submitted = optlab(&server, &["submit", file.to_str().unwrap(), "--watch"]);
    let said = String::from_utf8_lossy(&submitted.stdout).into_owned();
    assert!(submitted.status.success(), "{submitted:?}");
    assert!(said.contains("18 succeeded (12 of 12 trials ended, 2 of 2 choices frozen)"), "{said}");
    let budget = "Tuned on validation error: 3 trials x 2 seeds per arm; 3 fresh seeds.";
    assert!(said.contains(budget), "{said}");
    let id = 1;
    let comparison = server.read(&format!("/api/v1/experiments/{id}/comparison"));
    assert!(comparison["arms"].as_array().unwrap().iter().all(|arm| arm["n"] == 3), "{comparison:#}");

    let answer = server.read(&format!("/api/v1/experiments/{id}/tuning"));
    // The baseline affords all of its trials in its own time, and the other arm as many as fit.
    let afforded = |arm: usize| &answer["arms"][arm]["in_baseline_time"];
    assert_eq!(afforded(0)["trials"], TRIALS, "{answer:#}");
    assert_eq!(afforded(0)["best_of"], answer["arms"][0]["best_of"][TRIALS - 1]);
    let seconds = |arm: usize| answer["arms"][arm]["trial_seconds"].as_f64().unwrap();
    let fits = (TRIALS as f64 * seconds(0) / seconds(1) + 1e-9) as usize;
    assert_eq!(afforded(1)["trials"], fits.min(TRIALS), "{answer:#}");
    let by_time = optlab(&server, &["compare", "1", "--budget", "time"]);
    let table = String::from_utf8_lossy(&by_time.stdout).into_owned();
    assert!(
        table.contains(&format!("{TRIALS} of {TRIALS}")) && table.contains("Judged on validation data"),
        "{table}"
    );
    for arm in answer["arms"].as_array().unwrap() {
        let candidates = arm["candidates"].as_array().unwrap();
        assert_eq!((arm["phase"].as_str(), candidates.len()), (Some("confirm"), TRIALS));
        assert_eq!((&candidates[0]["rank"], &candidates[0]["chosen"]), (&json!(1), &json!(true)));
        assert_eq!(candidates[0]["trial"], arm["chosen"]);
        let scores: Vec<f64> = candidates.iter().map(|one| one["score"].as_f64().unwrap()).collect();
        assert!(scores.is_sorted(), "{scores:?}");
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let best = arm["best_of"].as_array().unwrap();
        assert!(
            best.len() == TRIALS && (best[0]["expected"].as_f64().unwrap() - mean).abs() < 1e-9,
            "{arm:#}"
        );
        assert_eq!((best[0]["low"].as_f64(), best[0]["high"].as_f64()), (Some(scores[0]), Some(scores[2])));
        let runs = candidates.iter().flat_map(|one| one["runs"].as_array().unwrap());
        let seconds: f64 = runs.map(|run| run["seconds"].as_f64().unwrap()).sum();
        let of_trial = arm["trial_seconds"].as_f64().unwrap();
        assert!(seconds > 0.0 && (of_trial * TRIALS as f64 - seconds).abs() < 1e-9, "{arm:#}");
    }
    let shown = |args: &[&str]| {
        let output = optlab(&server, args);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = shown(&["tune", "show", "tuned"]);
    for part in
        ["is chosen, frozen at", "optimizer.learning_rate", "validation errors %", "Expected best of 1 trial"]
    {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    let report = server.get("/api/v1/experiments/1/report").text;
    let section = report.split_once("<section id=\"tuning\">").expect("the report has the tuning").1;
    let section = section.split_once("</section>").unwrap().0;
    assert_eq!(section.matches("<strong>chosen</strong>").count(), 2, "{section}");
    assert_eq!(section.matches("<td class=\"number\">").count(), 2 * TRIALS * (1 + 2 + 2), "{section}");
    let json: Value = serde_json::from_str(&shown(&["tune", "show", "1", "--json"])).unwrap();
    assert_eq!(json, answer);
    let jobs = shown(&["jobs", "tuned"]);
    assert!(jobs.contains("trial 2") && jobs.contains("confirm"), "{jobs}");
    let experiment = shown(&["show", "tuned"]);
    assert!(experiment.contains("6 succeeded") && experiment.contains("3 succeeded"), "{experiment}");
    let untuned = server.submit(&support::small_experiment(1, &[0]));
    assert!(!server.get(&format!("/api/v1/experiments/{untuned}/report")).text.contains("id=\"tuning\""));
    let missing = server.get(&format!("/api/v1/experiments/{untuned}/tuning"));
    assert!(missing.status == 404 && missing.text.contains("is not tuned"), "{missing:?}");
}
