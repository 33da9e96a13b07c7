-- The schema is a public contract: researchers query it. Times are milliseconds since the epoch, JSON is text.

CREATE TABLE experiments (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL,               -- not unique
    notes       TEXT    NOT NULL,
    tags        TEXT    NOT NULL,               -- JSON list
    archived    BIGINT  NOT NULL DEFAULT 0,     -- 0 or 1
    spec        TEXT    NOT NULL,               -- JSON, every default spelled out, arm by arm
    -- The arm that others are compared with; NULL if none is named and not exactly one has the method `baseline`.
    baseline    TEXT    GENERATED ALWAYS AS (json_extract(spec, '$.baseline')) STORED,
    created_ms  BIGINT  NOT NULL,
    -- The request as it was sent, JSON or TOML; NULL if it was not stored. A copy of the experiment starts from it, so
    -- that inherited fields stay inherited.
    submitted_text TEXT,
    -- Where the submission came from, if the client told.
    commit_hash    TEXT,                        -- git commit of the client's working folder
    commit_dirty   BIGINT,                      -- 1: tracked files had changes that were not committed
    command_line   TEXT                         -- without secrets
);

-- What an Idempotency-Key was first used for.
CREATE TABLE submissions (
    idempotency_key TEXT   NOT NULL PRIMARY KEY,
    body_sha256     TEXT   NOT NULL,
    experiment_id   BIGINT NOT NULL REFERENCES experiments (id)
);

CREATE TABLE workers (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT   NOT NULL,               -- host and process
    -- JSON list of {device, name, slots, resting, memory}; memory, {total_bytes, used_bytes}, is as the worker last
    -- reported it.
    devices      TEXT   NOT NULL,
    started_ms   BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL,
    ended_ms     BIGINT,                        -- of a worker that stopped in good order
    draining     BIGINT NOT NULL DEFAULT 0,     -- 1: claims nothing more
    trouble      TEXT,                          -- why it, or one of its slots, claims nothing now
    -- Of a worker that an engine started: the engine, its id for the pilot, the machine and the pool there.
    engine       TEXT   CHECK (engine IN ('slurm', 'kubernetes')),
    engine_job   TEXT,
    node         TEXT,
    pool         TEXT,
    until_ms     BIGINT,                        -- when its machine goes away, if that is known
    preempted    TEXT                           -- why the engine took its machine away
);

CREATE INDEX workers_of_pilot ON workers (pool, engine_job, id) WHERE pool IS NOT NULL;

-- Pools of pilots: workers that an engine starts on demand.
CREATE TABLE pools (
    name            TEXT   NOT NULL PRIMARY KEY,
    mark            TEXT   NOT NULL,            -- distinguishes its pilots in the engine from those of other databases
    engine          TEXT   NOT NULL CHECK (engine IN ('slurm')),
    device          TEXT   NOT NULL CHECK (device IN ('cpu', 'cuda')),
    max_workers     BIGINT NOT NULL,
    pilots          TEXT   NOT NULL DEFAULT '[]',   -- JSON list of {engine_job, state, reason, node}, as last reported
    failures        BIGINT NOT NULL DEFAULT 0,  -- requests and pilots that failed, since the last one that worked
    paused_until_ms BIGINT NOT NULL DEFAULT 0,  -- no pilot is requested before
    trouble         TEXT,                       -- what failed last
    holder          BIGINT NOT NULL,            -- number of the process that keeps it, the fence of its writes
    held_until_ms   BIGINT NOT NULL,
    seen_ms         BIGINT NOT NULL             -- when it was last looked after
);

