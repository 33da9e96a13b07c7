import { expect, test } from "vitest";
import type { Runs } from "../contract";
import { curvesOf, differences, runsOf, sourceOf, within, withErrors } from "./derived";

function runs(width: number, rows: [arm: string, seed: number, steps: number[], values: number[]][]): Runs {
  return {
    series: "test/accuracy", unit: "%", higher_is_better: true, width,
    runs: rows.map(([arm, seed, steps, values], index) => ({ job_id: index + 1, arm, seed, steps, values })),
  };
}

test("differences are paired by seed, which removes common effects", () => {
  const { unit, arms } = differences(runs(1, [
    ["baseline", 0, [0, 10], [10, 90]],
    ["baseline", 1, [0, 10], [30, 70]],
    ["opt", 0, [0, 10], [10, 91]],
    ["opt", 1, [0, 10], [30, 72]],
  ]), "baseline");
  expect(unit).toBe("points");
  expect(arms.map((arm) => arm.arm)).toEqual(["opt"]);
  expect(arms[0]!.mean).toEqual([0, 1.5]);
  expect(arms[0]!.std[0]).toBe(0);
  expect(arms[0]!.std[1]).toBeCloseTo(Math.SQRT1_2);
  expect(arms[0]!.n).toEqual([2, 2]);
});

test("only common steps and common seeds count", () => {
  const { arms } = differences(runs(1, [
    ["baseline", 0, [0, 10, 20], [1, 2, 3]],
    ["opt", 0, [0, 10], [2, 4]],
    ["opt", 7, [0, 10], [100, 100]],
  ]), "baseline");
  expect(arms[0]!.steps).toEqual([0, 10]);
  expect(arms[0]!.mean).toEqual([1, 2]);
  expect(arms[0]!.std).toEqual([null, null]);
});

test("in wide buckets, the middle of a run's extremes represents it", () => {
  const { arms } = differences(runs(16, [
    ["baseline", 0, [1, 9, 17, 30], [0, 2, 5, 7]],
    ["opt", 0, [3, 15, 16, 31], [4, 2, 9, 9]],
  ]), "baseline");
  expect(arms[0]!.steps).toEqual([0, 16]);
  expect(arms[0]!.mean).toEqual([2, 3]);
});

test("an error is computed from its accuracy, the lowest from the highest", () => {
  expect(sourceOf("test/error")).toBe("test/accuracy");
  expect(sourceOf("energy/mean")).toBe("energy/mean");
  expect(sourceOf("constructor")).toBe("constructor");
  const arm = { arm: "a", method: "", steps: [0], mean: [90], std: [1], min: [88], max: [93], n: [3], bound: null };
  const source = { series: "test/accuracy", unit: "%", higher_is_better: true, width: 1, arms: [arm] };
  expect(curvesOf("test/error", source).arms[0]).toMatchObject({ mean: [10], std: [1], min: [7], max: [12] });
  expect(curvesOf("test/accuracy", source)).toBe(source);
  expect(runsOf("test/error", runs(1, [["a", 0, [0], [97]]])).runs[0]!.values).toEqual([3]);
  expect(withErrors([{ name: "test/accuracy", unit: "%", higher_is_better: true }]).map((one) => one.name)).toEqual(["test/accuracy", "test/error"]);
});

test("a zoomed range is joined to its neighbouring points", () => {
  const curves = (steps: number[], width: number) => ({
    series: "test/loss", unit: "nat", higher_is_better: false, width,
    arms: [{ arm: "a", method: "", steps, mean: steps, std: steps.map(() => null), min: steps, max: steps, n: steps.map(() => 1), bound: null }],
  });
  const whole = curves([0, 100, 200, 300], 4);
  expect(within(whole, curves([150, 201], 1), [140, 250]).arms[0]!.mean).toEqual([100, 150, 201, 300]);
  expect(within(whole, curves([], 1), [110, 120]).arms[0]!.steps).toEqual([100, 200]);
  expect(within(whole, curves([0, 1], 1), [0, 9]).arms[0]!.steps).toEqual([0, 1, 100]);
});
