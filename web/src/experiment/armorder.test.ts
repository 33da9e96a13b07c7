import { expect, test } from "vitest";
import { styleArms } from "../arms";
import type { ArmResult } from "../contract";
import { orderedArms } from "./armorder";

const arms = styleArms(["failed", "b-10", "b-9", "a"].map((name) => ({ name, method: "mhe" })));
const result = (arm: string, some: Partial<ArmResult>) => [arm, { arm, n: 5, ...some } as ArmResult] as const;
const results = new Map([
  result("b-10", { mean: 3, standing: "worse", mean_difference: 2 }),
  result("b-9", { mean: 1, standing: "better", mean_difference: -1 }),
  result("a", { mean: 2, standing: null, difference: null, mean_difference: 0 }),
  result("failed", { mean: null, n: 0 }),
]);
const names = (by: string | null) => orderedArms(arms, results, by).map((arm) => arm.name);

test("arms are sorted by a column, and those without a value come last", () => {
  expect(names("error")).toEqual(["b-9", "a", "b-10", "failed"]);
  expect(names("-error")).toEqual(["b-10", "a", "b-9", "failed"]);
  // A difference without a test counts, too.
  expect(names("versus")).toEqual(["b-9", "a", "b-10", "failed"]);
  expect(names("standing")).toEqual(["b-9", "b-10", "failed", "a"]);
  expect(names("arm")).toEqual(["a", "b-9", "b-10", "failed"]);
  for (const nonsense of [null, "", "nonsense", "constructor"]) expect(orderedArms(arms, results, nonsense)).toBe(arms);
});
