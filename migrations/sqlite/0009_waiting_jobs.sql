-- Thousands of jobs may wait. An experiment's jobs are counted, listed and chosen by state without reading those.

CREATE INDEX jobs_of_experiment ON jobs (experiment_id, state, attempt, arm, steps);
