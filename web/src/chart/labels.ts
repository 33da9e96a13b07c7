// Where the names at the ends of lines go: beside their ends, apart from each other, and only as many as fit.

export interface End {
  /** The height at which the line ends, in pixels. */
  top: number;
  /** Names of lower numbers are placed first. */
  rank: number;
}

/** A name further than this from the end of its line is left out, in pixels. */
const FAR = 44;

/** The height of the name of each end; null where there is no space near the end. */
export function placeEnds(ends: End[], gap: number, low: number, high: number): (number | null)[] {
  const placed: (number | null)[] = ends.map(() => null);
  let chosen: number[] = [];
  const order = [...ends.keys()].sort((a, b) => ends[a]!.rank - ends[b]!.rank);
  for (const index of order) {
    const next = [...chosen, index].sort((a, b) => ends[a]!.top - ends[b]!.top);
    const tops = settle(next.map((at) => ends[at]!.top), gap, low, high);
    if (!tops || tops.some((top, at) => Math.abs(top - clamp(ends[next[at]!]!.top, low, high)) > FAR)) continue;
    chosen = next;
    for (const [at, own] of next.entries()) placed[own] = tops[at]!;
  }
  return placed;
}

/** Moves sorted positions as little as possible until they are `gap` apart; null if they do not fit. */
export function settle(sorted: number[], gap: number, low: number, high: number): number[] | null {
  if ((sorted.length - 1) * gap > high - low) return null;
  // Without the gaps, positions that would overlap share their mean.
  const groups: { sum: number; count: number }[] = [];
  for (const [index, position] of sorted.entries()) {
    groups.push({ sum: position - index * gap, count: 1 });
    for (let [before, last] = groups.slice(-2); before && last && mean(before) > mean(last); [before, last] = groups.slice(-2)) {
      groups.splice(-2, 2, { sum: before.sum + last.sum, count: before.count + last.count });
      if (groups.length < 2) break;
    }
  }
  const limit = high - (sorted.length - 1) * gap;
  return groups.flatMap((group) => Array<number>(group.count).fill(clamp(mean(group), low, limit))).map((position, index) => position + index * gap);
}

function mean({ sum, count }: { sum: number; count: number }): number {
  return sum / count;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
