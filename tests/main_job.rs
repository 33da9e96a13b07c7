//! The main workflow on a real server: submit, train, read the curves, compare, query.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};
use support::waiting::STUCK;
use support::{Database, OPTLAB, Server, runner, small_experiment};
use tempfile::TempDir;

fn of_arm<'a>(jobs: &'a [Value], arm: &str) -> Vec<&'a Value> {
    jobs.iter().filter(|job| job["arm"] == arm).collect()
}

/// The largest relative deviation of a curve from its first point.
fn drift(curve: &[(i64, f64)]) -> f64 {
    let first = curve[0].1;
    curve.iter().map(|(_, value)| ((value - first) / first).abs()).fold(0.0, f64::max)
}

#[test]
fn an_experiment_is_trained_compared_and_queried() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let id = server.submit(&small_experiment(4, &[0, 1]));
    let jobs = server.wait_for_success(id);
    assert_eq!(jobs.len(), 6);

    for arm in ["opt-cayley", "opt-gram-schmidt"] {
        for job in of_arm(&jobs, arm) {
            for layer in ["hidden1", "hidden2"] {
                let energy = server.curve(job, &format!("energy/{layer}"));
                assert!(energy.len() > 5 && drift(&energy) < 1e-4, "{arm} {layer}: {energy:?}");
                let error = server.curve(job, &format!("orthogonality_error/{layer}"));
                assert!(error.iter().all(|(_, error)| *error < 1e-4), "{arm} {layer}: {error:?}");
            }
        }
    }
    for job in of_arm(&jobs, "baseline") {
        assert!(drift(&server.curve(job, "energy/hidden1")) > 1e-4, "the baseline's energy should move");
    }

    fairness(&server, &jobs);
    curves_of_arms(&server, id, &jobs);
    comparison_and_sql(&server, &folder, id);
}

/// Checks that the arms of a seed start from the same network and use the same data, and that seeds differ.
fn fairness(server: &Server, jobs: &[Value]) {
    let start = |arm: &str, seed: i64, series: &str| {
        let job = jobs.iter().find(|job| job["arm"] == arm && job["seed"] == seed).unwrap();
        server.curve(job, series)[0].1
    };
    // R = I at the start of the Cayley arm, so up to rounding it is the baseline's network.
    let difference = start("baseline", 0, "test/loss") - start("opt-cayley", 0, "test/loss");
    assert!(difference.abs() < 1e-5, "{difference}");
    let difference = start("baseline", 0, "train/loss") - start("opt-cayley", 0, "train/loss");
    assert!(difference.abs() < 1e-5, "the first batch differs: {difference}");
    for arm in ["opt-cayley", "opt-gram-schmidt"] {
        let (ours, theirs) = (start(arm, 1, "energy/mean"), start("baseline", 1, "energy/mean"));
        assert!((ours / theirs - 1.0).abs() < 1e-6, "{arm} starts from other neurons: {ours} {theirs}");
    }
    assert_ne!(start("baseline", 0, "energy/mean"), start("baseline", 1, "energy/mean"));
}

fn curves_of_arms(server: &Server, id: i64, jobs: &[Value]) {
    let curves = server.read(&format!("/api/v1/experiments/{id}/curves?series=test/accuracy&points=10000"));
    assert_eq!(curves["unit"], "%");
    assert_eq!(curves["arms"].as_array().unwrap().len(), 3);
    for arm in curves["arms"].as_array().unwrap() {
        let of_seeds: Vec<Vec<(i64, f64)>> = of_arm(jobs, arm["arm"].as_str().unwrap())
            .into_iter()
            .map(|job| server.curve(job, "test/accuracy"))
            .collect();
        let last = of_seeds[0].len() - 1;
        let (a, b) = (of_seeds[0][last].1, of_seeds[1][last].1);
        assert_eq!(arm["steps"][last], of_seeds[0][last].0);
        assert_eq!(arm["n"][last], 2);
        assert!((arm["mean"][last].as_f64().unwrap() - (a + b) / 2.0).abs() < 1e-9);
        assert!((arm["std"][last].as_f64().unwrap() - (a - b).abs() / 2f64.sqrt()).abs() < 1e-9);
    }
}

