//! The columns of a job.

/// All the columns of [`Job`](crate::store::Job), from a table `j` of jobs. `$more` is a list of further columns that ends
/// with a comma.
macro_rules! select_jobs {
    // A column of one training point of the running attempt.
    (@point $column:literal, $which:literal) => {
        concat!(
            "(SELECT p.",
            $column,
            " FROM metric_points p
              WHERE p.job_id = j.id AND p.series_id = (SELECT id FROM series WHERE name = 'train/loss')
                AND p.step > a.start_step ",
            $which,
            " LIMIT 1)"
        )
    };
    (with $more:literal; $($rest:expr),+) => {
        concat!(
            "SELECT ",
            $more,
            optlab_domain::job_columns!(),
            "j.device_wanted, j.not_before_ms, j.version,
                a.device, coalesce(a.start_step, 0) AS start_step, a.end_reason AS attempt_end, a.error AS attempt_error,
                r.test_error, r.energy, CASE WHEN j.state = 'succeeded' THEN a.seconds END AS seconds",
            // The pace is measured by two training points of the attempt: the last one, and the last one that is a tenth of
            // the run older, or the first.
            ", CASE WHEN j.state = 'running' THEN ",
            select_jobs!(@point "step", "ORDER BY p.step DESC"),
            " END AS to_step, CASE WHEN j.state = 'running' THEN ",
            select_jobs!(@point "time_ms", "ORDER BY p.step DESC"),
            " END AS to_ms, CASE WHEN j.state = 'running' THEN coalesce(",
            select_jobs!(@point "step", "AND p.step <= j.step - j.steps / 10 ORDER BY p.step DESC"),
            ", ",
            select_jobs!(@point "step", "ORDER BY p.step"),
            ") END AS from_step, CASE WHEN j.state = 'running' THEN coalesce(",
            select_jobs!(@point "time_ms", "AND p.step <= j.step - j.steps / 10 ORDER BY p.step DESC"),
            ", ",
            select_jobs!(@point "time_ms", "ORDER BY p.step"),
            ") END AS from_ms
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
pub(in crate::store) use select_jobs;
