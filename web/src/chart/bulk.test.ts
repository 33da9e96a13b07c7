import { expect, test } from "vitest";
import type { Range } from "./curves";
import { leftOut as leftOutBy, ranAwayLinear, ranAwayLog } from "./bulk";

const leftOut = (ranges: Range[]) => leftOutBy(ranges, ranAwayLinear);

const lines = (count: number, low: number, high: number) => Array.from({ length: count }, (_, index): Range => [low + index / 100, high + index / 100]);

test("a failed arm and one at chance are left out, at either end", () => {
  expect([...leftOut([...lines(11, 94, 97), [9, 11]])]).toEqual([11]);
  expect([...leftOut([[0, 1e22], ...lines(11, 0.1, 0.4)])]).toEqual([0]);
  expect([...leftOut([[0, 1e22], ...lines(27, 0.1, 0.4), [40, 42], [41, 43]])].sort((a, b) => a - b)).toEqual([0, 28, 29]);
});

test("two equal outliers do not hide each other", () => {
  expect(leftOut([[9, 10], [9, 10.1], ...lines(10, 94, 97)])).toEqual(new Set([0, 1]));
});

test("a worse arm among few, and lines that spread evenly, stay visible", () => {
  expect(leftOut([[10, 11], [95, 96], [96, 97]]).size).toBe(0);
  // The energy of the baseline drifts beside two flat lines.
  expect(leftOut([[0.71, 0.73], [0.71, 0.7101], [0.71, 0.7101]]).size).toBe(0);
  expect(leftOut(Array.from({ length: 30 }, (_, index): Range => [index, index + 1])).size).toBe(0);
  expect([...leftOut([[0, 1e9], [95, 96], [96, 97]])]).toEqual([0]);
  expect(leftOut([[0, 1e9], [95, 96]]).size).toBe(0);
  expect(leftOut([[5, 5], [5, 5], [5, 5], [5, 5]]).size).toBe(0);
});

test("at most a quarter of the lines is left out", () => {
  expect(leftOut([...lines(6, 0, 1), ...lines(6, 1000, 1001)]).size).toBe(0);
});

test("on a logarithmic axis, three powers of ten are far away", () => {
  const logs = (...values: number[]) => values.map((value): Range => [Math.log(value), Math.log(2 * value)]);
  expect([...leftOutBy(logs(0.1, 0.2, 1e9), ranAwayLog)]).toEqual([2]);
  expect(leftOutBy(logs(0.1, 0.12, 20), ranAwayLog).size).toBe(0);
});
