// Questions that researchers ask first. Each runs on SQLite and on PostgreSQL.

export interface Example {
  name: string;
  sql: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    name: "arms compared",
    sql: "SELECT * FROM arm_summary\nORDER BY experiment_id DESC, mean_test_error;",
  },
  {
    name: "seed by seed",
    sql: `-- What each arm gains on the baseline of the same seed, in points of test error.
SELECT opt.experiment_id, opt.experiment, opt.arm, opt.seed, opt.job_id,
       opt.test_error - base.test_error AS difference
FROM job_summary opt
JOIN job_summary base ON base.experiment_id = opt.experiment_id AND base.seed = opt.seed
WHERE base.method = 'baseline' AND opt.method <> 'baseline'
ORDER BY opt.experiment_id DESC, opt.arm, opt.seed;`,
  },
  {
    name: "best jobs",
    sql: `SELECT job_id, experiment, arm, seed, test_error, energy, seconds
FROM job_summary
WHERE state = 'succeeded'
ORDER BY test_error
LIMIT 20;`,
  },
  {
    name: "drift of energy",
    sql: `-- How far the energy of each job has moved from where it started, as a share of it.
SELECT j.experiment_id, j.id AS job_id, j.arm, j.seed,
       max(abs(p.value - first.value) / first.value) AS drift
FROM jobs j
JOIN series s ON s.name = 'energy/mean'
JOIN metric_points p ON p.job_id = j.id AND p.series_id = s.id
JOIN metric_points first ON first.job_id = j.id AND first.series_id = s.id AND first.step = 0
GROUP BY j.id
ORDER BY drift DESC;`,
  },
  {
    name: "steps to 95%",
    sql: `-- The first step at which a job was better than 95% on the test set.
SELECT j.experiment_id, j.id AS job_id, j.arm, j.seed, min(p.step) AS step
FROM jobs j
JOIN metric_points p ON p.job_id = j.id
JOIN series s ON s.id = p.series_id AND s.name = 'test/accuracy'
WHERE p.value >= 95
GROUP BY j.id
ORDER BY step;`,
  },
  {
    name: "what failed",
    sql: `SELECT job_id, number AS attempt, device, end_reason, error, started_ms
FROM attempts
WHERE end_reason NOT IN ('completed', 'handed_back', 'cancelled')
ORDER BY started_ms DESC;`,
  },
];
