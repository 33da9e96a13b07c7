import { expect, test } from "vitest";
import { styleArms } from "../arms";
import { align, highAt, type Line, lineOf, lowAt, pieces, type Range, withoutBand } from "./curves";

function curve(arm: string, steps: number[], mean: number[], std: (number | null)[] = mean.map(() => null)): Line {
  const [style] = styleArms([{ name: arm, method: arm }]);
  return lineOf(style!, { steps, mean, std, n: mean.map(() => 1) }, 1);
}

test("arms with different steps share one axis, with gaps", () => {
  const [steps, a, b] = align([curve("a", [0, 10, 20], [1, 2, 3]), curve("b", [0, 15], [4, 5])]);
  expect(steps).toEqual([0, 10, 15, 20]);
  expect(a).toEqual([1, 2, null, 3]);
  expect(b).toEqual([4, null, 5, null]);
  expect(align([])).toEqual([[]]);
});

test("a line is thinner where seeds are missing, and next to there", () => {
  expect(pieces([3, 3, 3, 2, 1])).toEqual([
    { from: 0, to: 3, all_seeds: true },
    { from: 2, to: 5, all_seeds: false },
  ]);
  expect(pieces([2, 1, 2])).toEqual([
    { from: 0, to: 1, all_seeds: true },
    { from: 0, to: 3, all_seeds: false },
    { from: 2, to: 3, all_seeds: true },
  ]);
  expect(pieces([])).toEqual([]);
});

test("an axis of seconds scales each arm by its own rate", () => {
  const [style] = styleArms([{ name: "a", method: "opt:cayley" }]);
  expect(lineOf(style!, { steps: [0, 10], mean: [1, 2], std: [null, null], n: [1, 1] }, 0.5).x).toEqual([0, 5]);
});

test("a band of an interval has its ends, whatever the mean is", () => {
  const line = { x: [1, 2], mean: [9, 4], std: [null, null], interval: [[2, 8], [2, 5]] as Range[], limits: [3, 100] as Range };
  expect([lowAt(line, 0), highAt(line, 0), lowAt(line, 1), highAt(line, 1)]).toEqual([2, 8, 2, 5]);
  expect(highAt(withoutBand(line), 0)).toBe(9);
});
