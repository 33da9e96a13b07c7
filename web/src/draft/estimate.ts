// The size and the estimated time of a submission, in words.

import type { DryRun } from "../contract";
import { count, roughly, plural } from "../format";

type Planned = Pick<DryRun["jobs"][number], "arm" | "trial" | "seed" | "steps">;

/** "3 arms × 5 seeds: 15 jobs of 2,700 steps", or of a tuned experiment "3 arms × (9 trials × 2 seeds + 5 seeds): ...". */
export function extent({ jobs }: { jobs: Planned[] }): string {
  const arms = new Set(jobs.map((job) => job.arm)).size;
  const runs = (some: Planned[]) => plural(new Set(some.map((job) => job.seed)).size, "seed");
  const tried = jobs.filter((job) => typeof job.trial === "number");
  const trials = new Set(tried.map((job) => job.trial)).size;
  const confirming = runs(jobs.filter((job) => typeof job.trial !== "number"));
  const seeds = trials > 0 ? `(${plural(trials, "trial")} × ${runs(tried)} + ${confirming})` : confirming;
  const steps = jobs.map((job) => job.steps);
  const [fewest, most] = [Math.min(...steps), Math.max(...steps)];
  const each = fewest === most ? plural(most, "step") : `${count(fewest)} to ${plural(most, "step")}`;
  return `${plural(arms, "arm")} × ${seeds}: ${plural(jobs.length, "job")} of ${each}`;
}

/** The time on one slot, and on all suitable slots. */
export function time({ estimate, jobs, slots: all }: Pick<DryRun, "estimate" | "jobs" | "slots">): string {
  if (estimate.seconds === null) return "no estimate yet: no similar job has run";
  const alone = `about ${roughly(estimate.seconds)} on one slot`;
  const slots = Math.min(all, jobs.length);
  return slots > 1 ? `${alone}, ${roughly(estimate.seconds / slots)} on ${slots} available slots` : alone;
}
