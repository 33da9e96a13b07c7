//! The columns of a job.

/// All the columns of [`Job`](crate::store::Job), from a table `j` of jobs.
macro_rules! select_jobs {
    ($($rest:expr),+) => {
        concat!(
            "SELECT j.id, j.experiment_id, j.arm, j.method, j.seed, j.state, j.requested, j.end_reason, j.error,
                j.attempt, j.priority, j.step, j.steps, j.device_wanted, j.not_before_ms, a.device,
                coalesce(a.start_step, 0) AS start_step, j.version,
                a.end_reason AS attempt_end, a.error AS attempt_error,
                j.created_ms, j.started_ms, j.ended_ms,
                r.test_error, r.energy, CASE WHEN j.state = 'succeeded' THEN a.seconds END AS seconds
             FROM jobs j
             LEFT JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
             LEFT JOIN results r ON r.job_id = j.id ",
            $($rest),+
        )
    };
}
pub(super) use select_jobs;
