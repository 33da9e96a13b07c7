import { expect, test } from "vitest";
import { styleArms } from "../arms";
import { lineOf } from "./curves";
import { type Figure, paint, placeIn } from "./paint";
import type { Pen, Point } from "./pen";

/** The corners of the only band of a chart from 90 to 100, whose area is 100 pixels wide and high. */
function band(mean: number[], log: boolean): Point[] {
  const areas: Point[][] = [];
  const [style] = styleArms([{ name: "a", method: "baseline" }]);
  const pen: Pen = { line() {}, area: (points) => void areas.push(points), dot() {}, text() {}, inside: (_left, _top, _width, _height, draw) => draw() };
  const curve = { steps: [0, 10], mean, std: [2, 2], n: [5, 5] };
  const figure: Figure = {
    title: "", lines: [{ ...lineOf(style!, curve, 1), limits: [-Infinity, Infinity] }], runs: [],
    x_title: "", y_title: "", x: [0, 10], y: [90, 100], log, zero: false, levels: [], strong: [],
  };
  paint(pen, figure, placeIn(figure, 0, 0, 100, 100), () => "1");
  return areas[0]!.map(([x, y]) => [Math.round(x), Math.round(y)]);
}

test("a band that begins below the chart is clipped and not bent to its edge", () => {
  // From 10 +- 2 to 95 +- 2: both edges rise as steeply as the mean does.
  expect(band([10, 95], false)).toEqual([[0, 880], [100, 30], [100, 70], [0, 920]]);
});

test("on a logarithmic axis, a band that reaches below zero ends at the bottom", () => {
  expect(band([1, 95], true).at(-1)).toEqual([0, 100]);
});
