// The ranges of axes: the relevant part of the lines, with a small margin.

import { type Band, highAt, lastX, lowAt, type Range } from "./curves";

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

/** The range of the y axis over a range of x; `cut` if the warm-up exceeds it. */
export function yRange(lines: Band[], span: Range, whole: boolean): { range: Range; cut: boolean } {
  const all = extent(lines, span);
  if (!all) return { range: [0, 1], cut: false };
  const end = Math.min(span[1], lastX(lines));
  const late = lateExtent(lines, [span[0] + WARM_UP * (end - span[0]), end]);
  const cut = late !== null && late[1] - late[0] < WORTH_CUTTING * (all[1] - all[0]) && late[1] > late[0];
  return { range: pad(cut && !whole ? late : all), cut };
}

/** The same as `extent`, with the last point of every line, so that an arm that is behind stays visible. */
function lateExtent(lines: Band[], [from, to]: Range): Range | null {
  const lasts = lines.flatMap((line) => {
    const last = line.x.filter((x) => x <= to).length - 1;
    return last < 0 ? [] : [lowAt(line, last), highAt(line, last)];
  });
  const late = extent(lines, [from, to]);
  return late && [Math.min(late[0], ...lasts), Math.max(late[1], ...lasts)];
}

/** A range below this fraction of its values is rounding, and is shown as a flat line. */
const FLAT = 1e-4;

/** The range of a logarithmic y axis: of the means above zero, and of the bands' upper ends. */
export function logRange(lines: Band[], span: Range): Range {
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

/** Extends a range to a value, with a small margin. */
export function including([low, high]: Range, value: number): Range {
  const margin = (Math.max(high, value) - Math.min(low, value)) * 0.04;
  return [value < low ? value - margin : low, value > high ? value + margin : high];
}

/** Whether more of the points lie in the upper half of a range than in the lower. */
export function isTopHeavy(lines: Band[], [low, high]: Range): boolean {
  const middle = (low + high) / 2;
  return lines.reduce((sum, line) => sum + line.mean.reduce((part, value) => part + Math.sign(value - middle), 0), 0) > 0;
}
