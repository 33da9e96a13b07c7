//! Machines that Slurm takes away: their jobs go on elsewhere with the same bits, and no attempt is counted.

use serde_json::{Value, json};

use super::fixture::experiment;
use super::fleet::Fleet;
use super::support::processes::{kill, parent_of};
use super::support::waiting::wait_until;
use super::support::{Database, long_experiment};

/// An experiment whose only job may be attempted once.
fn once() -> Value {
    let mut spec = experiment();
    spec["max_attempts"] = json!(1);
    spec
}

/// One job after another loses its machine in another way.
pub fn a_machine_that_is_taken_away_costs_no_attempt(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    let _keeper = fleet.keep(2, &[]);
    let in_the_middle = || {
        let id = server.submit(&once());
        let job = server.wait(id, "the job is in the middle", |jobs| jobs[0]["step"].as_i64().unwrap() > 300);
        let pilot = fleet.pilot_of(&job[0]);
        (id, pilot)
    };
    let goes_on = |id, how: &str| {
        let job = fleet.fixture.is_as_undisturbed(id);
        let reasons = fleet.ends(&job);
        assert!(reasons.len() >= 2, "{how}: {reasons:?}");
        let (last, before) = reasons.split_last().unwrap();
        let taken = |reason: &String| ["handed_back", "preempted"].contains(&reason.as_str());
        assert!(last == "completed" && before.iter().all(taken), "{how}: {reasons:?}");
    };

    let (id, pilot) = in_the_middle();
    fleet.slurm.run("scancel", &[&pilot]);
    goes_on(id, "scancel");

    let (id, pilot) = in_the_middle();
    let node = fleet.slurm.job(&pilot).node;
    fleet.slurm.set_down(&node);
    goes_on(id, "a node is set down");
    fleet.slurm.set_up(&node);

    // Without the grace, in which a short job ends.
    fleet.slurm.run("scontrol", &["update", "partitionname=low", "gracetime=0"]);
    let (id, _) = in_the_middle();
    let options = ["--partition=high", "--nodes=2", "--exclusive"];
    let other = fleet.slurm.submit(&options, "sleep 1000");
    fleet.slurm.wait_for(&other, "RUNNING");
    fleet.slurm.run("scancel", &[&other]);
    goes_on(id, "preemption");
    fleet.wait_until_all_have_left();
}

/// The lease expires before Slurm notices. The job has failed by then, because it may be attempted once.
pub fn a_machine_that_dies_costs_no_attempt(database: Database) {
    let mut fleet = Fleet::new(database);
    let keeper = fleet.keep(2, &[]);
    let id = fleet.fixture.server.submit(&once());
    let middle = |jobs: &[Value]| jobs[0]["step"].as_i64().unwrap() > 300;
    let job = fleet.fixture.server.wait(id, "the job is in the middle", middle).remove(0);
    let node = fleet.slurm.job(&fleet.pilot_of(&job)).node;
    let worker = fleet.worker();
    fleet.slurm.kill(if node == "n1" { "n1" } else { "n2" });
    // Slurm's process would report the end of the worker, which a dead machine cannot do.
    kill(parent_of(worker).unwrap());
    kill(worker);
    fleet.fixture.server.wait(id, "its attempt is counted", |jobs| jobs[0]["state"] == "failed");
    fleet.fixture.server.wait(id, "its attempt is refunded", |jobs| jobs[0]["state"] != "failed");
    let job = fleet.fixture.is_as_undisturbed(id);
    assert_eq!(fleet.ends(&job), ["preempted", "completed"]);
    fleet.wait_until_all_have_left();
    keeper.stop();
}

/// A pilot that crashes by itself is no machine that was taken away.
pub fn a_worker_that_dies_by_itself_costs_an_attempt(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    let _keeper = fleet.keep(1, &[]);
    let id = server.submit(&once());
    server.wait(id, "the job runs", |jobs| jobs[0]["step"].as_i64().unwrap() > 0);
    kill(fleet.worker());
    let job = server.wait(id, "the job has failed", |jobs| jobs[0]["state"] == "failed").remove(0);
    assert_eq!(job["end_reason"], "worker_lost", "{job:#}");
}

/// The limit of Slurm is a minute, the shortest there is.
pub fn jobs_are_handed_back_before_the_time_limit(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    let _keeper = fleet.keep(1, &["--time=1"]);
    let mut spec = long_experiment(1_000_000);
    spec["max_attempts"] = json!(1);
    let id = server.submit(&spec);
    let job = server.wait(id, "it runs in a second pilot", |jobs| jobs[0]["attempt"] == 2).remove(0);
    let worker = server.read("/api/v1/workers")["items"][0].clone();
    assert!(worker["until"].is_string(), "{worker:#}");
    wait_until("it has continued", || server.jobs(id)[0]["step"].as_i64() > job["step"].as_i64());
    let attempts = fleet.attempts(&job);
    assert_eq!(attempts[0]["end_reason"], "handed_back", "{attempts:#?}");
    assert!(attempts[1]["start_step"].as_i64() > Some(0), "{attempts:#?}");
    assert_eq!(fleet.slurm.job(attempts[0]["engine_job"].as_str().unwrap()).state, "COMPLETED");
    server.post(&format!("/api/v1/experiments/{id}/cancel"), &json!({}));
    fleet.wait_until_all_have_left();
}
