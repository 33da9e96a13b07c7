//! A server without slots, a cluster, and processes of `optlab slurm` that keep a pool there.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::fixture::Fixture;
use super::support::Database;
use super::support::processes::{optlab, signal};
use super::support::slurm::Slurm;
use super::support::waiting::Patience;

/// A database with its server, and a cluster.
pub struct Fleet {
    pub fixture: Fixture,
    pub slurm: Slurm,
}

/// A process of `optlab slurm`, which is killed when dropped.
pub struct Keeper(Child);

impl Fleet {
    pub fn new(database: Database) -> Self {
        Self { fixture: Fixture::new(database), slurm: Slurm::start() }
    }

    /// Starts a process that keeps the pool `cpu` with pilots of one slot, which end after two idle seconds.
    pub fn keep(&self, max_workers: u32, sbatch: &[&str]) -> Keeper {
        let max_workers = max_workers.to_string();
        // Leases are long enough for a busy machine: an attempt that ends as lost while its worker is alive is not refunded.
        let fast = ["--exit-when-idle", "2", "--poll-seconds", "1", "--lease-seconds", "5"];
        let pool = ["slurm", "--pool", "cpu", "--device", "cpu", "--max-workers", &max_workers];
        let child = optlab()
            .args(pool)
            .args(fast)
            .args(["--database-url", &self.fixture.url, "--"])
            .args(sbatch)
            .envs(self.slurm.environment())
            .env("OPTLAB_LOG", "info,sqlx=warn")
            .current_dir(self.slurm.jobs_folder())
            .stdin(Stdio::null())
            .spawn()
            .expect("optlab starts");
        Keeper(child)
    }

    /// The pilots that wait or run.
    pub fn pilots(&self) -> Vec<super::support::slurm::Job> {
        let alive = ["PENDING", "CONFIGURING", "RUNNING", "SUSPENDED"];
        let jobs = self.slurm.jobs().into_iter();
        jobs.filter(|job| job.name.starts_with("optlab-cpu-") && alive.contains(&job.state.as_str()))
            .collect()
    }

    /// The ids of all pilots so far.
    pub fn pilots_so_far(&self) -> BTreeSet<String> {
        let pilots = self.slurm.jobs().into_iter().filter(|job| job.name.starts_with("optlab-cpu-"));
        pilots.map(|job| job.id).collect()
    }

    pub fn pool(&self) -> Value {
        self.fixture.server.read("/api/v1/pools")["items"][0].clone()
    }

    /// Waits until the pool is as `done` wants it; returns it.
    #[track_caller]
    pub fn wait_for_pool(&self, what: &str, done: impl Fn(&Value) -> bool) -> Value {
        let mut patience = Patience::until(what);
        loop {
            let pool = self.pool();
            if done(&pool) {
                return pool;
            }
            patience.again(pool);
        }
    }

    /// Waits until no pilot is left.
    #[track_caller]
    pub fn wait_until_all_have_left(&self) {
        let mut patience = Patience::until("all pilots have left");
        while !self.pilots().is_empty() {
            patience.again(self.pilots());
        }
    }

    /// The pilot that runs the job now.
    #[track_caller]
    pub fn pilot_of(&self, job: &Value) -> String {
        let attempts = self.attempts(job);
        attempts.last().expect("it has an attempt")["engine_job"].as_str().unwrap().to_owned()
    }

    /// The process of the newest worker.
    pub fn worker(&self) -> u32 {
        let workers = self.fixture.server.read("/api/v1/workers");
        let name = workers["items"][0]["name"].as_str().unwrap().to_owned();
        name.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    pub fn attempts(&self, job: &Value) -> Vec<Value> {
        let path = format!("/api/v1/jobs/{}/attempts", job["id"]);
        self.fixture.server.read(&path)["items"].as_array().unwrap().clone()
    }

    /// The reasons why the attempts of a job ended.
    pub fn ends(&self, job: &Value) -> Vec<String> {
        let reason = |attempt: &Value| attempt["end_reason"].as_str().unwrap_or("running").to_owned();
        self.attempts(job).iter().map(reason).collect()
    }
}

impl Keeper {
    /// Ends it in good order.
    pub fn stop(mut self) {
        assert!(signal(self.0.id(), "TERM"));
        assert!(self.0.wait().unwrap().success());
    }

    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
