-- Views for questions that many ask.

-- Every point with the names of what it belongs to.
CREATE VIEW curves AS
SELECT
    j.experiment_id, e.name AS experiment, j.id AS job_id, j.arm, j.method, j.seed, j.state,
    s.name AS series, s.unit, p.step, p.value, p.time_ms
FROM metric_points p
JOIN jobs j ON j.id = p.job_id
JOIN experiments e ON e.id = j.experiment_id
JOIN series s ON s.id = p.series_id;

-- One row for each seed of an arm that has a succeeded job, beside the same seed of each baseline of the experiment.
CREATE VIEW seed_pairs AS
SELECT
    o.experiment_id, o.experiment, o.arm, o.method, b.arm AS baseline, o.seed,
    o.test_error, b.test_error AS baseline_test_error, o.test_error - b.test_error AS difference,
    o.energy, b.energy AS baseline_energy, o.seconds, b.seconds AS baseline_seconds
FROM job_summary o
JOIN job_summary b ON b.experiment_id = o.experiment_id AND b.seed = o.seed AND b.arm <> o.arm
WHERE b.method = 'baseline' AND o.state = 'succeeded' AND b.state = 'succeeded';

-- One row for each attempt that ended otherwise than with its job's success.
CREATE VIEW failures AS
SELECT
    j.experiment_id, e.name AS experiment, a.job_id, j.arm, j.method, j.seed, a.number AS attempt,
    w.name AS worker, a.device, a.end_reason, a.error, j.state, a.started_ms, a.ended_ms
FROM attempts a
JOIN jobs j ON j.id = a.job_id
JOIN experiments e ON e.id = j.experiment_id
JOIN workers w ON w.id = a.worker_id
WHERE a.end_reason <> 'completed';
