// The shapes that the server sends; `/api/openapi.json` describes them in full. Times are RFC 3339 in UTC.

export type JobState = "queued" | "running" | "paused" | "succeeded" | "failed" | "cancelled";

/** The order in which states are listed and drawn. */
export const JOB_STATES: readonly JobState[] = ["succeeded", "failed", "cancelled", "running", "paused", "queued"];

export type Counts = Record<JobState, number>;

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** What the reader may do. Without tokens, on one machine, everybody may write and nobody is signed in. */
export interface Session {
  scope: "read" | "write";
  signed_in: boolean;
}

export interface Arm {
  name: string;
  method: string;
}

export interface ExperimentSummary {
  id: number;
  name: string;
  notes: string;
  tags: string[];
  archived: boolean;
  created_at: string;
  arms: Arm[];
  seeds: number[];
  counts: Counts;
  /** Completed updates of all jobs, and how many there will be. */
  step: number;
  steps: number;
  eta_seconds: number | null;
}

export interface SeriesInfo {
  name: string;
  unit: string;
  higher_is_better: boolean | null;
}

/** The parts of a resolved spec that the page reads; the rest passes through unread. */
export interface ResolvedSpec {
  resources?: { device?: string };
  train?: {
    epochs?: number | null;
    steps?: number | null;
    batch_size?: number;
    data?: { name?: string; samples?: number; validation?: number | null };
    model?: { kind?: string };
  };
  arms?: { train?: object | null }[];
}

export interface Experiment extends ExperimentSummary {
  spec: ResolvedSpec;
  series: SeriesInfo[];
}

/** One arm's curve over its seeds; `std` is null at steps that only one seed has reached. */
export interface ArmCurve {
  arm: string;
  method: string;
  steps: number[];
  mean: number[];
  std: (number | null)[];
  min: number[];
  max: number[];
  n: number[];
}

export interface Curves {
  series: string;
  unit: string;
  higher_is_better: boolean | null;
  /** Steps of a stretch; 1 where no point was left out. */
  width: number;
  arms: ArmCurve[];
}

export interface Run {
  job_id: number;
  arm: string;
  seed: number;
  steps: number[];
  values: number[];
}

export interface Runs {
  series: string;
  unit: string;
  higher_is_better: boolean | null;
  width: number;
  runs: Run[];
}

/** An OPT job whose invariant does not hold any more. */
export interface Warning {
  job_id: number;
  arm: string;
  seed: number;
  series: string;
  value: number;
  tolerance: number;
  detail: string;
}

/** A paired difference to the baseline, with its 95% interval by Student's t. */
export interface Difference {
  n: number;
  mean: number;
  std: number;
  low: number;
  high: number;
  bootstrap_low: number;
  bootstrap_high: number;
  /** Paired t-test; `p_adjusted` is after Holm, for all arms that are tested. */
  p_value: number;
  p_adjusted: number;
  /** Whether `p_adjusted` is below 0.05. */
  significant: boolean;
  sign_flip: { p_value: number; p_adjusted: number; least_p: number; exact: boolean };
  effect_size: number;
  /** Null above 10,000. */
  seeds_needed: number | null;
}

export interface ArmResult {
  arm: string;
  method: string;
  n: number;
  mean: number | null;
  std: number | null;
  energy: number | null;
  seconds: number | null;
  /** Seeds of which both this arm and the baseline have the figure; null for the baseline. */
  pairs: number | null;
  mean_difference: number | null;
  difference?: Difference | null;
  /** Why there is none. */
  cannot_tell?: string | null;
  values: { seed: number; value: number }[];
}

/** A job without the figure: no pair of it counts. */
export interface MissingCell {
  arm: string;
  seed: number;
  job_id: number;
  state: JobState;
  end_reason: string | null;
  error: string | null;
}

export interface Comparison {
  metric: string;
  unit: string;
  higher_is_better: boolean | null;
  selected_on_test_set: boolean;
  last: number | null;
  baseline: string;
  verdict: string;
  arms: ArmResult[];
  missing: MissingCell[];
  /** Fields of the spec in which arms differ, by pointer. */
  differences: { pointer: string; values: Record<string, unknown> }[];
  /** Pairs that were trained in more than one environment. */
  environments: { arm: string; seed: number; field: string; values: string[] }[];
  bootstrap: { resamples: number; seed: number };
}

export interface Job {
  id: number;
  experiment_id: number;
  arm: string;
  method: string;
  seed: number;
  state: JobState;
  requested?: string | null;
  end_reason?: string | null;
  error?: string | null;
  attempt: number;
  priority: number;
  step: number;
  steps: number;
  eta_seconds?: number | null;
  queue_position?: number | null;
  /** Not in an event. */
  why_queued?: string | null;
  /** Of a job that runs: its runner has said nothing for long, say. */
  trouble?: string | null;
  device?: string | null;
  created_at: string;
  started_at?: string | null;
  ended_at?: string | null;
  /** Of a job that succeeded, where the server sends them. */
  test_error?: number | null;
  energy?: number | null;
  seconds?: number | null;
}

/** One lease of a job by a worker. */
export interface Attempt {
  number: number;
  worker_id: number;
  device: string;
  environment?: Record<string, unknown> | null;
  /** Completed updates when it began. */
  start_step?: number;
  started_at: string;
  ended_at?: string | null;
  end_reason?: string | null;
  error?: string | null;
}

export interface Artifact {
  name: string;
  kind: "checkpoint" | "weights" | "log" | "spec" | "environment";
  attempt: number;
  step: number;
  bytes: number;
  sha256: string;
}

export interface JobCurve extends SeriesInfo {
  /** Steps of a stretch; 1 where no point was left out. */
  width?: number;
  steps: number[];
  values: number[];
}

export interface JobMetrics {
  job_id: number;
  series: JobCurve[];
}

export interface Recipe {
  name: string;
  title?: string;
  description: string;
}

export interface RecipeDetail extends Recipe {
  spec: unknown;
  /** The file, comments included. */
  toml: string;
}

/** A mistake of a spec: a JSON pointer to the field, and what would be right. */
export interface Mistake {
  pointer: string;
  detail: string;
}

export interface DryRun {
  /** Every default spelled out. */
  spec: unknown;
  jobs: { arm: string; seed: number; steps: number }[];
  /** Slot time of all jobs, from earlier ones alike; null where there were none. */
  estimate?: { seconds: number | null; jobs_measured: number };
}

export interface Submitted {
  id: number;
  name: string;
}

/** A value of a result: bytes are in hexadecimal, integers beyond 2^53 are exact. */
export type Cell = null | number | bigint | string | boolean | { hex: string };

/** What the database answers. Names of columns may repeat. */
export interface Table {
  columns: string[];
  rows: Cell[][];
  truncated: boolean;
}

export interface OfferedDevice {
  device: string;
  name: string | null;
  slots: number;
  memory_bytes: number | null;
  memory_used_bytes: number | null;
}

export interface Worker {
  id: number;
  name: string;
  state: "active" | "draining" | "gone";
  devices: OfferedDevice[];
  slots: number;
  jobs: number[];
  /** Why it, or one of its slots, claims nothing now. */
  trouble: string | null;
  started_at: string;
  last_seen_at: string;
}

/** The data of a `metrics` event; without `series`, any may have new points. */
export interface MetricsHint {
  experiment_id: number;
  job_id: number;
  step: number;
  series?: string[];
}
