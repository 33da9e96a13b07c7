//! Pilots come and go with the queue, and never more than may.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::fixture::experiment;
use super::fleet::Fleet;
use super::support::slurm::CONTROLLER;
use super::support::waiting::wait_until;
use super::support::{Database, small_experiment};

/// Runs `test` while another thread counts pilots; returns the most that there were at once.
fn most_pilots(fleet: &Fleet, test: impl FnOnce()) -> usize {
    /// Ends the counting, also after a panic.
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let most = scope.spawn(|| {
            let mut most = 0;
            while !is_over.load(Ordering::Relaxed) {
                most = most.max(fleet.pilots().len());
                thread::sleep(Duration::from_millis(100));
            }
            most
        });
        let over = Over(&is_over);
        test();
        drop(over);
        most.join().unwrap()
    })
}

pub fn pilots_come_with_the_queue_and_leave_when_it_is_empty(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    let keeper = fleet.keep(2, &[]);
    fleet.wait_for_pool("the pool is known", |pool| pool["name"] == "cpu");
    assert!(fleet.pilots_so_far().is_empty(), "no job, no pilot");
    let mut id = 0;
    let most = most_pilots(&fleet, || {
        id = server.submit(&small_experiment(1, &[0, 1]));
        server.wait_for_success(id);
    });
    assert!((1..=2).contains(&most), "{most} pilots at once");
    for job in server.jobs(id) {
        assert_eq!(fleet.ends(&job), ["completed"]);
        let attempt = fleet.attempts(&job).remove(0);
        assert_eq!(attempt["engine"], "slurm", "{attempt:#}");
        assert!(fleet.pilots_so_far().contains(attempt["engine_job"].as_str().unwrap()), "{attempt:#}");
        assert!(["n1", "n2"].contains(&attempt["node"].as_str().unwrap()), "{attempt:#}");
    }
    fleet.wait_until_all_have_left();
    let pool = fleet.wait_for_pool("the pool has no pilot", |pool| pool["pilots"] == json!([]));
    assert_eq!((&pool["failures"], &pool["trouble"]), (&json!(0), &Value::Null), "{pool:#}");
    keeper.stop();
}

/// A pilot that still waits is cancelled when its jobs are.
pub fn pilots_that_wait_in_vain_are_cancelled(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    let full = fleet.slurm.submit(&["--nodes=2", "--exclusive"], "sleep 1000");
    fleet.slurm.wait_for(&full, "RUNNING");
    let _keeper = fleet.keep(2, &[]);
    let id = server.submit(&experiment());
    let pool =
        fleet.wait_for_pool("a pilot waits for resources", |pool| pool["pilots"][0]["reason"] == "Resources");
    assert_eq!(pool["pilots"][0]["state"], "pending", "{pool:#}");
    let job = server.jobs(id).remove(0);
    let expected = "1 pilot of pool cpu waits in Slurm (Resources)";
    assert_eq!(job["why_queued"], expected, "{job:#}");
    let listed = fleet.fixture.command(&["workers"]);
    assert!(listed.contains("waiting: Resources"), "{listed}");
    server.post(&format!("/api/v1/experiments/{id}/cancel"), &json!({}));
    fleet.wait_until_all_have_left();
    assert_eq!(fleet.pilots_so_far().len(), 1, "one was requested for one job");
}

/// Kills the process that keeps the pool, and starts two others, while jobs run.
pub fn a_keeper_that_is_killed_is_replaced_and_finds_its_pilots(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    let most = most_pilots(&fleet, || {
        let first = fleet.keep(2, &[]);
        let ids = [server.submit(&experiment()), server.submit(&experiment())];
        server.wait(ids[0], "the first job runs", |jobs| jobs[0]["state"] == "running");
        first.kill();
        let second = fleet.keep(2, &[]);
        let third = fleet.keep(2, &[]);
        for id in ids {
            fleet.fixture.is_as_undisturbed(id);
        }
        let late = server.submit(&small_experiment(1, &[0]));
        server.wait_for_success(late);
        second.stop();
        third.stop();
    });
    assert!(most <= 2, "{most} pilots at once");
    fleet.wait_until_all_have_left();
}

pub fn a_controller_that_is_killed_and_comes_back_loses_no_job(database: Database) {
    let mut fleet = Fleet::new(database);
    let _keeper = fleet.keep(2, &[]);
    let ids = [fleet.fixture.server.submit(&experiment()), fleet.fixture.server.submit(&experiment())];
    for id in ids {
        fleet.fixture.server.wait(id, "it runs", |jobs| jobs[0]["state"] == "running");
    }
    fleet.slurm.kill(CONTROLLER);
    let pool = fleet.wait_for_pool("the pool reports the silence", |pool| pool["trouble"].is_string());
    assert!(pool["trouble"].as_str().unwrap().starts_with("Slurm cannot be queried: squeue: "), "{pool:#}");
    assert_eq!(pool["failures"], 0, "silence is no failure of a pilot");
    fleet.slurm.revive(CONTROLLER);
    for id in ids {
        let job = fleet.fixture.is_as_undisturbed(id);
        // The controller may have forgotten that the pilots run. Then it kills them once, and reports that they failed.
        let lost = || fleet.ends(&job).iter().filter(|end| *end == "worker_lost").count();
        wait_until("at most one attempt counts", || lost() <= 1);
    }
    wait_until("the silence is over", || fleet.pool()["trouble"].is_null());
    fleet.wait_until_all_have_left();
}
