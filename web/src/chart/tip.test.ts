import { expect, test } from "vitest";
import { crosses, placeTip } from "./tip";

const PLOT = { left: 60, top: 10, width: 500, height: 200 };
const WINDOW = { left: 0, top: -200, width: 640, height: 800 };
const SIZE = { width: 100, height: 60 };

test("the values are beside the cursor and never over a line", () => {
  expect(placeTip({ left: 200, top: 100 }, SIZE, [], PLOT, WINDOW)).toEqual([216, 70]);
  const middle: [number, number][] = [[60, 100], [560, 100]];
  expect(placeTip({ left: 200, top: 100 }, SIZE, [middle], PLOT, WINDOW)).toEqual([216, 14]);
  expect(placeTip({ left: 540, top: 100 }, SIZE, [middle], PLOT, WINDOW)).toEqual([424, 14]);
  const everywhere = Array.from({ length: 10 }, (_, row): [number, number][] => [[60, 20 * row + 10], [560, 20 * row + 10]]);
  expect(placeTip({ left: 200, top: 100 }, SIZE, everywhere, PLOT, WINDOW)[1]).toBeGreaterThan(210);
  expect(placeTip({ left: 200, top: 100 }, SIZE, everywhere, PLOT, { ...WINDOW, height: 440 })[1]).toBeLessThan(10 - 60 + 1);
});

test("a line crosses a box also between its points", () => {
  const box = { left: 10, top: 10, width: 10, height: 10 };
  expect(crosses([[0, 15], [100, 15]], box)).toBe(true);
  expect(crosses([[0, 0], [30, 30]], box)).toBe(true);
  expect(crosses([[0, 25], [100, 25]], box)).toBe(false);
  expect(crosses([[0, 15], [9, 15]], box)).toBe(false);
  expect(crosses([[21, 15], [30, 15]], box)).toBe(false);
});
