import { expect, test } from "vitest";
import { placeEnds, settle } from "./labels";

const ends = (...tops: number[]) => tops.map((top, rank) => ({ top, rank }));

test("names move apart as little as possible and stay inside", () => {
  expect(settle([50, 50, 50], 14, 0, 100)).toEqual([36, 50, 64]);
  expect(settle([10, 80], 14, 0, 100)).toEqual([10, 80]);
  expect(settle([98, 99], 14, 0, 100)).toEqual([86, 100]);
  expect(settle([0, 2, 20, 21], 10, 0, 100)).toEqual([0, 10, 20, 30]);
  expect(settle([1, 2, 3], 60, 0, 100)).toBeNull();
  expect(settle([], 14, 0, 100)).toEqual([]);
});

test("names never overlap and never cross, and the first ranks have a name", () => {
  const tops = Array.from({ length: 30 }, (_, index) => 40 + (index % 7));
  const placed = placeEnds(ends(...tops), 14, 0, 250);
  expect(placed[0]).not.toBeNull();
  const shown = placed.flatMap((top, index) => (top === null ? [] : [{ top, end: tops[index]! }])).sort((a, b) => a.top - b.top);
  expect(shown.length).toBeGreaterThan(4);
  expect(shown.length).toBeLessThan(9);
  shown.slice(1).forEach((one, index) => {
    expect(one.top - shown[index]!.top).toBeGreaterThan(13.999);
    expect(one.end).toBeGreaterThanOrEqual(shown[index]!.end);
  });
});

test("a name far from its line is left out", () => {
  expect(placeEnds(ends(50, 50, 50, 50, 50, 50, 50, 50, 50), 14, 0, 400).filter((top) => top !== null)).toHaveLength(7);
  expect(placeEnds(ends(-500, 50), 14, 0, 100)).toEqual([0, 50]);
});
