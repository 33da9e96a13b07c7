// Where an experiment stands, from the ends of its curves: the arm with the lowest test error, and whom it is to be held against.

import type { Line } from "./curves";

export interface Standing {
  line: Line;
  /** In percent, the mean over the seeds that have come so far. */
  error: number;
}

/** The best arm and the baseline, or the second best where the baseline is the best; fewer where fewer have points. */
export function standings(accuracies: Line[]): Standing[] {
  const all = accuracies
    .flatMap((line) => (line.mean.length ? [{ line, error: 100 - line.mean.at(-1)! }] : []))
    .sort((a, b) => a.error - b.error);
  const [best, ...others] = all;
  if (!best) return [];
  const other = others.find(({ line }) => line.style.token === "--arm-baseline") ?? others[0];
  return other ? [best, other] : [best];
}
