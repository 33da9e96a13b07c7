// The ranges of axes: the relevant part of the lines, with a small margin.

import { leftOut, ranAwayLinear, ranAwayLog } from "./bulk";
import { type Band, highAt, lastX, lowAt, type Range, withoutBand } from "./curves";

/** The lowest and highest ends of the bands in a range of x, or of the points around it; null without points. */
export function extent(lines: Band[], span: Range): Range | null {
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

/** The points in a range of x; if there are none, the two around it. */
function seen(x: number[], [from, to]: Range): number[] {
  const inside = [...x.keys()].filter((index) => x[index]! >= from && x[index]! <= to);
  if (inside.length) return inside;
  const after = x.findIndex((at) => at > to);
  return after > 0 ? [after - 1, after] : [];
}

/** The fraction of the run that counts as warm-up when the y axis is fitted. */
const WARM_UP = 0.2;
/** The y axis leaves the warm-up out only where it would more than double the range. */
const WORTH_CUTTING = 0.5;

/** The fitted range of the y axis, and what it leaves out unless the reader asks for everything. */
export interface Fit {
  range: Range;
  /** Whether the warm-up exceeds the range. */
  cut: boolean;
  /** The lines that the axis is not fitted to, because they are or were far from the others. */
  apart: number;
  /** Those of them that end outside the range. */
  outside: number;
}

/** The range of the y axis over a range of x: of the bulk of the lines, without the warm-up if that is steep. */
export function yRange(lines: Band[], span: Range, whole: boolean): Fit {
  const all = extent(lines, span);
  if (!all) return { range: [0, 1], cut: false, apart: 0, outside: 0 };
  const { bulk, out } = bulkOf(lines, span, false);
  const fitted = extent(bulk, span) ?? all;
  const late = lateExtent(bulk, lateSpan(lines, span));
  const cut = late !== null && late[1] - late[0] < WORTH_CUTTING * (fitted[1] - fitted[0]) && late[1] > late[0];
  const narrow = pad(cut ? late : fitted);
  return { range: whole ? pad(all) : narrow, cut, apart: out.length, outside: endingOutside(out, span, narrow) };
}

function lateSpan(lines: Band[], [from, to]: Range): Range {
  const end = Math.min(to, lastX(lines));
  return [from + WARM_UP * (end - from), end];
}

/** The lines that the axis is fitted to. */
function bulkOf(lines: Band[], span: Range, log: boolean): { bulk: Band[]; out: Band[] } {
  const late = lateSpan(lines, span);
  const drawn = lines.flatMap((line) => {
    const range = lateExtent([line], late);
    return range ? [{ line, range: (log ? range.map(Math.log) : range) as Range }] : [];
  });
  const left_out = leftOut(drawn.map(({ range }) => range), log ? ranAwayLog : ranAwayLinear);
  const [out, bulk] = [true, false].map((is) => drawn.filter((_, index) => left_out.has(index) === is).map(({ line }) => line));
  return { bulk: bulk!, out: out! };
}

function endingOutside(lines: Band[], [, to]: Range, [low, high]: Range): number {
  return lines.filter(({ x, mean }) => {
    const last = mean[x.findLastIndex((at) => at <= to)];
    return last !== undefined && (last < low || last > high);
  }).length;
}

/** The same as `extent`, with the last point of every line, so that an arm that is behind stays visible. */
function lateExtent(lines: Band[], [from, to]: Range): Range | null {
  const lasts = lines.flatMap((line) => {
    const last = line.x.filter((x) => x <= to).length - 1;
    return last < 0 ? [] : [lowAt(line, last), highAt(line, last)];
  });
  const late = extent(lines, [from, to]) ?? (lasts.length ? [Infinity, -Infinity] : null);
  return late && [Math.min(late[0], ...lasts), Math.max(late[1], ...lasts)];
}

/** A range below this fraction of its values is rounding, and is shown as a flat line. */
const FLAT = 1e-4;

/** The range of a logarithmic y axis: of the bulk of the means above zero, and of the bands' upper ends. */
export function logRange(lines: Band[], span: Range, whole: boolean): Fit {
  const positive = lines.map(abovePoints);
  const { bulk, out } = bulkOf(positive.map(withoutBand), span, true);
  const kept = bulk.length ? positive.filter(({ mean }) => bulk.some((line) => line.mean === mean)) : positive;
  const narrow = logExtent(kept, span);
  if (!narrow) return { range: [0.1, 1], cut: false, apart: 0, outside: 0 };
  const range = whole ? logExtent(positive, span)! : narrow;
  return { range, cut: false, apart: out.length, outside: endingOutside(out, span, narrow) };
}

function logExtent(lines: Band[], span: Range): Range | null {
  const means = extent(lines.map(withoutBand), span);
  if (!means) return null;
  const high = Math.max(means[1], extent(lines, span)![1]);
  const margin = Math.max(1 + 10 * FLAT, (high / means[0]) ** 0.06);
  return [means[0] / margin, high * margin];
}

/** The points of a line that have a logarithm. */
function abovePoints(line: Band): Band {
  const values = line.raw ?? line.mean;
  const at = [...line.x.keys()].filter((index) => values[index]! > 0);
  const { raw: _, interval, ...rest } = line;
  const above = { ...rest, x: at.map((index) => line.x[index]!), mean: at.map((index) => values[index]!), std: at.map((index) => line.std[index] ?? null) };
  return interval ? { ...above, interval: at.map((index) => interval[index]!) } : above;
}

function pad([low, high]: Range): Range {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const margin = high - low < FLAT * size ? size * 10 * FLAT : (high - low) * 0.06;
  return [low - (margin || 0.5), high + (margin || 0.5)];
}

/** The lines keep at least this fraction of an axis that is extended to a bound. */
const WORTH_REACHING = 1 / 6;

/** Extends a range to a bound unless the lines would become flat. */
export function reaching(range: Range, bound: number): Range {
  const extended = including(range, bound);
  return range[1] - range[0] >= WORTH_REACHING * (extended[1] - extended[0]) ? extended : range;
}

/** Extends a range to a value, with a small margin. */
export function including([low, high]: Range, value: number): Range {
  const margin = (Math.max(high, value) - Math.min(low, value)) * 0.04;
  return [value < low ? value - margin : low, value > high ? value + margin : high];
}
