import { expect, test } from "vitest";
import type { ArmResult } from "../contract";
import { statisticsCsv } from "./statistics";

const arm = (name: string, some: Partial<ArmResult>) => ({ arm: name, n: 3, mean: 2, std: 0.5, pairs: null, mean_difference: null, difference: null, wins: null, ...some }) as ArmResult;

test("a difference without a test is in the file", () => {
  const lines = statisticsCsv([arm("baseline", {}), arm("twin", { pairs: 3, mean_difference: 0 })]).split("\r\n");
  expect(lines[0]!.split(",").slice(0, 7)).toEqual(["arm", "n", "mean", "std", "difference", "pairs", "difference_std"]);
  expect(lines.slice(1)).toEqual([`baseline,3,2,0.5${",".repeat(17)}`, `twin,3,2,0.5,0,3${",".repeat(15)}`, ""]);
});
