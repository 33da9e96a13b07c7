// The progress of an experiment in one line, and why its jobs wait.

import { type Counts, JOB_STATES, type Job } from "./contract";
import { plural, roughly } from "./format";

export function total(counts: Counts): number {
  return JOB_STATES.reduce((sum, state) => sum + counts[state], 0);
}

/** The jobs of several experiments per state. */
export function sum(all: Counts[]): Counts {
  const counts = tally([]);
  for (const one of all) for (const state of JOB_STATES) counts[state] += one[state];
  return counts;
}

/** The number of jobs per state. */
export function tally(jobs: Job[]): Counts {
  const counts: Counts = { queued: 0, running: 0, paused: 0, succeeded: 0, failed: 0, cancelled: 0 };
  for (const job of jobs) counts[job.state] += 1;
  return counts;
}

export function unfinished(counts: Counts): number {
  return counts.queued + counts.running + counts.paused;
}

/** One word for the experiment: what is happening, or how it ended. */
export function overall(counts: Counts): string {
  if (counts.running > 0) return "running";
  if (counts.queued > 0) return "queued";
  if (counts.paused > 0) return "paused";
  if (counts.failed > 0) return "failed";
  if (counts.cancelled > 0) return "cancelled";
  return "done";
}

/** Whether a job may still train. */
export function isOpen({ state }: Pick<Job, "state">): boolean {
  return state === "queued" || state === "running" || state === "paused";
}

/** "running · 7 of 15 done · 1 failed · about 12 min left", as its parts. */
export function summary(counts: Counts, eta_seconds: number | null): string[] {
  const all = total(counts);
  const word = overall(counts);
  const failed = `${counts.failed} failed`;
  const parts = [word === "failed" ? failed : word, counts.succeeded < all ? `${counts.succeeded} of ${all} done` : plural(all, "job")];
  if (counts.failed > 0 && word !== "failed") parts.push(failed);
  if (eta_seconds != null && unfinished(counts) > 0) parts.push(`about ${roughly(eta_seconds)} left`);
  return parts;
}

/** Why no job of an experiment runs, in the server's words, for the first one in the queue; null if none waits. */
export function waiting(jobs: Job[]): string | null {
  if (jobs.some((job) => job.state === "running")) return null;
  // A trial at a rung waits for others, not for a slot.
  const queued = jobs.filter((job) => job.state === "queued" && job.why_queued);
  const first = queued.find((job) => job.waits_at == null) ?? queued[0];
  return first ? `job #${first.id} waits: ${first.why_queued}` : null;
}
