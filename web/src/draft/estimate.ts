// The size and the estimated time of a submission, in words.

import type { DryRun } from "../contract";
import { count, roughly, plural } from "../format";

/** "3 arms × 5 seeds: 15 jobs of 2,700 steps". */
export function extent({ jobs }: Pick<DryRun, "jobs">): string {
  const arms = new Set(jobs.map((job) => job.arm)).size;
  const seeds = new Set(jobs.map((job) => job.seed)).size;
  const steps = jobs.map((job) => job.steps);
  const [fewest, most] = [Math.min(...steps), Math.max(...steps)];
  const each = fewest === most ? plural(most, "step") : `${count(fewest)} to ${plural(most, "step")}`;
  return `${plural(arms, "arm")} × ${plural(seeds, "seed")}: ${plural(jobs.length, "job")} of ${each}`;
}

/** The time on one slot, and on all suitable slots. */
export function time({ estimate, jobs, slots: all }: Pick<DryRun, "estimate" | "jobs" | "slots">): string {
  if (estimate.seconds === null) return "no estimate yet: no similar job has run";
  const alone = `about ${roughly(estimate.seconds)} on one slot`;
  const slots = Math.min(all, jobs.length);
  return slots > 1 ? `${alone}, ${roughly(estimate.seconds / slots)} on ${slots} available slots` : alone;
}
