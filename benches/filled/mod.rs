//! A database with synthetic experiments.

use optlab::store::{self, AttemptEnd, CompleteRun, Origin, Slot, Store, Submission};
use optlab_domain::{Action, Device, ExperimentId, JobId, series};
use optlab_spec::protocol::{Environment, Summary};
use optlab_spec::submission;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use std::sync::Arc;

const LEASE_MS: i64 = 3_600_000;

/// The points of each job of an experiment.
pub struct Curve {
    pub series: &'static str,
    pub points: i64,
    /// Steps between two points.
    pub every: i64,
    /// Value as an SQLite expression of `step`.
    pub value: &'static str,
}

/// A new SQLite database.
pub struct Database {
    store: Arc<Store>,
    slot: Slot,
    connection: SqliteConnection,
}

impl Database {
    pub async fn open(url: &str) -> Self {
        let store = store::open(url).await.unwrap();
        let worker = store.register_worker("bench", &[], &Origin::default()).await.unwrap();
        let slot = Slot { worker, device: Device::Cpu };
        Self { store, slot, connection: SqliteConnection::connect(url).await.unwrap() }
    }

    /// Submits an experiment with this many arms and seeds; returns its id. Its jobs are queued.
    pub async fn submit(&mut self, arms: i64, seeds: i64) -> ExperimentId {
        let arm = |arm| json!({ "name": format!("arm-{arm}"), "method": { "kind": "baseline" } });
        let overrides = json!({
            "seeds": (0..seeds).collect::<Vec<_>>(), "arms": (0..arms).map(arm).collect::<Vec<_>>(),
        });
        let spec = submission::resolve(&json!({ "recipe": "digits-mlp", "overrides": overrides })).unwrap();
        self.store.submit(Submission::of(&spec)).await.unwrap()
    }

    pub async fn cancel(&mut self, experiment: ExperimentId) {
        self.store.act_on_experiment(experiment, Action::Cancel).await.unwrap();
    }

    /// Submits an experiment and completes all of its jobs; returns its id.
    pub async fn fill(&mut self, arms: i64, seeds: i64, curves: &[Curve]) -> ExperimentId {
        let experiment = self.submit(arms, seeds).await;
        for _ in 0..arms * seeds {
            let lease = self.store.claim(&self.slot, LEASE_MS).await.unwrap().unwrap().lease;
            let last = curves.iter().map(|curve| curve.points * curve.every).max().unwrap_or_default();
            self.store.start(lease, &environment(), 0, last as u64).await.unwrap();
            for curve in curves {
                self.draw(lease.job, curve).await;
            }
            let summary: Summary =
                serde_json::from_value(json!({ "parameters_trained": 10, "seconds": 2.5 })).unwrap();
            let run = CompleteRun { summary, points: Vec::new(), missing_files: Vec::new() };
            self.store.end(lease, AttemptEnd::Finished(run)).await.unwrap();
        }
        experiment
    }

    /// Inserts points directly, because writing them by flushes would take half an hour.
    async fn draw(&mut self, job: JobId, curve: &Curve) {
        let Curve { series, points, every, value } = curve;
        let about = series::about(series);
        let known = "INSERT OR IGNORE INTO series (name, unit, higher_is_better) VALUES ($1, $2, $3)";
        let known =
            sqlx::query(known).bind(series).bind(about.unit).bind(about.higher_is_better.map(i64::from));
        known.execute(&mut self.connection).await.unwrap();
        let statement = format!(
            "WITH RECURSIVE steps (step) AS (
                 SELECT {every} UNION ALL SELECT step + {every} FROM steps WHERE step < {points} * {every}
             )
             INSERT INTO metric_points
             SELECT {job}, (SELECT id FROM series WHERE name = '{series}'), step, {value}, 0 FROM steps"
        );
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut self.connection).await.unwrap();
    }

    pub async fn close(self) {
        self.connection.close().await.unwrap();
        self.store.close().await;
    }
}

fn environment() -> Environment {
    let text = |word: &str| word.to_owned();
    Environment {
        optlab: text("0"),
        libtorch: text("2"),
        device: text("cpu"),
        device_name: text("cpu"),
        threads: 1,
    }
}
