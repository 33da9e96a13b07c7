-- The schema is a public contract: researchers query it. Times are milliseconds since the epoch, JSON is text.
-- It is that of SQLite after its migration of the same number.

CREATE TABLE experiments (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        TEXT    NOT NULL,               -- not unique
    notes       TEXT    NOT NULL,
    tags        TEXT    NOT NULL,               -- JSON list
    archived    BIGINT  NOT NULL DEFAULT 0,     -- 0 or 1
    spec        TEXT    NOT NULL,               -- JSON, every default spelled out
    created_ms  BIGINT  NOT NULL
);

-- What an Idempotency-Key was first used for.
CREATE TABLE submissions (
    idempotency_key TEXT   NOT NULL PRIMARY KEY,
    body_sha256     TEXT   NOT NULL,
    experiment_id   BIGINT NOT NULL REFERENCES experiments (id)
);

CREATE TABLE workers (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         TEXT   NOT NULL,               -- host and process
    -- JSON list of {device, name, slots, memory}; memory, {total_bytes, used_bytes}, is as the worker last reported it.
    devices      TEXT   NOT NULL,
    started_ms   BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL,
    ended_ms     BIGINT,                        -- a worker that said goodbye
    draining     BIGINT NOT NULL DEFAULT 0      -- 1: claims nothing more
);

-- One training run: experiment x arm x seed.
CREATE TABLE jobs (
    id                 BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    experiment_id      BIGINT NOT NULL REFERENCES experiments (id),
    arm                TEXT   NOT NULL,
    arm_position       BIGINT NOT NULL,         -- order of the arms in the spec
    method             TEXT   NOT NULL,         -- baseline, opt:cayley, ...
    seed               BIGINT NOT NULL,
    spec               TEXT   NOT NULL,         -- JSON, complete: what the runner gets
    device_wanted      TEXT   NOT NULL,         -- any, cpu or cuda
    priority           BIGINT NOT NULL,
    max_attempts       BIGINT NOT NULL,
    time_limit_seconds BIGINT NOT NULL,
    state              TEXT   NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')),
    requested          TEXT   CHECK (requested IN ('cancel', 'pause')),
    end_reason         TEXT,
    error              TEXT,
    attempt            BIGINT NOT NULL DEFAULT 0,  -- number of the last attempt: the fence
    attempts_before    BIGINT NOT NULL DEFAULT 0,  -- attempts that a retry by hand has forgiven
    worker_id          BIGINT REFERENCES workers (id),
    lease_until_ms     BIGINT,
    not_before_ms      BIGINT NOT NULL DEFAULT 0,  -- a retry waits until then
    step               BIGINT NOT NULL DEFAULT 0,
    steps              BIGINT NOT NULL,
    parameters_trained BIGINT,
    version            BIGINT NOT NULL,         -- grows with every write to any job: what changed since?
    created_ms         BIGINT NOT NULL,
    started_ms         BIGINT,                  -- of the last attempt
    ended_ms           BIGINT,
    UNIQUE (experiment_id, arm, seed)
);

CREATE INDEX jobs_queue ON jobs (state, priority DESC, id);
CREATE INDEX jobs_version ON jobs (version);

-- One lease of a job by a worker.
CREATE TABLE attempts (
    job_id      BIGINT NOT NULL REFERENCES jobs (id),
    number      BIGINT NOT NULL,
    worker_id   BIGINT NOT NULL REFERENCES workers (id),
    device      TEXT   NOT NULL,                -- cpu, cuda:0, ...
    environment TEXT,                           -- JSON: versions, device name, threads
    start_step  BIGINT NOT NULL DEFAULT 0,      -- completed updates when it began
    started_ms  BIGINT NOT NULL,
    ended_ms    BIGINT,
    end_reason  TEXT,
    error       TEXT,
    seconds     DOUBLE PRECISION,               -- of a complete run
    PRIMARY KEY (job_id, number)
);

CREATE TABLE series (
    id               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             TEXT   NOT NULL UNIQUE,
    unit             TEXT   NOT NULL,
    higher_is_better BIGINT                     -- 1, 0, or NULL where neither is
);

-- Without foreign keys, which would be looked up for each of millions of points: whoever writes one holds its job.
CREATE TABLE metric_points (
    job_id    BIGINT NOT NULL,
    series_id BIGINT NOT NULL,
    step      BIGINT NOT NULL,
    value     DOUBLE PRECISION NOT NULL CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity')),
    time_ms   BIGINT NOT NULL,
    PRIMARY KEY (job_id, series_id, step)
);

-- Files of a job; their bytes lie under the artifact root.
CREATE TABLE artifacts (
    job_id     BIGINT NOT NULL REFERENCES jobs (id),
    name       TEXT   NOT NULL,
    kind       TEXT   NOT NULL CHECK (kind IN ('checkpoint', 'weights', 'log', 'spec', 'environment')),
    attempt    BIGINT NOT NULL,
    step       BIGINT NOT NULL,                 -- completed updates
    path       TEXT   NOT NULL,                 -- below the root
    bytes      BIGINT NOT NULL,
    sha256     TEXT   NOT NULL,                 -- lower-case hexadecimal
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (job_id, name)
);

-- What belongs to the database and not to a process: artifact_root.
CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Who may come in from other machines. The token itself is nowhere.
CREATE TABLE tokens (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       TEXT   NOT NULL,
    scope      TEXT   NOT NULL CHECK (scope IN ('read', 'write')),
    sha256     TEXT   NOT NULL UNIQUE,
    created_ms BIGINT NOT NULL,
    revoked_ms BIGINT
);

-- One row a job; figures only of those that succeeded.
CREATE VIEW job_summary AS
SELECT
    experiment_id, experiment, job_id, arm, method, seed, state, end_reason, attempts, device,
    test_accuracy, best_test_accuracy, 100.0 - test_accuracy AS test_error,
    energy, parameters_trained, seconds
FROM (
    SELECT
        j.experiment_id, e.name AS experiment, j.id AS job_id, j.arm, j.arm_position, j.method, j.seed,
        j.state, j.end_reason, j.attempt AS attempts, a.device, a.seconds, j.parameters_trained,
        CASE WHEN j.state = 'succeeded' THEN (
            SELECT p.value FROM metric_points p JOIN series s ON s.id = p.series_id
            WHERE p.job_id = j.id AND s.name = 'test/accuracy' ORDER BY p.step DESC LIMIT 1
        ) END AS test_accuracy,
        CASE WHEN j.state = 'succeeded' THEN (
            SELECT max(p.value) FROM metric_points p JOIN series s ON s.id = p.series_id
            WHERE p.job_id = j.id AND s.name = 'test/accuracy'
        ) END AS best_test_accuracy,
        CASE WHEN j.state = 'succeeded' THEN (
            SELECT p.value FROM metric_points p JOIN series s ON s.id = p.series_id
            WHERE p.job_id = j.id AND s.name = 'energy/mean' ORDER BY p.step DESC LIMIT 1
        ) END AS energy
    FROM jobs j
    JOIN experiments e ON e.id = j.experiment_id
    LEFT JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
) figures
ORDER BY experiment_id, arm_position, seed;

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
