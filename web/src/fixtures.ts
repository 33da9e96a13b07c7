// Answers for tests: a new job and a new attempt.

import type { Attempt, Job } from "./contract";

export const JOB: Job = {
  id: 1, experiment_id: 1, arm: "a", method: "baseline", phase: "confirm", trial: null, seed: 0, state: "succeeded", requested: null, end_reason: null, error: null, attempt: 1, priority: 0,
  step: 0, steps: 100, rungs_passed: 0, waits_at: null, eta_seconds: null, queue_position: null, why_queued: null, trouble: null, device: null, created_at: "", started_at: null, ended_at: null,
  test_error: null, energy: null, seconds: null,
};

export const ATTEMPT: Attempt = {
  number: 1, worker_id: 1, device: "cpu", engine: null, engine_job: null, node: null, environment: null, start_step: 0, started_at: "", ended_at: null, end_reason: null, error: null,
};
