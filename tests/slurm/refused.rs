//! Requests that Slurm rejects or cannot meet.

use serde_json::{Value, json};

use super::fixture::experiment;
use super::fleet::Fleet;
use super::support::waiting::wait_until;
use super::support::{Database, small_experiment};

fn trouble(pool: &Value) -> &str {
    pool["trouble"].as_str().unwrap_or_default()
}

/// A rejected request is tried again at once, and then after growing pauses, which a person can end.
pub fn a_rejected_request_pauses_the_pool(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    let keeper = fleet.keep(2, &["--partition=nowhere"]);
    let id = server.submit(&small_experiment(1, &[0]));
    let pool = fleet.wait_for_pool("it pauses", |pool| pool["paused_until"].is_string());
    assert_eq!(pool["failures"], 2, "{pool:#}");
    assert!(trouble(&pool).contains("invalid partition specified: nowhere"), "{pool:#}");
    let why = server.jobs(id)[0]["why_queued"].as_str().unwrap().to_owned();
    assert!(why.contains("pool cpu: no pilot could be requested: sbatch: invalid partition"), "{why}");
    assert!(why.contains("or at once by `optlab workers resume cpu`"), "{why}");
    let listed = fleet.fixture.command(&["workers"]);
    assert!(listed.contains("paused until") && listed.contains("nowhere"), "{listed}");
    keeper.stop();
    let _mended = fleet.keep(2, &[]);
    assert_eq!(fleet.fixture.command(&["workers", "resume", "cpu"]), "Pool cpu: resumed\n");
    server.wait_for_success(id);
    let pool = fleet.pool();
    assert_eq!((&pool["failures"], &pool["trouble"]), (&json!(0), &Value::Null), "{pool:#}");
    assert_eq!(server.post("/api/v1/pools/gpu/resume", &json!({})).status, 404);
}

/// Slurm accepts what exceeds a limit of the partition, and would let it wait for ever.
pub fn a_request_that_can_never_be_met_is_given_up(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    for _ in 0..4 {
        server.submit(&experiment());
    }
    let _keeper = fleet.keep(4, &["--partition=short", "--time=30"]);
    let pool = fleet.wait_for_pool("it pauses", |pool| pool["paused_until"].is_string());
    assert!(trouble(&pool).contains("(PartitionTimeLimit), so it was cancelled"), "{pool:#}");
    assert_eq!(pool["failures"], 2, "four pilots that fail together are one failure: {pool:#}");
    fleet.wait_until_all_have_left();
    assert_eq!(fleet.pilots_so_far().len(), 5, "four at first, and then a single one");
}

/// A pilot whose worker cannot work is a failure of its pool.
pub fn pilots_that_fail_are_not_repeated_for_ever(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    let _keeper = fleet.keep(1, &["--output=/nonexistent/folder/log"]);
    server.submit(&experiment());
    let pool = fleet.wait_for_pool("it pauses", |pool| pool["paused_until"].is_string());
    assert!(trouble(&pool).contains("before it claimed a job"), "{pool:#}");
    assert_eq!(fleet.pilots_so_far().len(), 2, "{:?}", fleet.slurm.jobs());
}

/// With a limit of one job per user, one pilot does all the work.
pub fn a_limit_on_jobs_leaves_the_work_to_fewer_pilots(database: Database) {
    let fleet = Fleet::new(database);
    let server = &fleet.fixture.server;
    fleet.slurm.limit_jobs(1);
    let _keeper = fleet.keep(2, &[]);
    let ids = [server.submit(&experiment()), server.submit(&experiment())];
    let pool = fleet.wait_for_pool("the second request fails", |pool| pool["failures"].as_i64() > Some(0));
    assert!(trouble(&pool).contains("QOSMaxSubmitJobPerUserLimit"), "{pool:#}");
    for id in ids {
        fleet.fixture.is_as_undisturbed(id);
    }
    fleet.wait_until_all_have_left();
    assert_eq!(fleet.pilots_so_far().len(), 1);
    fleet.slurm.lift_limit();
    let late = [server.submit(&experiment()), server.submit(&experiment())];
    wait_until("the end of the first pilot ended the pause", || fleet.pilots().len() == 2);
    for id in late {
        fleet.fixture.is_as_undisturbed(id);
    }
}
