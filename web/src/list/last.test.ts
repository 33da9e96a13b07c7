import { expect, test } from "vitest";
import { styleArms } from "../arms";
import { lineOf } from "../chart/curves";
import { standings } from "./last";

const styles = styleArms([{ name: "baseline", method: "baseline" }, { name: "a", method: "opt:cayley" }, { name: "b", method: "opt:lowdin" }], "baseline");
const line = (arm: number, points: [step: number, accuracy: number][]) => {
  const [steps, mean] = [points.map(([step]) => step), points.map(([, accuracy]) => accuracy)];
  return lineOf(styles[arm]!, { steps, mean, std: mean.map(() => null), n: mean.map(() => 1) }, 1);
};
const lines = (...last: (number | null)[]) => last.map((value, arm) => line(arm, value === null ? [] : [[0, 10], [9, value]]));
const names = (...last: (number | null)[]) => standings(lines(...last)).map(({ line, error }) => [line.style.name, error]);

test("the best arm is compared with the baseline, and a leading baseline with the second best", () => {
  expect(names(97, 96, 98)).toEqual([["b", 2], ["baseline", 3]]);
  expect(names(99, 96, 98)).toEqual([["baseline", 1], ["b", 2]]);
  expect(names(null, 96, null)).toEqual([["a", 4]]);
  expect(names(null, null, null)).toEqual([]);
});

test("both arms are compared at the last step that both have reached", () => {
  const told = standings([line(0, [[0, 10], [50, 60], [100, 97]]), line(1, [[0, 10], [50, 70]])]);
  expect(told.map(({ line, error, step, earlier }) => [line.style.name, error, step, earlier])).toEqual([["a", 30, 50, false], ["baseline", 40, 50, true]]);
});
