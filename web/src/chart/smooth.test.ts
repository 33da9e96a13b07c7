import { expect, test } from "vitest";
import { readWeight, smooth } from "./smooth";

test("a constant stays as it is from the first point on, and a step is followed slowly", () => {
  for (const value of smooth([5, 5, 5, 5], 0.9)) expect(value).toBeCloseTo(5);
  const step = smooth([0, 0, 1, 1, 1], 0.5);
  expect(step[0]).toBe(0);
  expect(step[2]).toBeCloseTo(4 / 7);
  expect(step[4]).toBeGreaterThan(step[3]!);
  expect(step[4]).toBeLessThan(1);
  const values = [3, 1];
  expect(smooth(values, 0)).toBe(values);
});

test("an address has a weight below one, or none", () => {
  expect(["0.6", ".5", "0.999", null, "1", "-0.5", "a", "0.12345"].map(readWeight)).toEqual([0.6, 0.5, 0.99, 0, 0, 0, 0, 0]);
});
