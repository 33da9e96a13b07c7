//! The time until an experiment has ended, from the pace of its jobs.

use sqlx_macros::FromRow;

/// A running job that nobody has asked to stop.
pub(super) struct Running<'a> {
    pub(super) arm: &'a str,
    pub(super) steps_left: i64,
    /// At its recent pace, if that is known.
    pub(super) seconds_per_step: Option<f64>,
}

/// The queued jobs of an arm, and the mean pace of its succeeded ones.
#[derive(FromRow)]
pub(super) struct Waiting {
    pub(super) arm: String,
    pub(super) steps_left: i64,
    pub(super) seconds_per_step: Option<f64>,
}

/// All work that is left, shared by as many slots as run now, but at least the time of the longest running job. The
/// pace of an arm is that of its running jobs, else of those that have succeeded. `None` if an arm's is unknown.
pub(super) fn time_left(running: &[Running<'_>], waiting: &[Waiting]) -> Option<f64> {
    let pace = |arm: &str| {
        let known: Vec<f64> =
            running.iter().filter(|job| job.arm == arm).filter_map(|job| job.seconds_per_step).collect();
        let past = || waiting.iter().find(|jobs| jobs.arm == arm)?.seconds_per_step;
        if known.is_empty() { past() } else { Some(known.iter().sum::<f64>() / known.len() as f64) }
    };
    let (mut work, mut longest) = (0.0, 0.0);
    for job in running {
        let left = job.steps_left as f64 * job.seconds_per_step.or_else(|| pace(job.arm))?;
        work += left;
        longest = f64::max(longest, left);
    }
    for jobs in waiting.iter().filter(|jobs| jobs.steps_left > 0) {
        work += jobs.steps_left as f64 * pace(&jobs.arm)?;
    }
    (!running.is_empty()).then(|| f64::max(work / running.len() as f64, longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(arm: &str, steps_left: i64, seconds_per_step: Option<f64>) -> Running<'_> {
        Running { arm, steps_left, seconds_per_step }
    }

    fn waiting(arm: &str, steps_left: i64, seconds_per_step: Option<f64>) -> Waiting {
        Waiting { arm: arm.to_owned(), steps_left, seconds_per_step }
    }

    #[test]
    fn each_arm_has_its_own_pace() {
        // 10 + 100 seconds are left of the running jobs, 20 + 200 of the queued ones, on two slots.
        let now = [running("fast", 100, Some(0.1)), running("slow", 100, Some(1.0))];
        let next = [waiting("fast", 200, None), waiting("slow", 200, Some(9.0))];
        assert_eq!(time_left(&now, &next), Some(165.0));
    }

    #[test]
    fn the_longest_job_is_a_lower_bound() {
        let now = [running("fast", 100, Some(0.1)), running("slow", 100, Some(1.0))];
        assert_eq!(time_left(&now, &[]), Some(100.0));
    }

    #[test]
    fn a_pace_comes_from_succeeded_jobs_where_none_has_run_for_long() {
        let now = [running("fast", 100, None)];
        let next = [waiting("fast", 100, Some(0.2)), waiting("slow", 10, Some(1.0))];
        assert_eq!(time_left(&now, &next), Some(50.0));
    }

    #[test]
    fn an_unknown_pace_gives_no_estimate() {
        let now = [running("fast", 100, Some(0.1))];
        assert_eq!(time_left(&now, &[waiting("slow", 100, None)]), None);
        assert_eq!(time_left(&now, &[waiting("slow", 0, None)]), Some(10.0));
        assert_eq!(time_left(&[running("fast", 100, None)], &[]), None);
        assert_eq!(time_left(&[], &[]), None);
    }
}
