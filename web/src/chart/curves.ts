// The data of a chart: lines over one x axis.

import type { ArmStyle } from "../arms";
import type { ArmCurve } from "../contract";

export type Range = [low: number, high: number];

/** The line of one arm: its mean over the seeds at each x. */
export interface Line {
  style: ArmStyle;
  steps: number[];
  /** The same points in the unit of the x axis. */
  x: number[];
  mean: number[];
  /** The mean before smoothing, if it is smoothed. */
  raw?: number[];
  /** The sample standard deviation; null for one seed. */
  std: (number | null)[];
  /** The ends of the band where it is not a standard deviation. */
  interval?: Range[];
  /** Seeds, or pairs of seeds, in each mean. */
  n: number[];
  /** The least and the greatest possible value, which the band does not exceed. */
  limits?: Range;
}

/** The parts of a line that determine the range of an axis. */
export type Band = Pick<Line, "x" | "mean" | "raw" | "std" | "interval" | "limits">;

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

/** The limits of values in a unit: a percentage is at most 100, and no measure without negative values is below zero. */
export function limitsOf(unit: string, values: number[]): Range {
  const negative = values.some((value) => value < 0);
  return [negative ? -Infinity : 0, unit === "%" ? 100 : Infinity];
}

/** The union of all x, then each line's means on it, null where the line has no point. */
export function align(lines: Pick<Line, "x" | "mean">[]): [number[], ...(number | null)[][]] {
  const xs = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
  const place = new Map(xs.map((x, index) => [x, index]));
  const rows = lines.map((line) => {
    const row: (number | null)[] = new Array(xs.length).fill(null);
    for (const [index, x] of line.x.entries()) row[place.get(x)!] = line.mean[index] ?? null;
    return row;
  });
  return [xs, ...rows];
}

/** The same line without its band. */
export function withoutBand<T extends Band>({ interval: _, ...line }: T): Omit<T, "interval"> {
  return { ...line, std: line.std.map(() => null) };
}

export function lowAt(line: Band, index: number): number {
  if (line.interval) return line.interval[index]![0];
  const mean = (line.raw ?? line.mean)[index]!;
  return Math.min(mean, Math.max(line.limits?.[0] ?? -Infinity, mean - (line.std[index] ?? 0)));
}

export function highAt(line: Band, index: number): number {
  if (line.interval) return line.interval[index]![1];
  const mean = (line.raw ?? line.mean)[index]!;
  return Math.max(mean, Math.min(line.limits?.[1] ?? Infinity, mean + (line.std[index] ?? 0)));
}

/** A piece of a line, as a half-open range of its points; pieces with all seeds are drawn thicker. */
export interface Piece {
  from: number;
  to: number;
  all_seeds: boolean;
}

/** Splits a line where the number of seeds drops below the arm's maximum; neighbouring pieces share a point. */
export function pieces(n: number[]): Piece[] {
  const most = Math.max(0, ...n);
  const cut: Piece[] = [];
  for (const [index, seeds] of n.entries()) {
    const all_seeds = seeds === most;
    const last = cut.at(-1);
    if (last?.all_seeds === all_seeds) {
      last.to = index + 1;
      continue;
    }
    // A segment from or to a mean of fewer seeds is drawn as thin as that mean.
    if (last && all_seeds) last.to = index + 1;
    cut.push({ from: last && !all_seeds ? index - 1 : index, to: index + 1, all_seeds });
  }
  return cut;
}

export function lastX(lines: Pick<Line, "x">[]): number {
  return lines.reduce((last, line) => Math.max(last, line.x.at(-1) ?? 0), 0);
}
