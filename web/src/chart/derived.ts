// Series that are computed from stored ones: the error, and differences from the baseline.

import type { ArmCurve, Curves, Runs, SeriesInfo } from "../contract";
import { complement } from "../percent";
import type { Range } from "./curves";

/** Series that are one hundred minus a stored accuracy. */
const ERRORS = new Map(["test", "train", "validation"].map((split) => [`${split}/error`, `${split}/accuracy`]));

/** The stored series from which a series is computed. */
export function sourceOf(series: string): string {
  return ERRORS.get(series) ?? series;
}

/** The stored series and those that can be computed from them. */
export function withErrors(stored: SeriesInfo[]): SeriesInfo[] {
  const errors = [...ERRORS]
    .filter(([, source]) => stored.some((one) => one.name === source))
    .map(([name]) => ({ name, unit: "%", higher_is_better: false }));
  return [...stored, ...errors];
}

/** The curves of `series` from those of its source. */
export function curvesOf(series: string, source: Curves): Curves {
  if (!ERRORS.has(series)) return source;
  const arms = source.arms.map((arm) => ({ ...arm, mean: arm.mean.map(complement), min: arm.max.map(complement), max: arm.min.map(complement) }));
  return { ...source, series, higher_is_better: false, arms };
}

/** The same as `curvesOf` for single runs. */
export function runsOf(series: string, source: Runs): Runs {
  if (!ERRORS.has(series)) return source;
  return { ...source, series, higher_is_better: false, runs: source.runs.map((run) => ({ ...run, values: run.values.map(complement) })) };
}

/** A zoomed range with the neighbouring points of the whole curve, so that lines reach both edges. */
export function within(whole: Curves, look: Curves, range: Range): Curves {
  const arms = look.arms.map((arm) => {
    const all = whole.arms.find((candidate) => candidate.arm === arm.arm);
    if (!all) return arm;
    const join = joiner(all.steps, arm.steps, range);
    return {
      ...arm,
      steps: join(all.steps, arm.steps),
      mean: join(all.mean, arm.mean),
      std: join(all.std, arm.std),
      min: join(all.min, arm.min),
      max: join(all.max, arm.max),
      n: join(all.n, arm.n),
    };
  });
  return { ...look, arms };
}

/** Joins a column of a zoomed range with the points of the whole before its first and after its last step. */
export function joiner(whole: number[], look: number[], [first, last]: Range): <T>(column: T[], own: T[]) => T[] {
  const before = whole.filter((step) => step < Math.min(first, look[0] ?? first)).length - 1;
  const after = whole.findIndex((step) => step > Math.max(last, look.at(-1) ?? last));
  return (column, own) => [...(before < 0 ? [] : [column[before]!]), ...own, ...(after < 0 ? [] : [column[after]!])];
}

/**
 * Each arm minus the baseline, paired by seed: mean and sample standard deviation of the differences in every bucket of
 * steps that both runs of a pair have. In buckets longer than a step, the middle between a run's lowest and highest point
 * represents it.
 */
export function differences({ series, unit, width, runs }: Runs, baseline: string): Curves {
  const points = runs.map((run) => ({ ...run, at: middles(run.steps, run.values, width) }));
  const references = new Map(points.filter((run) => run.arm === baseline).map((run) => [run.seed, run.at]));
  const arms = [...new Set(runs.map((run) => run.arm))].filter((arm) => arm !== baseline);
  const curves = arms.map((arm) => {
    const pairs = new Map<number, number[]>();
    for (const run of points.filter((candidate) => candidate.arm === arm)) {
      const reference = references.get(run.seed);
      if (!reference) continue;
      for (const [step, value] of run.at) {
        const other = reference.get(step);
        if (other === undefined) continue;
        const known = pairs.get(step);
        if (known) known.push(value - other);
        else pairs.set(step, [value - other]);
      }
    }
    return summary(arm, pairs);
  });
  return { series, unit: unit === "%" ? "points" : unit, higher_is_better: null, width, arms: curves };
}

function middles(steps: number[], values: number[], width: number): Map<number, number> {
  const ranges = new Map<number, [number, number]>();
  steps.forEach((step, index) => {
    const stretch = Math.floor(step / width) * width;
    const value = values[index]!;
    const range = ranges.get(stretch);
    ranges.set(stretch, range ? [Math.min(range[0], value), Math.max(range[1], value)] : [value, value]);
  });
  return new Map([...ranges].map(([step, [low, high]]) => [step, (low + high) / 2]));
}

function summary(arm: string, pairs: Map<number, number[]>): ArmCurve {
  const steps = [...pairs.keys()].sort((a, b) => a - b);
  const samples = steps.map((step) => pairs.get(step)!);
  const mean = samples.map((sample) => sample.reduce((sum, value) => sum + value, 0) / sample.length);
  return {
    arm,
    method: "",
    steps,
    mean,
    std: samples.map((sample, index) => deviation(sample, mean[index]!)),
    min: samples.map((sample) => Math.min(...sample)),
    max: samples.map((sample) => Math.max(...sample)),
    n: samples.map((sample) => sample.length),
    bound: null,
  };
}

function deviation(sample: number[], mean: number): number | null {
  if (sample.length < 2) return null;
  return Math.sqrt(sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (sample.length - 1));
}
