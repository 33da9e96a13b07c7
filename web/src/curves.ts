// Curves as a chart needs them: lines over one axis, and sensible ranges.

import type { ArmStyle } from "./arms";
import type { ArmCurve } from "./contract";

export type Range = [low: number, high: number];

/** What a chart draws of one arm: its mean over the seeds at each x. */
export interface Line {
  style: ArmStyle;
  steps: number[];
  /** The same points in the unit of the x axis. */
  x: number[];
  mean: number[];
  /** The sample standard deviation; null for one seed. */
  std: (number | null)[];
  /** Seeds, or pairs of seeds, in each mean. */
  n: number[];
}

/** One run, drawn thinly behind the means. */
export interface RunLine {
  style: ArmStyle;
  seed: number;
  steps: number[];
  x: number[];
  values: number[];
}

export function lineOf(style: ArmStyle, curve: Pick<ArmCurve, "steps" | "mean" | "std" | "n">, x_per_step: number): Line {
  const { steps, mean, std, n } = curve;
  return { style, steps, mean, std, n, x: x_per_step === 1 ? steps : steps.map((step) => step * x_per_step) };
}

/** The union of all x, then each line's means on it, null where the line has no point. */
export function align(lines: Pick<Line, "x" | "mean">[]): [number[], ...(number | null)[][]] {
  const xs = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
  const place = new Map(xs.map((x, index) => [x, index]));
  const rows = lines.map((line) => {
    const row: (number | null)[] = new Array(xs.length).fill(null);
    line.x.forEach((x, index) => (row[place.get(x)!] = line.mean[index] ?? null));
    return row;
  });
  return [xs, ...rows];
}

export function lowAt(line: Line, index: number): number {
  return line.mean[index]! - (line.std[index] ?? 0);
}

export function highAt(line: Line, index: number): number {
  return line.mean[index]! + (line.std[index] ?? 0);
}

/** A stretch of a line, as a half-open range of its points; those with all seeds are drawn stronger. */
export interface Piece {
  from: number;
  to: number;
  all_seeds: boolean;
}

/** Cuts a line where the number of seeds falls below the arm's most; neighbouring pieces share a point. */
export function pieces(n: number[]): Piece[] {
  const most = Math.max(0, ...n);
  const cut: Piece[] = [];
  n.forEach((seeds, index) => {
    const all_seeds = seeds === most;
    const last = cut.at(-1);
    if (last && last.all_seeds === all_seeds) return void (last.to = index + 1);
    // What leads to a mean of fewer seeds, or away from it, is as weak as that mean.
    if (last && all_seeds) last.to = index + 1;
    cut.push({ from: last && !all_seeds ? index - 1 : index, to: index + 1, all_seeds });
  });
  return cut;
}

/** The lowest and highest ends of the bands in a span of x, or of the points around it; null without any. */
export function extent(lines: Line[], span: Range): Range | null {
  let low = Infinity;
  let high = -Infinity;
  for (const line of lines) {
    for (const index of seen(line.x, span)) {
      low = Math.min(low, lowAt(line, index));
      high = Math.max(high, highAt(line, index));
    }
  }
  return low <= high ? [low, high] : null;
}

/** The points in a span of x; where there are none, those between which a line runs through it. */
function seen(x: number[], [from, to]: Range): number[] {
  const inside: number[] = [];
  x.forEach((at, index) => at >= from && at <= to && inside.push(index));
  if (inside.length) return inside;
  const after = x.findIndex((at) => at > to);
  return after > 0 ? [after - 1, after] : [];
}

export function lastX(lines: Pick<Line, "x">[]): number {
  return lines.reduce((last, line) => Math.max(last, line.x.at(-1) ?? 0), 0);
}

/** The part of the run that counts as warm-up when the y axis is fitted. */
const WARM_UP = 0.2;
/** The y axis leaves the warm-up out only where it would more than double the range. */
const WORTH_CUTTING = 0.5;

/** The range of the y axis over a span of x; `cut` says that the warm-up reaches beyond it. */
export function yRange(lines: Line[], span: Range, whole: boolean): { range: Range; cut: boolean } {
  const all = extent(lines, span);
  if (!all) return { range: [0, 1], cut: false };
  const end = Math.min(span[1], lastX(lines));
  const late = lateExtent(lines, [span[0] + WARM_UP * (end - span[0]), end]);
  const cut = late !== null && late[1] - late[0] < WORTH_CUTTING * (all[1] - all[0]) && late[1] > late[0];
  return { range: pad(cut && !whole ? late : all), cut };
}

/** As `extent`, and the last point of every line with it: an arm that is behind must not fall out of sight. */
function lateExtent(lines: Line[], [from, to]: Range): Range | null {
  const lasts = lines.flatMap((line) => {
    const last = line.x.filter((x) => x <= to).length - 1;
    return last < 0 ? [] : [lowAt(line, last), highAt(line, last)];
  });
  const late = extent(lines, [from, to]);
  return late && [Math.min(late[0], ...lasts), Math.max(late[1], ...lasts)];
}

/** Below this share of its values a range is rounding, and is shown as a flat line. */
const FLAT = 1e-4;

/** The range of a logarithmic y axis: of the means above zero, and of the bands' upper ends. */
export function logRange(lines: Line[], span: Range): Range {
  let low = Infinity;
  let high = 0;
  for (const line of lines) {
    for (const index of seen(line.x, span)) {
      const mean = line.mean[index]!;
      if (!(mean > 0)) continue;
      low = Math.min(low, mean);
      high = Math.max(high, highAt(line, index));
    }
  }
  if (low > high) return [0.1, 1];
  const margin = Math.max(1 + 10 * FLAT, (high / low) ** 0.06);
  return [low / margin, high * margin];
}

function pad([low, high]: Range): Range {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const margin = high - low < FLAT * size ? size * 10 * FLAT : (high - low) * 0.06;
  return [low - (margin || 0.5), high + (margin || 0.5)];
}

/** A range that also holds a value, with a little room beyond it. */
export function including([low, high]: Range, value: number): Range {
  const margin = (Math.max(high, value) - Math.min(low, value)) * 0.04;
  return [value < low ? value - margin : low, value > high ? value + margin : high];
}

/** Whether more of the points lie in the upper half of a range than in the lower. */
export function isTopHeavy(lines: Line[], [low, high]: Range): boolean {
  const middle = (low + high) / 2;
  return lines.reduce((sum, line) => sum + line.mean.reduce((part, value) => part + Math.sign(value - middle), 0), 0) > 0;
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
