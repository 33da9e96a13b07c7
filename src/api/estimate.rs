//! Estimates how long an experiment takes, from similar complete runs.

use std::collections::{HashMap, HashSet};
use std::mem::discriminant;

use optlab_api_types::Estimate;
use optlab_spec::{ExperimentSpec, JobSpec};

use super::error::ApiError;
use super::state::AppState;
use crate::store::PastRun;

/// Number of runs per method that are considered, the latest first.
const LATEST: i64 = 100;

/// The estimated time of all jobs of `spec`.
pub(super) async fn estimate(state: &AppState, spec: &ExperimentSpec) -> Result<Estimate, ApiError> {
    let mut past: HashMap<String, Vec<PastRun>> = HashMap::new();
    let (mut seconds, mut measured) = (Some(0.0), HashSet::new());
    for arm in &spec.arms {
        let method = arm.method.to_string();
        if !past.contains_key(&method) {
            past.insert(method.clone(), state.store.past_runs(&method, LATEST).await?);
        }
        // Jobs of an arm differ in their seeds, and trials in settings that seldom change the cost.
        let job = spec.job(arm, 0);
        let alike = past[&method].iter().filter(|run| costs_the_same(&run.spec, &job));
        let mut paces = Vec::new();
        for run in alike {
            measured.insert(run.job);
            paces.push(run.seconds_per_step);
        }
        paces.sort_by(f64::total_cmp);
        let pace = paces.get(paces.len() / 2);
        seconds = seconds.zip(pace).map(|(all, pace)| all + pace * spec.expected_updates(arm));
    }
    Ok(Estimate { seconds, jobs_measured: measured.len() })
}

/// Whether an update takes about as long in both, on the same machine. Rates and schedules make no difference.
fn costs_the_same(a: &JobSpec, b: &JobSpec) -> bool {
    let (x, y) = (&a.train, &b.train);
    (a.method.without_rates(), &a.resources) == (b.method.without_rates(), &b.resources)
        && (&x.model, &x.data, x.batch_size, x.precision) == (&y.model, &y.data, y.batch_size, y.precision)
        && discriminant(&x.optimizer) == discriminant(&y.optimizer)
}
