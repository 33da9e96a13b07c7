//! Machines that Slurm takes away: their jobs go on elsewhere with the same bits, and no attempt is counted.

use std::collections::BTreeSet;

use serde_json::json;

use super::fixture::experiment;
use super::fleet::Fleet;
use super::support::processes::signal;
use super::support::waiting::wait_until;
use super::support::{Database, long_experiment};

/// An experiment whose only job may be attempted once.
fn once() -> serde_json::Value {
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
    let mut ends = BTreeSet::new();
    let mut goes_on = |id, how: &str| {
        let job = fleet.fixture.is_as_undisturbed(id);
        let reasons = fleet.ends(&job);
        assert!(reasons.len() >= 2, "{how}: {reasons:?}");
        let (last, before) = reasons.split_last().unwrap();
        let taken = |reason: &String| ["handed_back", "preempted"].contains(&reason.as_str());
        assert!(last == "completed" && before.iter().all(taken), "{how}: {reasons:?}");
        ends.extend(before.to_vec());
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

    // Without a warning: the worker can hand nothing back.
    let (id, pilot) = in_the_middle();
    fleet.slurm.run("scancel", &["--signal=KILL", "--full", &pilot]);
    fleet.slurm.run("scancel", &[&pilot]);
    goes_on(id, "SIGKILL");
    assert!(ends.contains("handed_back") && ends.contains("preempted"), "{ends:?}");
    fleet.wait_until_all_have_left();
}

/// A pilot that crashes by itself is no machine that was taken away.
pub fn a_worker_that_dies_by_itself_costs_an_attempt(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    let _keeper = fleet.keep(1, &[]);
    let id = server.submit(&once());
    server.wait(id, "the job runs", |jobs| jobs[0]["step"].as_i64().unwrap() > 0);
    let workers = server.read("/api/v1/workers");
    let name = workers["items"][0]["name"].as_str().unwrap().to_owned();
    let pid: u32 = name.rsplit_once(':').unwrap().1.parse().unwrap();
    assert!(signal(pid, "KILL"));
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
