-- Final figures are kept beside the points that they come from, so that a summary need not read curves.

-- What a job that succeeded ended with; written in the transaction of its end, and never again.
CREATE TABLE results (
    job_id             BIGINT NOT NULL PRIMARY KEY REFERENCES jobs (id),
    test_accuracy      DOUBLE PRECISION,        -- of the last evaluation, percent
    best_test_accuracy DOUBLE PRECISION,        -- of the evaluation that was best on the test set itself
    energy             DOUBLE PRECISION,        -- the last energy/mean
    peak_memory_bytes  BIGINT                   -- of the runner of the last attempt; only on a CPU
);

INSERT INTO results (job_id, test_accuracy, best_test_accuracy, energy)
SELECT
    j.id,
    (SELECT p.value FROM metric_points p JOIN series s ON s.id = p.series_id
     WHERE p.job_id = j.id AND s.name = 'test/accuracy' ORDER BY p.step DESC LIMIT 1),
    (SELECT max(p.value) FROM metric_points p JOIN series s ON s.id = p.series_id
     WHERE p.job_id = j.id AND s.name = 'test/accuracy'),
    (SELECT p.value FROM metric_points p JOIN series s ON s.id = p.series_id
     WHERE p.job_id = j.id AND s.name = 'energy/mean' ORDER BY p.step DESC LIMIT 1)
FROM jobs j
WHERE j.state = 'succeeded';

DROP VIEW arm_summary;
DROP VIEW job_summary;

-- One row a job; figures only of those that succeeded.
CREATE VIEW job_summary AS
SELECT
    j.experiment_id, e.name AS experiment, j.id AS job_id, j.arm, j.method, j.seed, j.state, j.end_reason,
    j.attempt AS attempts, a.device, r.test_accuracy, r.best_test_accuracy, 100.0 - r.test_accuracy AS test_error,
    r.energy, j.parameters_trained, a.seconds, r.peak_memory_bytes
FROM jobs j
JOIN experiments e ON e.id = j.experiment_id
LEFT JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
LEFT JOIN results r ON r.job_id = j.id
ORDER BY j.experiment_id, j.arm_position, j.seed;

-- One row an arm, over its succeeded jobs; the standard deviation is that of a sample.
CREATE VIEW arm_summary AS
SELECT
    mean.experiment_id, mean.experiment, mean.arm, mean.method, mean.n, mean.mean_test_error,
    CASE WHEN mean.n > 1 THEN sqrt(spread.squares / (mean.n - 1)) END AS std_test_error,
    mean.mean_energy, mean.mean_seconds
FROM (
    SELECT
        experiment_id, experiment, arm, method, min(job_id) AS first_job, count(test_error) AS n,
        avg(test_error) AS mean_test_error, avg(energy) AS mean_energy, avg(seconds) AS mean_seconds
    FROM job_summary
    GROUP BY experiment_id, experiment, arm, method
) mean
LEFT JOIN (
    SELECT s.experiment_id, s.arm, sum((s.test_error - m.mean) * (s.test_error - m.mean)) AS squares
    FROM job_summary s
    JOIN (SELECT experiment_id, arm, avg(test_error) AS mean FROM job_summary GROUP BY experiment_id, arm) m
      ON m.experiment_id = s.experiment_id AND m.arm = s.arm
    GROUP BY s.experiment_id, s.arm
) spread ON spread.experiment_id = mean.experiment_id AND spread.arm = mean.arm
ORDER BY mean.experiment_id, mean.first_job;

-- One row a pair: a seed of which an arm and the baseline have both succeeded. The baseline is the first arm of the method
-- `baseline`, else of one with another start, else the first arm.
CREATE VIEW paired_differences AS
SELECT
    j.experiment_id, e.name AS experiment, j.arm, j.method, base.arm AS baseline, j.seed,
    100.0 - r.test_accuracy AS test_error, 100.0 - base_r.test_accuracy AS baseline_test_error,
    base_r.test_accuracy - r.test_accuracy AS difference, r.energy, base_r.energy AS baseline_energy,
    a.seconds, base_a.seconds AS baseline_seconds
FROM (
    SELECT
        experiment_id,
        coalesce(
            min(CASE WHEN method = 'baseline' THEN arm_position END),
            min(CASE WHEN method LIKE 'baseline:%' THEN arm_position END),
            min(arm_position)
        ) AS arm_position
    FROM jobs
    GROUP BY experiment_id
) chosen
JOIN jobs base ON base.experiment_id = chosen.experiment_id AND base.arm_position = chosen.arm_position
JOIN jobs j ON j.experiment_id = base.experiment_id AND j.seed = base.seed AND j.arm <> base.arm
JOIN experiments e ON e.id = j.experiment_id
JOIN results base_r ON base_r.job_id = base.id
JOIN results r ON r.job_id = j.id
JOIN attempts base_a ON base_a.job_id = base.id AND base_a.number = base.attempt
JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
WHERE r.test_accuracy IS NOT NULL AND base_r.test_accuracy IS NOT NULL
ORDER BY j.experiment_id, j.arm_position, j.seed;