-- One training run: experiment x arm x seed, and of a tuned arm x trial.
CREATE TABLE jobs (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment_id      BIGINT NOT NULL REFERENCES experiments (id),
    arm                TEXT   NOT NULL,
    arm_position       BIGINT NOT NULL,         -- order of the arms in the spec
    method             TEXT   NOT NULL,         -- baseline, opt:cayley, ...
    phase              TEXT   NOT NULL CHECK (phase IN ('trial', 'confirm')),
    trial              BIGINT,                  -- number of the trial, from 0; NULL for a job that confirms
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
    attempts_before    BIGINT NOT NULL DEFAULT 0,  -- attempts that do not count against max_attempts
    worker_id          BIGINT REFERENCES workers (id),
    lease_until_ms     BIGINT,
    not_before_ms      BIGINT NOT NULL DEFAULT 0,  -- a retry waits until then
    step               BIGINT NOT NULL DEFAULT 0,
    steps              BIGINT NOT NULL,
    rungs_passed       BIGINT NOT NULL DEFAULT 0,  -- rungs of tune.halving at which it was among the best and went on
    waits_at           BIGINT,                     -- step of the rung that it has reached, until the choice there
    parameters_trained BIGINT,
    version            BIGINT NOT NULL,         -- grows with every write to any job: what changed since?
    created_ms         BIGINT NOT NULL,
    started_ms         BIGINT,                  -- of the last attempt
    ended_ms           BIGINT,
    CHECK ((phase = 'trial') = (trial IS NOT NULL))
);

CREATE UNIQUE INDEX jobs_confirming ON jobs (experiment_id, arm, seed) WHERE phase = 'confirm';
CREATE UNIQUE INDEX jobs_trials ON jobs (experiment_id, arm, trial, seed) WHERE phase = 'trial';

-- With `waits_at`, a claim passes over the trials that wait at a rung without reading their rows.
CREATE INDEX jobs_queue ON jobs (state, priority DESC, id, waits_at);
CREATE INDEX jobs_version ON jobs (version);
-- Thousands of jobs may wait. An experiment's jobs are counted, listed and chosen by state without reading those.
CREATE INDEX jobs_of_experiment ON jobs (experiment_id, state, attempt, arm, steps);

-- The choice of each tuned arm. It is made once, in the transaction that queues the confirming jobs of the arm, and
-- never changes afterwards.
CREATE TABLE tunings (
    experiment_id BIGINT NOT NULL REFERENCES experiments (id),
    arm           TEXT   NOT NULL,
    -- Why no choice is made for now: a person cancelled or paused the experiment, or every trial has failed.
    held          TEXT   CHECK (held IN ('cancelled', 'paused', 'failed')),
    rungs_decided BIGINT NOT NULL DEFAULT 0,    -- rungs of tune.halving at which the trials that go on were chosen
    trial         BIGINT,                       -- the chosen one; NULL until then
    candidates    TEXT,                         -- JSON list of all trials with their scores, the best first
    frozen_ms     BIGINT,
    PRIMARY KEY (experiment_id, arm),
    CHECK ((frozen_ms IS NULL) = (trial IS NULL) AND (frozen_ms IS NULL) = (candidates IS NULL))
);

CREATE INDEX tunings_open ON tunings (experiment_id, arm) WHERE frozen_ms IS NULL;

-- Jobs of deleted experiments: the files of these jobs are removed, and pages show that the experiment is gone.
CREATE TABLE deleted_jobs (
    job_id        BIGINT NOT NULL PRIMARY KEY,
    experiment_id BIGINT NOT NULL,
    version       BIGINT NOT NULL               -- of the deletion; as jobs.version
);

CREATE INDEX deleted_jobs_version ON deleted_jobs (version);

-- Number of ended attempts of deleted jobs; /metrics counts them on.
CREATE TABLE deleted_attempts (
    end_reason TEXT   NOT NULL PRIMARY KEY,
    number     BIGINT NOT NULL
);

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

CREATE INDEX attempts_of_worker ON attempts (worker_id);

CREATE TABLE series (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT   NOT NULL UNIQUE,
    unit             TEXT   NOT NULL,
    higher_is_better BIGINT                     -- 1, 0, or NULL where neither is
);

CREATE TABLE metric_points (
    job_id    BIGINT NOT NULL REFERENCES jobs (id),
    series_id BIGINT NOT NULL REFERENCES series (id),
    step      BIGINT NOT NULL,
    value     DOUBLE PRECISION NOT NULL,
    time_ms   BIGINT NOT NULL,
    PRIMARY KEY (job_id, series_id, step)
) WITHOUT ROWID;

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

