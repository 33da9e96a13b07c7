//! Workers on machines that an engine takes away.

use std::time::{SystemTime, UNIX_EPOCH};

use optlab_domain::time::rfc3339;
use serde_json::json;

use super::fixture::Fixture;
use super::support::processes::{Worker, signal};
use super::support::{Database, long_experiment};

/// Slurm sends SIGTERM to every process of a job at the same time.
pub fn a_signal_to_all_processes_leaves_time_for_a_checkpoint(database: Database) {
    let fixture = Fixture::new(database);
    let mut worker = Worker::start(&fixture.url);
    let (id, job) = fixture.job_in_the_middle();
    let runners = worker.runners();
    assert!(!runners.is_empty());
    for runner in runners {
        assert!(signal(runner, "TERM"));
    }
    assert!(signal(worker.child.id(), "TERM"));
    assert!(worker.ends_well());
    let attempts = fixture.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
    assert_eq!(attempts["items"][0]["end_reason"], "handed_back", "{attempts:#}");
    let _worker = Worker::start(&fixture.url);
    assert_eq!(fixture.is_as_undisturbed(id)["attempt"], 2);
}

pub fn a_worker_leaves_before_its_machine_goes_away(database: Database) {
    let fixture = Fixture::new(database);
    let until = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 80;
    let slurm = [("SLURM_JOB_ID", "17"), ("SLURMD_NODENAME", "n1"), ("SLURM_JOB_END_TIME", "1")];
    let start = |drain: &str| {
        let id = fixture.server.submit(&long_experiment(1_000_000));
        let args = ["--until", &until.to_string(), "--drain", drain, "--slots-per-device", "1"];
        let worker = Worker::start_in(&slurm, &fixture.url, &args);
        fixture.server.wait(id, "the job runs", |jobs| jobs[0]["step"].as_i64().unwrap() > 0);
        (id, worker)
    };
    let mut workers = ["checkpoint", "finish"].map(start);
    let listed = fixture.server.read("/api/v1/workers");
    let shown = &listed["items"][0];
    assert_eq!(
        (&shown["engine"], &shown["engine_job"], &shown["node"]),
        (&json!("slurm"), &json!("17"), &json!("n1"))
    );
    assert!(shown["until"].is_string(), "{shown:#}");
    workers[0].1.wait_until_it_says("no more jobs are claimed");
    workers[1].1.wait_until_it_says("no more jobs are claimed");
    let waiting = fixture.server.submit(&long_experiment(1_000_000));
    for (id, worker) in &mut workers {
        assert!(worker.ends_well());
        let job = fixture.server.jobs(*id).remove(0);
        assert_eq!(job["state"], "queued", "{job:#}");
        let attempts = fixture.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
        let attempt = &attempts["items"][0];
        assert_eq!(attempt["end_reason"], "handed_back", "{attempt:#}");
        // The job is trained until 20 seconds before the end.
        let ended = attempt["ended_at"].as_str().unwrap();
        assert!(ended > rfc3339((until as i64 - 25) * 1000).as_str(), "{shown:#} {attempt:#}");
        assert_eq!(
            (&attempt["engine"], &attempt["engine_job"]),
            (&json!("slurm"), &json!("17")),
            "{attempt:#}"
        );
        let steps = fixture.checkpoints(&job);
        let last = steps.iter().map(|checkpoint| checkpoint["step"].as_i64().unwrap()).max();
        assert_eq!(job["step"].as_i64(), last, "no step is lost");
    }
    assert_eq!(fixture.server.jobs(waiting)[0]["attempt"], 0);
}
