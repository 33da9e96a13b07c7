import { expect, test } from "vitest";
import { levelsOf, levelWords } from "./levels";
import { paintLevels, placeIn } from "./paint";
import { svgPen } from "./pen";
import { reaching } from "./ranges";

const bound = (least: number, reachable = true) => ({ bound: { least, reachable, excess: 1.8 } });

test("equal bounds are one line, and one that cannot be reached says so", () => {
  expect(levelsOf([bound(0.7), bound(0.7), {}, { bound: null }, bound(0.71, false)])).toEqual([
    { value: 0.7, name: "least possible" },
    { value: 0.71, name: "lower bound, cannot be reached" },
  ]);
  expect(levelsOf([{ ...bound(0.7), layer: "conv1" }])[0]!.name).toBe("least possible, conv1");
  const layers = ["conv1", "conv2", "conv3"].map((layer) => ({ ...bound(0.7), layer }));
  expect(levelsOf(layers)).toEqual([{ value: 0.7, name: "least possible, conv1 and 2 others" }]);
  expect(levelWords(levelsOf([bound(0.7)]))).toBe(" Least possible: 0.7000.");
});

test("a line is dashed and named; one below the chart is named with its value", () => {
  const drawn = (y: [number, number], ...values: number[]) => {
    const pen = svgPen(400, 200, "sans", "#fff");
    const place = placeIn({ x: [0, 1], y, log: false }, 40, 10, 300, 150);
    paintLevels(pen, values.map((value) => ({ value, name: "least possible" })), y, place, () => "#777");
    return pen.document();
  };
  const inside = drawn([0.6, 0.8], 0.7);
  expect(inside).toContain('d="M40 85L340 85"');
  expect(inside).toContain('stroke-dasharray="6 4"');
  expect(inside).toContain('<text x="46" y="77"');
  const below = drawn([0.72, 0.8], 0.7);
  expect(below).not.toContain("<path");
  expect(below).toContain("↓ least possible 0.7000");
  expect(drawn([0.5, 0.6], 0.7)).not.toContain("least");
  // Two lines so near that their names would overlap.
  const near = drawn([0.6, 0.8], 0.7, 0.705);
  expect(near.match(/<path/g)).toHaveLength(2);
  expect(near.match(/<text/g)).toHaveLength(1);
});

test("an axis is extended to a bound unless that would flatten the lines", () => {
  const [low, high] = reaching([0.71, 0.73], 0.7);
  expect(low).toBeLessThan(0.7);
  expect(high).toBe(0.73);
  expect(reaching([0.7199, 0.7201], 0.7)).toEqual([0.7199, 0.7201]);
  expect(reaching([0.69, 0.73], 0.7)).toEqual([0.69, 0.73]);
});