-- API tokens. Only their hashes are stored.
CREATE TABLE tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT   NOT NULL,
    scope      TEXT   NOT NULL CHECK (scope IN ('read', 'write')),
    sha256     TEXT   NOT NULL UNIQUE,
    created_ms BIGINT NOT NULL,
    revoked_ms BIGINT
);

-- What a job that succeeded ended with; written in the transaction of its end, and never again.
CREATE TABLE results (
    job_id             BIGINT NOT NULL PRIMARY KEY REFERENCES jobs (id),
    test_accuracy      DOUBLE PRECISION,        -- of the last evaluation, percent
    test_error         DOUBLE PRECISION GENERATED ALWAYS AS (100.0 - test_accuracy) STORED,
    best_test_accuracy DOUBLE PRECISION,        -- of the evaluation that was best on the test set itself
    validation_accuracy      DOUBLE PRECISION,  -- the same of the validation set, if there is one
    validation_error         DOUBLE PRECISION GENERATED ALWAYS AS (100.0 - validation_accuracy) STORED,
    best_validation_accuracy DOUBLE PRECISION,
    energy             DOUBLE PRECISION,        -- the last energy/mean
    peak_memory_bytes  BIGINT                   -- of the last attempt: of the runner on a CPU, of its tensors on a GPU
);

-- Long curves as charts need them, derived from metric_points: buckets of steps with their lowest and highest points.

-- How far a curve has been condensed. A short curve has no row.
CREATE TABLE condensed_curves (
    job_id       BIGINT NOT NULL,
    series_id    BIGINT NOT NULL,
    width        BIGINT NOT NULL,               -- steps of a bucket of the finest level; a power of two
    condensed_to BIGINT NOT NULL,               -- points at this step and later ones are in no bucket yet
    first_step   BIGINT NOT NULL,               -- of the first point
    first_value  DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (job_id, series_id)
) WITHOUT ROWID;

-- 64 neighbouring stretches of a level. Each level has stretches four times as long as the one below it.
CREATE TABLE curve_blocks (
    job_id     BIGINT NOT NULL,
    series_id  BIGINT NOT NULL,
    width      BIGINT NOT NULL,                 -- steps of a bucket of this level
    first_step BIGINT NOT NULL,                 -- where the block begins: a multiple of 64 * width
    buckets    BLOB   NOT NULL,                 -- those that have points; see src/store/curves/block.rs
    PRIMARY KEY (job_id, series_id, width, first_step)
);

-- One row per job that counts in the comparison; figures only of those that succeeded.
CREATE VIEW job_summary AS
SELECT
    j.experiment_id, e.name AS experiment, j.id AS job_id, j.arm, j.method, j.seed, j.state, j.end_reason,
    j.attempt AS attempts, a.device, r.test_accuracy, r.best_test_accuracy, r.test_error,
    r.validation_accuracy, r.best_validation_accuracy, r.validation_error, r.energy, j.parameters_trained, a.seconds, r.peak_memory_bytes
FROM jobs j
JOIN experiments e ON e.id = j.experiment_id
LEFT JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
LEFT JOIN results r ON r.job_id = j.id
WHERE j.phase = 'confirm'
ORDER BY j.experiment_id, j.arm_position, j.seed;

-- One row per trial and seed; figures only of those that succeeded, of the rung for those that were stopped early. No
-- trial is evaluated on the test set.
CREATE VIEW trial_summary AS
SELECT
    j.experiment_id, e.name AS experiment, j.id AS job_id, j.arm, j.method, j.trial, j.seed, j.state, j.end_reason,
    j.step, j.steps, j.waits_at,
    json_extract(j.spec, '$.point') AS point, r.validation_accuracy, r.validation_error, r.energy, a.seconds,
    CASE WHEN t.trial IS NOT NULL THEN CASE WHEN t.trial = j.trial THEN 1 ELSE 0 END END AS chosen
