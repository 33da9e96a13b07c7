// The tables and views for queries, in the current schema, whose names are public. Tables that a query may not read are
// left out.

const words = (text: string) => text.split(/\s+/);

export const SCHEMA: Record<string, string[]> = {
  job_summary: words(
    `experiment_id experiment job_id arm method seed state end_reason attempts device
     test_accuracy best_test_accuracy test_error
     validation_accuracy best_validation_accuracy validation_error energy parameters_trained seconds peak_memory_bytes`,
  ),
  arm_summary: words("experiment_id experiment arm method n mean_test_error std_test_error mean_energy mean_seconds"),
  trial_summary: words(
    `experiment_id experiment job_id arm method trial seed state end_reason step steps waits_at point
     validation_accuracy validation_error energy seconds chosen`,
  ),
  paired_differences: words(
    `experiment_id experiment arm method baseline seed
     test_error baseline_test_error difference energy baseline_energy seconds baseline_seconds`,
  ),
  failures: words("experiment_id experiment job_id arm method phase trial seed attempt worker device end_reason error state started_ms ended_ms"),
  curves: words("experiment_id experiment job_id arm method phase trial seed state series unit step value time_ms"),
  fleet_demand: words("device state engine jobs"),
  experiments: words("id name notes tags archived spec baseline created_ms submitted_text commit_hash commit_dirty command_line"),
  jobs: words(
    `id experiment_id arm arm_position method phase trial seed spec device_wanted priority max_attempts time_limit_seconds
     state requested end_reason error attempt attempts_before worker_id lease_until_ms not_before_ms step steps rungs_passed waits_at parameters_trained version
     created_ms started_ms ended_ms`,
  ),
  tunings: words("experiment_id arm held rungs_decided trial candidates frozen_ms"),
  attempts: words("job_id number worker_id device environment start_step started_ms ended_ms end_reason error seconds"),
  results: words(
    "job_id test_accuracy test_error best_test_accuracy validation_accuracy validation_error best_validation_accuracy energy peak_memory_bytes",
  ),
  series: words("id name unit higher_is_better"),
  metric_points: words("job_id series_id step value time_ms"),
  workers: words("id name devices started_ms last_seen_ms ended_ms draining trouble engine engine_job node pool until_ms preempted"),
  pools: words("name mark engine device max_workers pilots failures paused_until_ms trouble holder held_until_ms seen_ms"),
  artifacts: words("job_id name kind attempt step path bytes sha256 created_ms"),
};
