// Which lines the y axis is fitted to: one failed arm must not flatten all others.

import type { Range } from "./curves";

/** With this many lines or fewer, a line is left out only if it has run away, because each one counts more. */
const FEW = 8;
/** The range must shrink by this factor before lines are left out. */
const WORTH_LEAVING_OUT = 4;
/** At most this part of the lines is left out. */
const MOST = 0.25;

/**
 * The indices of the lines that the axis leaves out: the fewest at both ends without which the others have much more
 * space. `ranges` are those of the lines, in the scale of the axis. `ranAway` decides between few lines.
 */
export function leftOut(ranges: Range[], ranAway: (all: Range, others: Range) => boolean): Set<number> {
  const out = new Set<number>();
  const count = ranges.length;
  if (count < 3) return out;
  const most = Math.max(1, Math.floor(count * MOST));
  const worth = (all: Range, others: Range) => heightOf(all) >= WORTH_LEAVING_OUT * heightOf(others) && (count > FEW || ranAway(all, others));
  const by_low = [...ranges.keys()].sort((a, b) => ranges[a]![0] - ranges[b]![0]);
  const by_high = [...ranges.keys()].sort((a, b) => ranges[b]![1] - ranges[a]![1]);
  // Each round leaves out the fewest lines that are worth it, and looks at the others again.
  for (let found = true; found; ) {
    found = false;
    const kept = (order: number[]) => order.filter((index) => !out.has(index));
    const [lows, highs] = [kept(by_low), kept(by_high)];
    const all = hull(ranges, lows);
    if (heightOf(all) === 0) break;
    for (let number = 1; !found && out.size + number <= most; number++) {
      for (let below = 0; !found && below <= number; below++) {
        const leave = new Set([...lows.slice(0, below), ...highs.slice(0, number - below)]);
        if (!worth(all, hull(ranges, lows.filter((index) => !leave.has(index))))) continue;
        for (const index of leave) out.add(index);
        found = true;
      }
    }
  }
  return out;
}

/** Whether values on a linear axis have run away: they are far larger than all others, not just worse. */
export function ranAwayLinear(all: Range, others: Range): boolean {
  return heightOf(all) > 10 * Math.max(Math.abs(others[0]), Math.abs(others[1]));
}

/** The same for logarithms: a distance of three powers of ten. */
export function ranAwayLog(all: Range, others: Range): boolean {
  return heightOf(all) - heightOf(others) > 3 * Math.LN10;
}

function hull(ranges: Range[], kept: number[]): Range {
  return [Math.min(...kept.map((index) => ranges[index]![0])), Math.max(...kept.map((index) => ranges[index]![1]))];
}

function heightOf([low, high]: Range): number {
  return high - low;
}
