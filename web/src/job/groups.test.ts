import { expect, test } from "vitest";
import type { Attempt, JobCurve } from "../contract";
import { ATTEMPT } from "../fixtures";
import { beside, figuresOf, seamsOf } from "./groups";

const curve = (name: string): JobCurve => ({ name, unit: "", higher_is_better: null, width: 1, steps: [0, 1], values: [1, 2], bound: null });

test("series of the same kind share a figure, the most important one first", () => {
  const names = ["energy/hidden1", "energy/mean", "learning_rate", "odd", "train/loss", "test/loss", "test/accuracy"];
  const figures = figuresOf(names.map(curve));
  expect(figures.map((figure) => figure.key)).toEqual(["accuracy", "loss", "energy", "learning_rate", "odd"]);
  expect(figures[1]!.lines.map((line) => line.label)).toEqual(["test", "train"]);
  expect(figures[2]!.lines.map((line) => line.curve.name)).toEqual(["energy/mean", "energy/hidden1"]);
});

test("train and test have the same colours in every figure, and no two lines of a figure look alike", () => {
  const splits = figuresOf(["train/loss", "test/loss", "train/accuracy", "test/accuracy"].map(curve));
  for (const { lines } of splits) expect(lines.map(({ label, style }) => [label, style.token])).toEqual([["test", "--arm-0"], ["train", "--arm-1"]]);
  const layers = figuresOf(["energy/mean", ...Array.from({ length: 9 }, (_, index) => `energy/conv${index}`)].map(curve));
  expect(new Set(layers[0]!.lines.map(({ style }) => `${style.token} ${style.dash}`)).size).toBe(10);
  expect(layers[0]!.lines[0]!.style.dash).toEqual([]);
});

test("a mark is at the start of each resumed attempt", () => {
  const attempt = (number: number, start_step: number): Attempt => ({ ...ATTEMPT, number, start_step });
  expect(seamsOf([attempt(1, 0), attempt(2, 300), attempt(3, 0)])).toEqual([{ attempt: 2, step: 300 }]);
});

test("a zoomed line includes the neighbouring points, even without points inside", () => {
  const of = (name: string, steps: number[]): JobCurve => ({ ...curve(name), steps, values: steps });
  const curves = beside([of("test/loss", [0, 100, 200]), of("train/loss", [0, 100, 200])], [of("train/loss", [120, 130]), of("new", [125])], [110, 140]);
  expect(curves.map(({ name, values }) => [name, values])).toEqual([["test/loss", [100, 200]], ["train/loss", [100, 120, 130, 200]], ["new", [125]]]);
});
