import type { JobState } from "./contract";

/** The order in which states are listed and drawn. */
export const JOB_STATES: readonly JobState[] = ["succeeded", "failed", "cancelled", "running", "paused", "queued"];
