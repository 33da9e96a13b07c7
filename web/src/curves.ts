// Curves as the chart needs them: one axis of steps, a value or a gap per arm, and sensible ranges.

import type { ArmCurve } from "./contract";

export type Range = [low: number, high: number];

/** The union of all steps, then each arm's means on it, null where the arm has no point. */
export function align(arms: ArmCurve[]): [number[], ...(number | null)[][]] {
  const steps = [...new Set(arms.flatMap((arm) => arm.steps))].sort((a, b) => a - b);
  const place = new Map(steps.map((step, index) => [step, index]));
  const rows = arms.map((arm) => {
    const row: (number | null)[] = new Array(steps.length).fill(null);
    arm.steps.forEach((step, index) => (row[place.get(step)!] = arm.mean[index] ?? null));
    return row;
  });
  return [steps, ...rows];
}

export function lowAt(arm: ArmCurve, index: number): number {
  return arm.mean[index]! - (arm.std[index] ?? 0);
}

export function highAt(arm: ArmCurve, index: number): number {
  return arm.mean[index]! + (arm.std[index] ?? 0);
}

/** The lowest and highest ends of the bands between two steps; null without any point there. */
export function extent(arms: ArmCurve[], [from, to]: Range): Range | null {
  let low = Infinity;
  let high = -Infinity;
  for (const arm of arms) {
    arm.steps.forEach((step, index) => {
      if (step < from || step > to) return;
      low = Math.min(low, lowAt(arm, index));
      high = Math.max(high, highAt(arm, index));
    });
  }
  return low <= high ? [low, high] : null;
}

export function lastStep(arms: ArmCurve[]): number {
  return arms.reduce((last, arm) => Math.max(last, arm.steps.at(-1) ?? 0), 0);
}

/** The part of the run that counts as warm-up when the y axis is fitted. */
const WARM_UP = 0.2;
/** The y axis leaves the warm-up out only where it would more than double the range. */
const WORTH_CUTTING = 0.5;

/** The range of the y axis over a span of steps; `cut` says that the warm-up reaches beyond it. */
export function yRange(arms: ArmCurve[], span: Range, whole: boolean): { range: Range; cut: boolean } {
  const all = extent(arms, span);
  if (!all) return { range: [0, 1], cut: false };
  const end = Math.min(span[1], lastStep(arms));
  const late = lateExtent(arms, [span[0] + WARM_UP * (end - span[0]), end]);
  const cut = late !== null && late[1] - late[0] < WORTH_CUTTING * (all[1] - all[0]) && late[1] > late[0];
  return { range: pad(cut && !whole ? late : all), cut };
}

/** As `extent`, and the last point of every arm with it: an arm that is behind must not fall out of sight. */
function lateExtent(arms: ArmCurve[], [from, to]: Range): Range | null {
  const lasts = arms.flatMap((arm) => {
    const last = arm.steps.filter((step) => step <= to).length - 1;
    return last < 0 ? [] : [lowAt(arm, last), highAt(arm, last)];
  });
  const late = extent(arms, [from, to]);
  return late && [Math.min(late[0], ...lasts), Math.max(late[1], ...lasts)];
}

/** Below this share of its values a range is rounding, and is shown as a flat line. */
const FLAT = 1e-4;

function pad([low, high]: Range): Range {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const margin = high - low < FLAT * size ? size * 10 * FLAT : (high - low) * 0.06;
  return [low - (margin || 0.5), high + (margin || 0.5)];
}

/** Whether more of the points lie in the upper half of a range than in the lower. */
export function isTopHeavy(arms: ArmCurve[], [low, high]: Range): boolean {
  const middle = (low + high) / 2;
  return arms.reduce((sum, arm) => sum + arm.mean.reduce((part, value) => part + Math.sign(value - middle), 0), 0) > 0;
}

/** Moves positions apart to at least `gap`, keeping their order; null if they do not fit between the bounds. */
export function spread(positions: number[], gap: number, low: number, high: number): number[] | null {
  if ((positions.length - 1) * gap > high - low) return null;
  const order = positions.map((_, index) => index).sort((a, b) => positions[a]! - positions[b]!);
  const placed = [...positions];
  let floor = low;
  for (const index of order) {
    placed[index] = Math.max(placed[index]!, floor);
    floor = placed[index]! + gap;
  }
  let ceiling = high;
  for (const index of order.reverse()) {
    placed[index] = Math.min(placed[index]!, ceiling);
    ceiling = placed[index]! - gap;
  }
  return placed;
}
