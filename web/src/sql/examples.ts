// Common queries. Each runs on SQLite and PostgreSQL; the newest experiment comes first.

export interface Example {
  name: string;
  sql: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    name: "arms compared",
    sql: `SELECT experiment_id, experiment, arm, n, mean_test_error, std_test_error, mean_energy, mean_seconds
FROM arm_summary
ORDER BY experiment_id DESC, mean_test_error;`,
  },
  {
    name: "seed by seed",
    sql: `-- What each arm gains on the baseline of the same seed, in points of test error: below 0 is better.
SELECT experiment_id, experiment, arm, seed, test_error, baseline_test_error, difference
FROM paired_differences
ORDER BY experiment_id DESC, arm, seed;`,
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
    sql: `-- How far training moved the energy of an arm from where it started, as a share of it. OPT keeps it.
SELECT p.experiment_id, p.experiment, p.arm, max(abs(p.value - first.value) / first.value) AS largest_change
FROM curves p
JOIN curves first ON first.job_id = p.job_id AND first.series = p.series AND first.step = 0
WHERE p.series = 'energy/mean'
GROUP BY p.experiment_id, p.experiment, p.arm
ORDER BY p.experiment_id DESC, largest_change;`,
  },
  {
    name: "steps to 95%",
    sql: `-- The step at which every seed of an arm that got there had passed 95% on the test set.
SELECT experiment_id, experiment, arm, count(*) AS seeds, max(passed) AS step
FROM (
  SELECT experiment_id, experiment, arm, seed, min(step) AS passed
  FROM curves
  WHERE series = 'test/accuracy' AND value >= 95
  GROUP BY experiment_id, experiment, arm, seed
) AS each_seed
GROUP BY experiment_id, experiment, arm
ORDER BY experiment_id DESC, step;`,
  },
  {
    name: "cost in time",
    sql: `SELECT experiment_id, experiment, arm, avg(seconds / baseline_seconds) AS times_as_long
FROM paired_differences
GROUP BY experiment_id, experiment, arm
ORDER BY experiment_id DESC, times_as_long;`,
  },
  {
    name: "what failed",
    sql: `-- The view has every attempt that did not lead to success; that of a job which was paused or cancelled did not fail.
SELECT job_id, experiment, arm, seed, attempt, worker, device, end_reason, error, started_ms
FROM failures
WHERE end_reason NOT IN ('handed_back', 'cancelled')
ORDER BY started_ms DESC;`,
  },
];
