// The standing of an experiment from the ends of its curves: the arm with the lowest test error, and its reference.

import type { Line } from "../chart/curves";
import { complement } from "../percent";

export interface Standing {
  line: Line;
  step: number;
  /** In percent, the mean over the seeds that have reached this step. */
  error: number;
  seeds: number;
  /** Whether the arm has points beyond this step. */
  earlier: boolean;
}

/**
 * The best arm and the baseline, or the second best if the baseline is the best; fewer if fewer have points. An arm
 * with more steps has had more training, so both are compared at the last step that both have reached.
 */
export function standings(accuracies: Line[]): Standing[] {
  const begun = accuracies.filter((line) => line.steps.length > 0);
  const [best, ...others] = begun.map((line) => standingAt(line, Infinity)).sort(byError);
  if (!best) return [];
  const other = others.find(({ line }) => line.style.token === "--arm-baseline") ?? others[0];
  if (!other) return [best];
  const step = Math.min(best.step, other.step);
  // An arm whose first point is later keeps its own step.
  return [best, other].map(({ line }) => standingAt(line, Math.max(step, line.steps[0]!))).sort(byError);
}

/** At the last point up to a step. */
function standingAt(line: Line, step: number): Standing {
  const index = line.steps.findLastIndex((own) => own <= step);
  return { line, step: line.steps[index]!, error: complement(line.mean[index]!), seeds: line.n[index]!, earlier: index < line.steps.length - 1 };
}

function byError(a: Standing, b: Standing): number {
  return a.error - b.error;
}
