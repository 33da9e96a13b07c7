import { expect, test } from "vitest";
import type { Band, Curves, Runs, SeriesInfo } from "../contract";
import { joinCurves, joinRuns, joinSeries, readIds } from "./several";

const band: Band = { steps: [0], mean: [1], std: [null], min: [1], max: [1], n: [1] };
const curves = (unit: string, width: number): Curves => ({
  series: "test/accuracy", unit, higher_is_better: true, width, arms: [{ arm: "opt", method: "opt:cayley", ...band, bound: null }],
});

test("arms of several experiments are named after them, and the widest buckets count", () => {
  const joined = joinCurves([4, 1], [curves("", 2), curves("%", 8)]);
  expect(joined.arms.map(({ arm }) => arm)).toEqual(["4/opt", "1/opt"]);
  expect([joined.unit, joined.width]).toEqual(["%", 8]);
  expect(joinCurves([4], [curves("%", 2)])).toEqual(curves("%", 2));
  const runs: Runs = { series: "a", unit: "", higher_is_better: null, width: 1, runs: [{ job_id: 7, arm: "opt", seed: 0, steps: [0], values: [1] }] };
  expect(joinRuns([4, 1], [runs, runs]).runs.map(({ arm }) => arm)).toEqual(["4/opt", "1/opt"]);
});

test("a series of any experiment can be chosen, once", () => {
  const series = (name: string): SeriesInfo => ({ name, unit: "", higher_is_better: null });
  expect(joinSeries([[series("a"), series("b")], [series("b"), series("c")]]).map(({ name }) => name)).toEqual(["a", "b", "c"]);
});

test("ids are read in their order, without repetitions and other texts", () => {
  expect(readIds(["4", "1", "4", "x", "0", "-1", "1.5"])).toEqual([4, 1]);
});
