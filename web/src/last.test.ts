import { expect, test } from "vitest";
import { styleArms } from "./arms";
import { lineOf } from "./curves";
import { standings } from "./last";

const styles = styleArms([{ name: "baseline", method: "baseline" }, { name: "a", method: "opt:cayley" }, { name: "b", method: "opt:lowdin" }]);
const lines = (...last: (number | null)[]) =>
  last.map((value, index) => lineOf(styles[index]!, value === null ? { steps: [], mean: [], std: [], n: [] } : { steps: [0, 9], mean: [10, value], std: [null, null], n: [1, 1] }, 1));
const names = (...last: (number | null)[]) => standings(lines(...last)).map(({ line, error }) => [line.style.name, error]);

test("the best arm is held against the baseline, and the baseline against the next", () => {
  expect(names(97, 96, 98)).toEqual([["b", 2], ["baseline", 3]]);
  expect(names(99, 96, 98)).toEqual([["baseline", 1], ["b", 2]]);
  expect(names(null, 96, null)).toEqual([["a", 4]]);
  expect(names(null, null, null)).toEqual([]);
});
