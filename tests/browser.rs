//! The dashboard in a real browser, over a real server that trains real jobs.

mod support;

use std::env;
use std::io::{BufRead, BufReader};
use std::process::Command;

use serde_json::{Value, json};
use support::processes::{Worker, optlab};
use support::waiting::{turn, turn_alone};
use support::{Database, SCREENSHOTS, Server, browse, token};
use tempfile::TempDir;

#[test]
fn a_reader_from_another_machine_signs_in_and_out() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let secret = token(&folder, &["create", "reader"]);
    let server = Server::start_on("0.0.0.0:0", &folder, &["--workers", "0"]);
    let mut browser = browse("sign-in.mjs", &server.address, &[&secret]);
    for line in BufReader::new(browser.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        println!("{line}");
        if line == "the token may be revoked now" {
            token(&folder, &["revoke", "1"]);
        }
    }
    assert!(browser.wait().unwrap().success(), "screenshots are in {SCREENSHOTS}");
}

#[test]
fn the_dashboard_shows_an_experiment_while_it_trains() {
    browse_until_the_server_goes("dashboard.mjs");
}

#[test]
fn pages_for_jobs_the_form_workers_and_sql_work() {
    browse_until_the_server_goes("pages.mjs");
}

#[test]
fn experiments_are_chosen_in_the_list_and_compared() {
    browse_a_new_server("compare.mjs");
}

#[test]
fn the_tuning_is_shown_while_trials_run_and_afterwards() {
    browse_a_new_server("tuning.mjs");
}

/// Runs a browser script against its own training server.
fn browse_a_new_server(script: &str) {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let mut browser = browse(script, &server.address, &[]);
    assert!(browser.wait().unwrap().success(), "screenshots are in {SCREENSHOTS}");
}

/// The recording is described in `tests/browser/fixtures/thirty-arms.toml`.
#[test]
fn every_page_shows_thirty_arms_with_failures() {
    browse_thirty_arms("thirty-arms.mjs", "0");
}

#[test]
fn runs_of_all_experiments_are_found_in_one_table() {
    browse_thirty_arms("runs.mjs", "0");
}

#[test]
fn a_newcomer_does_ten_tasks_in_at_most_five_actions_each() {
    browse_thirty_arms("newcomer.mjs", "2");
}

/// Runs a browser script against a server with so many slots and the recorded experiment.
fn browse_thirty_arms(script: &str, slots: &str) {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", slots]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/fixtures/thirty-arms.parquet");
    let imported = optlab().args(["import", "--server", &server.address, file]).status();
    assert!(imported.unwrap().success());
    let mut browser = browse(script, &server.address, &[]);
    assert!(browser.wait().unwrap().success(), "screenshots are in {SCREENSHOTS}");
}

/// Runs a browser script against its own training server, which is killed when the script says so.
fn browse_until_the_server_goes(script: &str) {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let mut browser = browse(script, &server.address, &[]);
    for line in BufReader::new(browser.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        println!("{line}");
        if line == "the server may go now" {
            support::processes::kill(server.child.id());
        }
    }
    assert!(browser.wait().unwrap().success(), "screenshots are in {SCREENSHOTS}");
}

/// One job per worker, with a point at every step.
fn four_jobs(steps: u64) -> Value {
    json!({
        "name": "four-writers", "seeds": [0, 1],
        "train": {
            "steps": steps, "evaluate_every": EVALUATE_EVERY, "log_every_steps": 1, "batch_size": BATCH,
            "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [32, 32] },
            "optimizer": { "kind": "sgd", "learning_rate": 0.01 }, "energy": { "every_steps": ENERGY_EVERY },
        },
        "arms": [
            { "name": "baseline", "method": { "kind": "baseline" } },
            { "name": "opt-cayley", "method": { "kind": "opt", "transform": "cayley" } },
        ],
    })
}

const BATCH: u64 = 32;
const EVALUATE_EVERY: u64 = 500;
const ENERGY_EVERY: u64 = 50;

/// The rate of the fastest job.
fn steps_per_second(server: &Server, jobs: &[Value]) -> f64 {
    let samples = |job| server.curve(job, "samples_per_second").last().expect("a job reports its rate").1;
    jobs.iter().map(samples).fold(0.0, f64::max) / BATCH as f64
}

/// The number of points of a series, and the first and last step, per job.
fn points(folder: &TempDir, experiment: i64, series: &str) -> Vec<Value> {
    let sql = format!(
        "SELECT count(*) AS points, min(p.step) AS first, max(p.step) AS last
         FROM jobs j JOIN metric_points p ON p.job_id = j.id JOIN series s ON s.id = p.series_id
         WHERE j.experiment_id = {experiment} AND s.name = '{series}' GROUP BY j.id"
    );
    let output =
        Command::new("sqlite3").args(["-json", "optlab.db", &sql]).current_dir(folder.path()).output();
    let output = output.expect("the sqlite3 program is installed");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// `make chaos` runs this for a minute.
#[test]
fn the_page_works_while_four_processes_write_to_one_file() {
    let _turn = turn_alone();
    let seconds: f64 = env::var("OPTLAB_PAGE_SECONDS").map_or(5.0, |value| value.parse().unwrap());
    let folder = TempDir::new().unwrap();
    let url = Database::Sqlite.create(&folder);
    let server = Server::without_slots(&url, &folder);
    let workers = [(); 4].map(|()| Worker::start(&url));
    let first = server.submit(&four_jobs(EVALUATE_EVERY));
    let pace = steps_per_second(&server, &server.wait_for_success(first));
    let steps = ((pace * seconds) as u64).next_multiple_of(EVALUATE_EVERY);

    let mut browser = browse("writers.mjs", &server.address, &[&four_jobs(steps).to_string()]);
    let mut experiment = None;
    for line in BufReader::new(browser.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        println!("{line}");
        experiment = line.strip_prefix("experiment ").map(|id| id.parse().unwrap()).or(experiment);
    }
    assert!(browser.wait().unwrap().success(), "screenshots are in {SCREENSHOTS}");

    let experiment = experiment.expect("the page has submitted one");
    server.wait_for_success(experiment);
    let spec = [
        ("train/loss", 1, 1),
        ("train/accuracy", 1, 1),
        ("energy/mean", ENERGY_EVERY, 0),
        ("test/accuracy", EVALUATE_EVERY, 0),
    ];
    let mut written = 0;
    for (series, every, first) in spec {
        let count = steps / every + 1 - first;
        let whole = json!({ "points": count, "first": first, "last": steps });
        assert_eq!(points(&folder, experiment, series), vec![whole; 4], "{series}");
        written += 4 * count;
    }
    println!("{written} points, none missing");
    let logs = workers.iter().map(Worker::said).chain([server.kill_for_its_log()]);
    for line in logs.collect::<Vec<_>>().iter().flat_map(|log| log.lines()) {
        assert!(!["ERROR", "locked", "busy"].iter().any(|word| line.contains(word)), "{line}");
    }
}
