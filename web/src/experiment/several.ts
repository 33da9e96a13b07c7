// The curves of several experiments as those of one.

import { armName } from "../arms";
import type { Curves, Runs, SeriesInfo } from "../contract";

/** Maximum number of experiments in a comparison, as on the server. */
export const MOST_COMPARED = 10;

/** The different ids in a list of the address, in its order. */
export function readIds(list: string[]): number[] {
  return [...new Set(list.filter((text) => /^[1-9]\d{0,14}$/.test(text)).map(Number))];
}

/** One answer per experiment, in the order of the ids. */
export function joinCurves(ids: readonly number[], answers: Curves[]): Curves {
  const arms = answers.flatMap((answer, index) => answer.arms.map((arm) => ({ ...arm, arm: armName(ids, ids[index]!, arm.arm) })));
  return { ...about(answers), arms };
}

export function joinRuns(ids: readonly number[], answers: Runs[]): Runs {
  const runs = answers.flatMap((answer, index) => answer.runs.map((run) => ({ ...run, arm: armName(ids, ids[index]!, run.arm) })));
  return { ...about(answers), runs };
}

/** Widths are powers of two, so the buckets of the widest answer contain those of the others. */
function about<T extends Curves | Runs>(answers: T[]): T {
  const known = answers.find((answer) => answer.unit !== "") ?? answers[0]!;
  return { ...known, width: Math.max(...answers.map((answer) => answer.width)) };
}

/** The series that any experiment has, in the order of the first that has them. */
export function joinSeries(all: SeriesInfo[][]): SeriesInfo[] {
  const known = new Map<string, SeriesInfo>();
  for (const series of all.flat()) if (!known.has(series.name)) known.set(series.name, series);
  return [...known.values()];
}
