//! The columns of a job.

/// All the columns of [`Job`](crate::store::Job), from a table `j` of jobs. `$more` is a list of further columns that ends
/// with a comma.
macro_rules! select_jobs {
    (with $more:literal; $($rest:expr),+) => {
        concat!(
            "SELECT ",
            $more,
            optlab_domain::job_columns!(),
            "j.device_wanted, j.not_before_ms, j.version,
                a.device, coalesce(a.start_step, 0) AS start_step, a.end_reason AS attempt_end, a.error AS attempt_error,
                r.test_error, r.energy, CASE WHEN j.state = 'succeeded' THEN a.seconds END AS seconds
             FROM jobs j
             LEFT JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
             LEFT JOIN results r ON r.job_id = j.id ",
            $($rest),+
        )
    };
    ($($rest:expr),+) => {
        select_jobs!(with ""; $($rest),+)
    };
}
pub(super) use select_jobs;
