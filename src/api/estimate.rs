//! How long an experiment would take, by runs alike that are complete.

use std::collections::HashMap;
use std::mem::discriminant;

use optlab_api_types::Estimate;
use optlab_spec::{ExperimentSpec, JobSpec};

use super::error::ApiError;
use super::state::AppState;
use crate::store::PastRun;

/// The latest of a method that are looked at.
const LATEST: i64 = 100;

/// How long the jobs of `spec` would take.
pub(super) async fn estimate(state: &AppState, spec: &ExperimentSpec) -> Result<Estimate, ApiError> {
    let mut past: HashMap<String, Vec<PastRun>> = HashMap::new();
    let (mut seconds, mut jobs_measured) = (Some(0.0), 0);
    for arm in &spec.arms {
        let method = arm.method.to_string();
        if !past.contains_key(&method) {
            past.insert(method.clone(), state.store.past_runs(&method, LATEST).await?);
        }
        // Its jobs differ by their seeds only.
        let job = spec.job(arm, 0);
        let mut paces: Vec<f64> = past[&method]
            .iter()
            .filter(|run| costs_the_same(&run.spec, &job))
            .map(|run| run.seconds_per_step)
            .collect();
        jobs_measured += paces.len();
        paces.sort_by(f64::total_cmp);
        let of_one = paces.get(paces.len() / 2).map(|pace| pace * job.train.total_steps() as f64);
        seconds = seconds.zip(of_one).map(|(all, one)| all + one * spec.seeds.len() as f64);
    }
    Ok(Estimate { seconds, jobs_measured })
}

/// An update of both takes about as long, on the same machine: rates and schedules cost nothing.
fn costs_the_same(a: &JobSpec, b: &JobSpec) -> bool {
    let (x, y) = (&a.train, &b.train);
    (&a.method, &a.resources) == (&b.method, &b.resources)
        && (&x.model, &x.data, x.batch_size, x.precision) == (&y.model, &y.data, y.batch_size, y.precision)
        && discriminant(&x.optimizer) == discriminant(&y.optimizer)
}
