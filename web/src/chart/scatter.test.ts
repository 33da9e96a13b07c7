import { expect, test } from "vitest";
import { styleArms } from "../arms";
import { svgPen } from "./pen";
import { type Axis, cardCorner, type Dot, drawScatter, fit, nearest, neighbour, positions, type Scatter, xTicks } from "./scatter";

const [style] = styleArms([{ name: "opt", method: "opt:cayley" }]);
const dot = (key: string, x: number, y: number | null, more: Partial<Dot> = {}): Dot => ({ key, style: style!, x, shift: 0, y, spread: null, ringed: false, hollow: false, ...more });
const LOG: Axis = { kind: "log", ends: [0.01, 1], edges: [0.01, 1] };
const SIZE = { width: 480, height: 320 };
const scatterOf = (dots: Dot[], axis = LOG): Scatter => ({ dots, axis, x_title: "rate", y_title: "error (%)", y: [0, 10], log: false, strong: [] });

test("equal ratios are equal distances on a logarithmic axis", () => {
  const [a, b, c] = positions(scatterOf([dot("a", 0.01, 5), dot("b", 0.1, 5), dot("c", 1, 5)]), SIZE).map(({ at }) => at[0]);
  expect(b! - a!).toBeCloseTo(c! - b!);
  expect(positions(scatterOf([dot("a", 0.01, 5, { shift: 3 })]), SIZE)[0]!.at[0]).toBeCloseTo(a! + 3);
  expect(xTicks(LOG, 400)).toEqual({ at: [-2, -1, 0], texts: ["0.01", "0.1", "1"] });
});

test("words are at even distances, and shortened where they do not fit", () => {
  const words: Axis = { kind: "words", words: ["constant", "cosine"] };
  expect(xTicks(words, 400)).toEqual({ at: [0, 1], texts: ["constant", "cosine"] });
  expect(xTicks(words, 80).texts).toEqual(["cons…", "cosi…"]);
  const many: Axis = { kind: "words", words: Array.from({ length: 40 }, (_, index) => String(index)) };
  expect(xTicks(many, 320).at.length).toBeLessThanOrEqual(10);
});

test("failed points are above the plot, others outside of its axis at the edge", () => {
  const [inside, above, failed] = positions(scatterOf([dot("a", 0.1, 5), dot("b", 0.1, 88), dot("c", 0.1, null)]), SIZE);
  expect([inside!.side, above!.side, failed!.side]).toEqual([0, 1, 0]);
  expect(failed!.at[1]).toBeLessThan(above!.at[1]);
  expect(above!.at[1]).toBeLessThan(inside!.at[1]);
  const pen = svgPen(SIZE.width, SIZE.height, "serif", "#fff");
  drawScatter(pen, scatterOf([dot("c", 0.1, null)]), SIZE, () => "#000");
  expect(pen.document()).toContain(">failed</text>");
  const without = svgPen(SIZE.width, SIZE.height, "serif", "#fff");
  drawScatter(without, scatterOf([dot("a", 0.1, 5)]), SIZE, () => "#000");
  expect(without.document()).not.toContain("failed");
});

test("the axis is fitted to most dots and their whiskers", () => {
  const dots = Array.from({ length: 12 }, (_, index) => dot(`${index}`, 0.1, 3 + index / 10));
  const far = [...dots, dot("far", 1, 90)];
  const { range, outside } = fit(far, false, false);
  expect([range[0] < 3, range[1] > 4.1 && range[1] < 5, outside]).toEqual([true, true, 1]);
  expect(fit(far, false, true)).toMatchObject({ outside: 1 });
  expect(fit(far, false, true).range[1]).toBeGreaterThan(90);
  expect(fit([dot("a", 0.1, 3, { spread: [1, 5] })], false, false).range).toEqual([1 - 0.32, 5 + 0.32]);
  const [low, high] = fit([dot("a", 0.1, 1), dot("b", 0.1, 100), dot("zero", 0.1, 0)], true, false).range;
  expect(low > 0 && low < 1 && high > 100).toBe(true);
  expect(fit([dot("a", 0.1, null)], false, false)).toEqual({ range: [0, 100], outside: 0 });
});

test("the nearest dot is found within a distance, and the arrow keys visit all in order", () => {
  const dots = [dot("right", 1, 5), dot("left", 0.01, 5), dot("low", 0.1, 2), dot("failed", 0.1, null)];
  const scatter = scatterOf(dots);
  const [x, y] = positions(scatter, SIZE)[2]!.at;
  expect(nearest(scatter, SIZE, [x + 5, y - 5], 18)?.key).toBe("low");
  expect(nearest(scatter, SIZE, [x + 30, y], 18)).toBeNull();
  const way = [null, "left", "low", "failed", "right"].map((key) => neighbour(dots, key, 1)?.key);
  expect(way).toEqual(["left", "low", "failed", "right", "right"]);
  expect(neighbour(dots, null, -1)?.key).toBe("right");
  expect(neighbour([], null, 1)).toBeNull();
});

test("a card is beside its dot, and never outside of the chart's width", () => {
  const card = { width: 200, height: 80 };
  expect(cardCorner([100, 150], card, SIZE)).toEqual([112, 110]);
  expect(cardCorner([400, 10], card, SIZE)).toEqual([188, 0]);
  expect(cardCorner([150, 150], card, { width: 300, height: 320 })).toEqual([50, 162]);
});