FROM jobs j
JOIN experiments e ON e.id = j.experiment_id
LEFT JOIN tunings t ON t.experiment_id = j.experiment_id AND t.arm = j.arm
LEFT JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
LEFT JOIN results r ON r.job_id = j.id
WHERE j.phase = 'trial'
ORDER BY j.experiment_id, j.arm_position, j.trial, j.seed;

-- One row per arm, over its succeeded jobs; the standard deviation is that of a sample.
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

-- One row per pair: a seed of which an arm and the baseline of its experiment have both succeeded, on the same data. With
-- other data, a seed draws other images in another order, so that equal seeds are no pair.
CREATE VIEW paired_differences AS
SELECT
    j.experiment_id, e.name AS experiment, j.arm, j.method, base.arm AS baseline, j.seed,
    r.test_error, base_r.test_error AS baseline_test_error,
    base_r.test_accuracy - r.test_accuracy AS difference, r.energy, base_r.energy AS baseline_energy,
    a.seconds, base_a.seconds AS baseline_seconds
FROM experiments e
JOIN jobs base ON base.experiment_id = e.id AND base.arm = e.baseline AND base.phase = 'confirm'
JOIN jobs j ON j.experiment_id = base.experiment_id AND j.seed = base.seed AND j.arm <> base.arm AND j.phase = 'confirm'
JOIN results base_r ON base_r.job_id = base.id
JOIN results r ON r.job_id = j.id
JOIN attempts base_a ON base_a.job_id = base.id AND base_a.number = base.attempt
JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
WHERE r.test_accuracy IS NOT NULL AND base_r.test_accuracy IS NOT NULL
  AND json_remove(json_extract(j.spec, '$.train.data'), '$.augment')
  = json_remove(json_extract(base.spec, '$.train.data'), '$.augment')
ORDER BY j.experiment_id, j.arm_position, j.seed;

-- Every point with the names of what it belongs to.
CREATE VIEW curves AS
SELECT
    j.experiment_id, e.name AS experiment, j.id AS job_id, j.arm, j.method, j.phase, j.trial, j.seed, j.state,
    s.name AS series, s.unit, p.step, p.value, p.time_ms
FROM metric_points p
JOIN jobs j ON j.id = p.job_id
JOIN experiments e ON e.id = j.experiment_id
JOIN series s ON s.id = p.series_id;

-- One row for each attempt that ended otherwise than with its job's success or at a rung.
CREATE VIEW failures AS
SELECT
    j.experiment_id, e.name AS experiment, a.job_id, j.arm, j.method, j.phase, j.trial, j.seed, a.number AS attempt,
    w.name AS worker, a.device, a.end_reason, a.error, j.state, a.started_ms, a.ended_ms
FROM attempts a
JOIN jobs j ON j.id = a.job_id
JOIN experiments e ON e.id = j.experiment_id
JOIN workers w ON w.id = a.worker_id
WHERE a.end_reason NOT IN ('completed', 'at_rung');

-- For what starts workers on demand: one row per kind of device, state and engine, without those that have no jobs. Queued
-- jobs that could be claimed now are counted by the device that they want, running ones by that on which they run. The
-- condition is that of `waiting` in src/store/queue/claim.rs: a delay that ends in more than five minutes counts as over.
CREATE VIEW fleet_demand AS
SELECT
    due.device, due.state, due.engine, count(*) AS jobs
FROM (
    SELECT j.device_wanted AS device, j.state, CAST(NULL AS TEXT) AS engine
    FROM jobs j
    WHERE j.state = 'queued' AND j.waits_at IS NULL
      AND j.not_before_ms - (julianday('now') - 2440587.5) * 86400000 NOT BETWEEN 1 AND 300000
    UNION ALL
    SELECT substr(a.device, 1, instr(a.device || ':', ':') - 1) AS device, j.state, w.engine
    FROM jobs j
    JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
    JOIN workers w ON w.id = a.worker_id
    WHERE j.state = 'running'
) due
GROUP BY due.device, due.state, due.engine;
