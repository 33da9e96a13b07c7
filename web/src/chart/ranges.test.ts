import { expect, test } from "vitest";
import { styleArms } from "../arms";
import { highAt, type Line, limitsOf, lineOf, lowAt } from "./curves";
import { including, logRange, yRange } from "./ranges";

function curve(arm: string, steps: number[], mean: number[], std: (number | null)[] = mean.map(() => null)): Line {
  const [style] = styleArms([{ name: arm, method: arm }]);
  return lineOf(style!, { steps, mean, std, n: mean.map(() => 1) }, 1);
}

test("the y axis leaves a steep warm-up out unless the reader shows it", () => {
  const steps = [0, 10, 20, 30, 40, 50];
  const rising = curve("a", steps, [10, 80, 88, 89, 90, 90.5]);
  expect(yRange([rising], [0, 50], false).cut).toBe(true);
  expect(yRange([rising], [0, 50], false).range[0]).toBeGreaterThan(70);
  expect(yRange([rising], [0, 50], true).range[0]).toBeLessThan(10);
  const steady = curve("a", steps, [1, 2, 3, 4, 5, 6]);
  expect(yRange([steady], [0, 50], false).cut).toBe(false);
  expect(yRange([], [0, 50], false)).toEqual({ range: [0, 1], cut: false, apart: 0, outside: 0 });
});

test("an arm that is behind stays visible, and rounding is a flat line", () => {
  const done = curve("done", [0, 10, 20, 30, 40, 50], [0.71, 0.719, 0.72, 0.7201, 0.7202, 0.7203]);
  const behind = curve("behind", [0, 5], [0.71, 0.71]);
  expect(yRange([done, behind], [0, 50], false).range[0]).toBeLessThan(0.71);
  const [low, high] = yRange([curve("flat", [0, 1, 2], [0.71, 0.71 + 1e-9, 0.71])], [0, 2], false).range;
  expect(high - low).toBeGreaterThan(1e-3);
});

test("the range includes the bands", () => {
  const [low, high] = yRange([curve("a", [0, 1, 2], [5, 5, 5], [null, 2, 2])], [0, 2], true).range;
  expect(low).toBeLessThan(3);
  expect(high).toBeGreaterThan(7);
});

test("a logarithmic range leaves out values without a logarithm", () => {
  const [low, high] = logRange([curve("a", [0, 1, 2], [0, 1e-3, 10])], [0, 2], false).range;
  expect(low).toBeGreaterThan(1e-4);
  expect(low).toBeLessThan(1e-3);
  expect(high).toBeGreaterThan(10);
  expect(logRange([], [0, 1], false).range).toEqual([0.1, 1]);
});

test("the range of differences includes zero", () => {
  expect(including([2, 3], 0)[0]).toBeLessThan(0);
  expect(including([-1, 1], 0)).toEqual([-1, 1]);
});

test("a range between two points has the extent of both", () => {
  const [low, high] = yRange([curve("a", [0, 100], [3, 5])], [40, 60], true).range;
  expect([low < 3, high > 5]).toEqual([true, true]);
  expect(yRange([curve("a", [0, 10], [3, 5])], [40, 60], true).range).toEqual([0, 1]);
});

test("the axis is fitted to the bulk until the reader asks for everything", () => {
  const steps = [0, 10, 20, 30, 40, 50];
  const bulk = Array.from({ length: 11 }, (_, index) => curve(`a${index}`, steps, [10, 80, 95, 96, 96.5, 97].map((value) => value + index / 10)));
  const failed = curve("failed", [0, 5], [10, 1e22]);
  const fit = yRange([...bulk, failed], [0, 50], false);
  expect([fit.apart, fit.outside, fit.cut]).toEqual([1, 1, true]);
  expect(fit.range[0]).toBeGreaterThan(70);
  expect(fit.range[1]).toBeLessThan(100);
  expect(yRange([...bulk, failed], [0, 50], true).range[1]).toBeGreaterThan(1e22);
  const log = logRange([...bulk, failed], [0, 50], false);
  expect(log.apart).toBe(1);
  expect(log.range[1]).toBeLessThan(200);
  expect(logRange([...bulk, failed], [0, 50], true).range[1]).toBeGreaterThan(1e22);
});

test("an arm that comes to the others late is left out of the fit, and ends inside", () => {
  const steps = [0, 10, 20, 30, 40, 50];
  const bulk = Array.from({ length: 11 }, (_, index) => curve(`a${index}`, steps, [96, 96, 96.2, 96.4, 96.6, 96.8].map((value) => value + index / 10)));
  const late = curve("late", steps, [10, 11, 12, 40, 80, 97]);
  for (const fit of [yRange([...bulk, late], [0, 50], false), yRange([...bulk, late], [0, 50], true)]) expect([fit.apart, fit.outside]).toEqual([1, 0]);
  const falling = bulk.map((line) => ({ ...line, mean: line.mean.map((value) => 100 - value) }));
  expect(logRange([...falling, curve("late", steps, [1e9, 1e9, 1e9, 1e6, 100, 3.5])], [0, 50], false)).toMatchObject({ apart: 1, outside: 0 });
});

test("bands stay within what a value can be", () => {
  const loss = { ...curve("a", [0, 1], [0.2, 0.1], [0.5, 0.3]), limits: limitsOf("nat", [0.2, 0.1]) };
  expect([lowAt(loss, 0), lowAt(loss, 1)]).toEqual([0, 0]);
  expect(highAt(loss, 0)).toBeCloseTo(0.7);
  const accuracy = { ...curve("a", [0], [99], [3]), limits: limitsOf("%", [99]) };
  expect([lowAt(accuracy, 0), highAt(accuracy, 0)]).toEqual([96, 100]);
  expect(limitsOf("points", [-1, 2])).toEqual([-Infinity, Infinity]);
});
