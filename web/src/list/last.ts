// Where an experiment stands, from the ends of its curves: the arm with the lowest test error, and whom it is to be held against.

import type { Line } from "../chart/curves";

export interface Standing {
  line: Line;
  step: number;
  /** In percent, the mean over the seeds that have come to this step. */
  error: number;
  seeds: number;
  /** Whether the arm itself has gone on beyond this step. */
  earlier: boolean;
}

/**
 * The best arm and the baseline, or the second best where the baseline is the best; fewer where fewer have points. An arm
 * that is further has had more training, so both are told as they were at the last step that both have come to.
 */
export function standings(accuracies: Line[]): Standing[] {
  const begun = accuracies.filter((line) => line.steps.length > 0);
  const [best, ...others] = begun.map((line) => standingAt(line, Infinity)).sort(byError);
  if (!best) return [];
  const other = others.find(({ line }) => line.style.token === "--arm-baseline") ?? others[0];
  if (!other) return [best];
  const step = Math.min(best.step, other.step);
  // One whose first point comes later than that has only its own.
  return [best, other].map(({ line }) => standingAt(line, Math.max(step, line.steps[0]!))).sort(byError);
}

/** At the last point up to a step. */
function standingAt(line: Line, step: number): Standing {
  const index = line.steps.findLastIndex((own) => own <= step);
  return { line, step: line.steps[index]!, error: 100 - line.mean[index]!, seeds: line.n[index]!, earlier: index < line.steps.length - 1 };
}

function byError(a: Standing, b: Standing): number {
  return a.error - b.error;
}
