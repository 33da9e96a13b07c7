//! The time until an experiment has ended, from the pace of its jobs.

use std::collections::HashMap;

use optlab_domain::Phase;
use optlab_spec::TuneSpec;
use sqlx_macros::FromRow;

use crate::store::Job;

/// A running job that nobody has asked to stop.
pub(super) struct Running<'a> {
    pub(super) arm: &'a str,
    pub(super) steps_left: f64,
    /// At its recent pace, if that is known.
    pub(super) seconds_per_step: Option<f64>,
}

/// Jobs that wait.
pub(super) struct Waiting {
    pub(super) arm: String,
    /// Updates that all of them together still make.
    pub(super) steps_left: f64,
}

/// Jobs of one arm that are equally far.
#[derive(FromRow)]
pub(super) struct JobGroup {
    pub(super) arm: String,
    pub(super) phase: Phase,
    /// Updates of each job.
    pub(super) steps: i64,
    /// Completed updates of each job.
    pub(super) step: i64,
    pub(super) rungs_passed: i64,
    pub(super) jobs: i64,
}

impl JobGroup {
    pub(super) fn of(job: &Job) -> Self {
        let job = &job.record;
        let (arm, phase, steps, step) = (job.arm.clone(), job.phase, job.steps, job.step);
        Self { arm, phase, steps, step, rungs_passed: job.rungs_passed, jobs: 1 }
    }

    /// Updates that all of its jobs still make; of trials, the number that is expected with early stopping.
    pub(super) fn steps_left(&self, tune: Option<&TuneSpec>) -> f64 {
        let halved = tune.filter(|_| self.phase == Phase::Trial);
        let of_one = halved.and_then(|tune| {
            let (trials, passed) = (tune.trials as usize, self.rungs_passed as usize);
            let halving = tune.halving.as_ref()?;
            Some(halving.expected_updates(trials, self.steps as u64, self.step as u64, passed))
        });
        self.jobs as f64 * of_one.unwrap_or((self.steps - self.step) as f64)
    }
}

/// All work that is left, shared by as many slots as run now, but at least the time of the longest running job. The
/// pace of an arm is that of its running jobs, else the one in `past`, in seconds per update. `None` if an arm's is unknown.
pub(super) fn time_left(
    running: &[Running<'_>],
    waiting: &[Waiting],
    past: &HashMap<String, f64>,
) -> Option<f64> {
    let pace = |arm: &str| {
        let known: Vec<f64> =
            running.iter().filter(|job| job.arm == arm).filter_map(|job| job.seconds_per_step).collect();
        if known.is_empty() {
            past.get(arm).copied()
        } else {
            Some(known.iter().sum::<f64>() / known.len() as f64)
        }
    };
    let (mut work, mut longest) = (0.0, 0.0);
    for job in running {
        let left = job.steps_left * job.seconds_per_step.or_else(|| pace(job.arm))?;
        work += left;
        longest = f64::max(longest, left);
    }
    for jobs in waiting.iter().filter(|jobs| jobs.steps_left > 0.0) {
        work += jobs.steps_left * pace(&jobs.arm)?;
    }
    (!running.is_empty()).then(|| f64::max(work / running.len() as f64, longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(arm: &str, steps_left: f64, seconds_per_step: Option<f64>) -> Running<'_> {
        Running { arm, steps_left, seconds_per_step }
    }

    fn waiting(arm: &str, steps_left: f64) -> Waiting {
        Waiting { arm: arm.to_owned(), steps_left }
    }

    fn past(paces: &[(&str, f64)]) -> HashMap<String, f64> {
        paces.iter().map(|&(arm, pace)| (arm.to_owned(), pace)).collect()
    }

    #[test]
    fn each_arm_has_its_own_pace() {
        // 10 + 100 seconds are left of the running jobs, 20 + 200 of the queued ones, on two slots.
        let now = [running("fast", 100.0, Some(0.1)), running("slow", 100.0, Some(1.0))];
        let next = [waiting("fast", 200.0), waiting("slow", 200.0)];
        assert_eq!(time_left(&now, &next, &past(&[("slow", 9.0)])), Some(165.0));
    }

    #[test]
    fn the_longest_job_is_a_lower_bound() {
        let now = [running("fast", 100.0, Some(0.1)), running("slow", 100.0, Some(1.0))];
        assert_eq!(time_left(&now, &[], &past(&[])), Some(100.0));
    }

    #[test]
    fn a_pace_comes_from_succeeded_jobs_where_none_has_run_for_long() {
        let now = [running("fast", 100.0, None)];
        let next = [waiting("fast", 100.0), waiting("slow", 10.0)];
        assert_eq!(time_left(&now, &next, &past(&[("fast", 0.2), ("slow", 1.0)])), Some(50.0));
    }

    #[test]
    fn an_unknown_pace_gives_no_estimate() {
        let (now, none) = ([running("fast", 100.0, Some(0.1))], past(&[]));
        assert_eq!(time_left(&now, &[waiting("slow", 100.0)], &none), None);
        assert_eq!(time_left(&now, &[waiting("slow", 0.0)], &none), Some(10.0));
        assert_eq!(time_left(&[running("fast", 100.0, None)], &[], &none), None);
        assert_eq!(time_left(&[], &[], &none), None);
    }
}