/// Checks that `select * from arm_summary` returns what the page shows.
fn comparison_and_sql(server: &Server, folder: &TempDir, id: i64) {
    let comparison = server.read(&format!("/api/v1/experiments/{id}/comparison"));
    assert_eq!(comparison["baseline"], "baseline");
    assert!(comparison["verdict"].as_str().unwrap().contains("baseline"), "{comparison:#}");
    let memory = server.read(&format!("/api/v1/experiments/{id}/comparison?metric=peak_memory"));
    for arm in memory["arms"].as_array().unwrap() {
        // The range for a process with libtorch and a network of a few thousand weights.
        assert!((2e7..4e9).contains(&arm["mean"].as_f64().unwrap()), "{arm:#}");
    }
    let sql = format!(
        "SELECT arm, n, mean_test_error, std_test_error, mean_energy, mean_seconds FROM arm_summary WHERE experiment_id = {id}"
    );
    let output =
        Command::new("sqlite3").args(["-json", "optlab.db", &sql]).current_dir(folder.path()).output();
    let output = output.expect("the sqlite3 program is installed");
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((comparison["arms"].as_array().unwrap().len(), rows.as_array().unwrap().len()), (3, 3));
    for (arm, row) in comparison["arms"].as_array().unwrap().iter().zip(rows.as_array().unwrap()) {
        assert_eq!((&arm["arm"], &arm["n"]), (&row["arm"], &row["n"]));
        for (ours, theirs) in [
            ("mean", "mean_test_error"),
            ("std", "std_test_error"),
            ("energy", "mean_energy"),
            ("seconds", "mean_seconds"),
        ] {
            let (ours, theirs) = (arm[ours].as_f64().unwrap(), row[theirs].as_f64().unwrap());
            assert!((ours - theirs).abs() < 1e-9 * ours.abs().max(1.0), "{ours} {theirs}");
        }
    }
}

#[test]
fn the_same_job_gives_the_same_curves_bit_for_bit() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    // Two experiments with the same name run on two slots at once and share nothing.
    let ids = [server.submit(&small_experiment(2, &[3])), server.submit(&small_experiment(2, &[3]))];
    assert_ne!(ids[0], ids[1]);
    let [first, second] = ids.map(|id| server.wait_for_success(id));
    let bits = |job: &Value| {
        let mut curves = server.curves(job);
        curves.retain(|(name, _)| name != "samples_per_second");
        let bits = |points: Vec<(i64, f64)>| {
            points.into_iter().map(|(step, v)| (step, v.to_bits())).collect::<Vec<_>>()
        };
        curves.into_iter().map(|(name, points)| (name, bits(points))).collect::<Vec<_>>()
    };
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(a["arm"], b["arm"]);
        assert_eq!(bits(a), bits(b), "{}", a["arm"]);
    }
}

#[test]
fn a_submission_can_be_dry_run_repeated_and_edited() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let spec = small_experiment(1, &[0]);

    let tried = server.post("/api/v1/experiments?dry_run=true", &spec);
    assert_eq!(tried.status, 200, "{tried:?}");
    assert_eq!(tried.json()["jobs"].as_array().unwrap().len(), 3);
    assert_eq!(tried.json()["spec"]["train"]["optimizer"]["nesterov"], json!(false), "defaults are stated");
    assert_eq!(server.read("/api/v1/experiments")["items"], json!([]));

    let keyed = |body: &Value| {
        server.send("POST", "/api/v1/experiments", &[("idempotency-key", "k1")], body.to_string().as_bytes())
    };
    let (first, again) = (keyed(&spec), keyed(&spec));
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json()["id"], again.json()["id"]);
    let other = keyed(&small_experiment(2, &[0]));
    assert_eq!(other.status, 422, "{other:?}");
    assert_eq!(other.json()["type"], "urn:optlab:problem:idempotency-key-reused");

    let id = first.json()["id"].as_i64().unwrap();
    let path = format!("/api/v1/experiments/{id}");
    let edited =
        server.send("PATCH", &path, &[], br#"{"notes": "first try", "tags": ["digits"], "archived": true}"#);
    assert_eq!(edited.status, 200, "{edited:?}");
    let experiment = server.read(&path);
    assert_eq!((&experiment["notes"], &experiment["tags"][0]), (&json!("first try"), &json!("digits")));

    let cancelled = server.post(&format!("{path}/cancel"), &json!({}));
    assert_eq!(cancelled.json()["counts"]["cancelled"], 3, "{cancelled:?}");
    let retried = server.post(&format!("{path}/retry"), &json!({}));
    assert_eq!(retried.json()["counts"]["queued"], 3, "{retried:?}");
    assert_eq!(server.jobs(id)[2]["queue_position"], 3);
}

