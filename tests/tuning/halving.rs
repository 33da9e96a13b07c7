//! Early stopping on real servers: trials that go on have the bits of runs without a stop, whatever is killed.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{Curves, Outcome, TRIALS, TUNING_SEEDS, optlab, outcome, spec};
use crate::support::processes::{Worker, kill};
use crate::support::waiting::turn;
use crate::support::{Database, Server};
use crate::{UNDISTURBED, wait_for_the_end};

/// The rungs after 200 and 400 of 600 updates.
const RUNGS: [i64; 2] = [200, 400];

fn halved() -> Value {
    let mut spec = spec();
    spec["tune"]["halving"] = json!({ "rungs": [0.3, 0.6], "keep": 0.5 });
    spec
}

/// Waits until a trial waits at a rung.
#[track_caller]
fn wait_for_a_rung(server: &Server, id: i64, rung: i64) {
    server.wait(id, &format!("a trial waits at step {rung}"), |jobs| {
        jobs.iter().any(|job| job["waits_at"] == rung)
    });
}

fn until(curves: &Curves, step: i64) -> Curves {
    let part = |(name, points): &(String, Vec<(i64, f64)>)| {
        (name.clone(), points.iter().copied().filter(|point| point.0 <= step).collect())
    };
    curves.iter().map(part).collect()
}

/// The mean validation error of a trial of the whole runs.
fn error(arm: &str, trial: usize, step: i64) -> f64 {
    let of_seed = |&seed: &u64| {
        let curves = UNDISTURBED.of_trial(arm, trial, seed);
        let (_, points) = curves.iter().find(|(name, _)| name == "validation/accuracy").unwrap();
        100.0 - points.iter().find(|point| point.0 == step).unwrap().1
    };
    TUNING_SEEDS.iter().map(of_seed).sum::<f64>() / TUNING_SEEDS.len() as f64
}

/// Checks every trial against those that ran to their ends: where it was stopped, and that its curves are the same.
fn check(halved: &Outcome) {
    for arm in ["baseline", "opt-cayley"] {
        let mut best: Vec<usize> = (0..TRIALS).collect();
        let mut ends = Vec::new();
        for rung in RUNGS {
            best.sort_by(|&one, &other| error(arm, one, rung).total_cmp(&error(arm, other, rung)));
            ends.extend(best.split_off(best.len().div_ceil(2)).into_iter().map(|trial| (trial, rung)));
            best.sort_unstable();
        }
        assert_eq!((best.len(), ends.len()), (1, 2));
        assert_eq!(*halved.chosen(arm), best[0]);
        ends.push((best[0], 600));
        for (trial, end) in ends {
            for seed in TUNING_SEEDS {
                let whole = until(UNDISTURBED.of_trial(arm, trial, seed), end);
                assert_eq!(
                    *halved.of_trial(arm, trial, seed),
                    whole,
                    "trial {trial} of {arm} until step {end}"
                );
            }
        }
    }
}

#[test]
fn halved_trials_have_the_bits_of_whole_ones_whatever_is_killed_on_sqlite() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let mut server = Server::start(&folder);
    let id = server.submit(&halved());
    for rung in RUNGS {
        wait_for_a_rung(&server, id, rung);
        server.kill();
        server = Server::start(&folder);
    }
    wait_for_the_end(&server, id);
    check(&outcome(&server, id));

    let shown = optlab(&server, &["tune", "show", &id.to_string()]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("(stopped early)"), "{shown}");
    // 400 and 200 of 600 updates were left out in one trial each, of three.
    assert!(
        shown.contains("baseline: 2 trials were stopped early, which saved 33% of the updates."),
        "{shown}"
    );
    let compared = optlab(&server, &["compare", &id.to_string(), "--budget", "time"]);
    assert_eq!(compared.status.code(), Some(2), "{compared:?}");
}

#[test]
fn halved_trials_have_the_bits_of_whole_ones_whatever_is_killed_on_postgres() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let url = Database::Postgres.create(&folder);
    let [server, other] = [Server::without_slots(&url, &folder), Server::without_slots(&url, &folder)];
    let id = server.submit(&halved());
    let worker = Worker::start(&url);
    wait_for_a_rung(&server, id, RUNGS[0]);
    kill(worker.child.id());
    other.kill();

    let other = Server::without_slots(&url, &folder);
    let workers = [Worker::start(&url), Worker::start(&url)];
    wait_for_a_rung(&server, id, RUNGS[1]);
    kill(workers[0].child.id());
    server.kill();
    wait_for_the_end(&other, id);
    check(&outcome(&other, id));
}
