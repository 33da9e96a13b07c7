-- What a queue for many machines needs: files of jobs, delayed retries, draining workers and what they offer, tokens.

ALTER TABLE jobs ADD COLUMN not_before_ms BIGINT NOT NULL DEFAULT 0;   -- a retry waits until then

ALTER TABLE attempts ADD COLUMN start_step BIGINT NOT NULL DEFAULT 0;  -- completed updates when it began

ALTER TABLE workers ADD COLUMN draining BIGINT NOT NULL DEFAULT 0;     -- 1: claims nothing more

-- `devices` of workers, once one entry a slot, is a JSON list of {device, name, slots, memory}; memory, {total_bytes,
-- used_bytes}, is as the worker last reported it.
UPDATE workers SET devices = (
    SELECT json_group_array(json_object('device', device, 'name', NULL, 'slots', slots, 'memory', NULL))
    FROM (SELECT value AS device, count(*) AS slots FROM json_each(workers.devices) GROUP BY value)
);

-- Nothing was ever written to the table of this name.
DROP TABLE artifacts;

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
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT   NOT NULL,
    scope      TEXT   NOT NULL CHECK (scope IN ('read', 'write')),
    sha256     TEXT   NOT NULL UNIQUE,
    created_ms BIGINT NOT NULL,
    revoked_ms BIGINT
);