#[test]
fn one_request_pauses_or_resumes_a_whole_experiment() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let path = format!("/api/v1/experiments/{}", server.submit(&small_experiment(1, &[0, 1])));
    let client = |action: &str| {
        let done =
            Command::new(OPTLAB).args([action, "small", "--server", &server.address]).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    assert_eq!(client("pause"), "Experiment 1 `small`: 6 paused\n");
    assert_eq!(client("pause"), "Experiment 1 `small`: 6 paused; no job to pause\n");
    assert_eq!(client("resume"), "Experiment 1 `small`: 6 queued\n");
    for (action, state, changed_jobs) in
        [("pause", "paused", 6), ("pause", "paused", 0), ("resume", "queued", 6), ("resume", "queued", 0)]
    {
        let answer = server.post(&format!("{path}/{action}"), &json!({}));
        assert_eq!((answer.status, &answer.json()["counts"][state]), (200, &json!(6)), "{answer:?}");
        let mut changed = server.read(&path);
        changed["changed_jobs"] = changed_jobs.into();
        assert_eq!(answer.json(), changed, "the answer is the changed experiment");
        assert_eq!(server.post(&format!("/api/v1/experiments/7/{action}"), &json!({})).status, 404);
    }
    let figures = server.get("/metrics").text;
    let requests = figures.lines().filter(|line| line.contains("/pause") || line.contains("/resume"));
    assert!(requests.clone().all(|line| line.contains("route=\"/api/v1/experiments/{id}/")), "{figures}");
    assert_eq!(requests.count(), 4, "pause and resume, 200 and 404: {figures}");
}

#[test]
fn pages_of_lists_are_contiguous() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let ids: Vec<i64> = (0..5).map(|_| server.submit(&small_experiment(1, &[0]))).collect();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.read(&format!("/api/v1/experiments?limit=2{cursor}"));
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ids.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn events_report_a_training_job() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    // If the stream goes silent, this timeout ends the test.
    let agent: ureq::Agent =
        ureq::Agent::config_builder().proxy(None).timeout_global(Some(STUCK)).build().into();
    let events = agent.get(format!("{}/api/v1/events", server.address)).call().unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let mut lines = BufReader::new(events.into_body().into_reader()).lines();
    let id = server.submit(&small_experiment(1, &[0]));
    let (mut names, mut states) = (Vec::new(), Vec::new());
    while !states.contains(&"succeeded".to_owned()) || !names.contains(&"metrics".to_owned()) {
        let line = lines.next().expect("the stream continues").unwrap();
        if let Some(name) = line.strip_prefix("event: ") {
            names.push(name.to_owned());
        }
        if let Some(data) = line.strip_prefix("data: ") {
            let data: Value = serde_json::from_str(data).unwrap();
            let is_of_a_job = names.last().is_some_and(|name| name != "alive");
            assert!(!is_of_a_job || data["experiment_id"] == id, "{data}");
            states.extend(data["state"].as_str().map(str::to_owned));
        }
    }
    assert!(states.contains(&"queued".to_owned()), "{states:?}");
}

#[test]
fn every_server_of_a_database_reports_a_deletion_to_its_pages() {
    for database in [Database::Sqlite, Database::Postgres] {
        let folder = TempDir::new().unwrap();
        let url = database.create(&folder);
        let [server, other] = [(); 2].map(|()| Server::without_slots(&url, &folder));
        let id = server.submit(&small_experiment(1, &[0]));
        let agent: ureq::Agent =
            ureq::Agent::config_builder().proxy(None).timeout_global(Some(STUCK)).build().into();
        let mut streams = [&server, &other].map(|server| {
            let events =
                agent.get(format!("{}/api/v1/events?experiment={id}", server.address)).call().unwrap();
            BufReader::new(events.into_body().into_reader()).lines()
        });
        let path = format!("/api/v1/experiments/{id}?name=small");
        assert_eq!(server.send("DELETE", &path, &[], b"").status, 204);
        for lines in &mut streams {
            let hint = lines.find(|line| line.as_ref().unwrap() == "event: experiment");
            assert!(hint.is_some(), "{database:?}: the stream continues until the hint");
        }
        for server in [&server, &other] {
            assert_eq!(server.get(&format!("/api/v1/experiments/{id}")).status, 404);
        }
    }
}

#[test]
fn a_slot_replaces_its_runner_when_the_precision_requires_it() {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("runner");
    let script = format!(
        "#!/bin/sh\ncase $1 in --probe) ;; *) echo ${{TORCH_ALLOW_TF32_CUBLAS_OVERRIDE-unset}} >>starts ;; esac\n\
         exec {} \"$@\"\n",
        runner().display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let server = Server::start_with(&folder, &["--workers", "1", "--runner", program.to_str().unwrap()]);
    let arm = |name: &str, precision: &str| json!({ "name": name, "method": { "kind": "baseline" }, "train": { "precision": precision } });
    let mut spec = small_experiment(1, &[0, 1]);
    spec["overrides"]["arms"] = json!([arm("a", "float32"), arm("b", "bfloat16"), arm("c", "tf32")]);
    let id = server.submit(&spec);
    server.wait_for_success(id);
    // Within a seed a and b share a runner.
    let starts = fs::read_to_string(folder.path().join("starts")).unwrap();
    assert_eq!(starts.lines().collect::<Vec<_>>(), ["unset", "1", "unset", "1"]);
}
