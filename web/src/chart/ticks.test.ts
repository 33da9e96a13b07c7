import { expect, test } from "vitest";
import { linearTicks, logTicks, tickLabels } from "./ticks";

test("ticks are round numbers inside the range", () => {
  expect(linearTicks(0, 10_000, 6)).toEqual([0, 2000, 4000, 6000, 8000, 10_000]);
  expect(linearTicks(0.71, 0.7342, 5)).toEqual([0.71, 0.715, 0.72, 0.725, 0.73]);
  expect(linearTicks(-0.4, 0.3, 4)).toEqual([-0.4, -0.2, 0, 0.2]);
  expect(linearTicks(3, 3, 5)).toEqual([3]);
});

test("a logarithmic axis has powers of ten, thinned out if there are many", () => {
  expect(logTicks(3e-4, 20, 8)).toEqual([1e-3, 1e-2, 1e-1, 1, 10]);
  expect(logTicks(1e-9, 1, 5)).toHaveLength(5);
  expect(logTicks(2, 8, 4)).toEqual([2, 4, 6, 8]);
  expect(logTicks(4, 90, 6)).toEqual([5, 10, 20, 50]);
  expect(logTicks(0.03, 0.5, 6)).toEqual([0.05, 0.1, 0.2, 0.5]);
});

test("the numbers of an axis have equal decimals", () => {
  expect(tickLabels([1, 1.005, 1.01])).toEqual(["1.000", "1.005", "1.010"]);
  expect(tickLabels([0, 0.25, 0.5])).toEqual(["0.00", "0.25", "0.50"]);
  expect(tickLabels([-2000, 0, 2000])).toEqual(["−2,000", "0", "2,000"]);
  expect(tickLabels([0, 1e-6])).toEqual(["0", "1e−6"]);
  expect(tickLabels([1e-7, 1e-6, 1e-5])).toEqual(["1e−7", "1e−6", "1e−5"]);
  expect(tickLabels([0.001, 0.01])).toEqual(["0.001", "0.01"]);
  expect(tickLabels([0.01, 0.1, 1, 10])).toEqual(["0.01", "0.1", "1", "10"]);
});
