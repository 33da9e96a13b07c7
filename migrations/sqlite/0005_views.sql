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
