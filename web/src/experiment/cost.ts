// Accuracy against cost: the accuracy and the training seconds of each arm.

import type { ArmStyle } from "../arms";
import type { Comparison, Job } from "../contract";
import { complement } from "../percent";
import type { Range } from "../chart/curves";
import { type Colours, placeIn } from "../chart/paint";
import type { Pen, Point } from "../chart/pen";
import { drawAxes } from "../chart/plate";
import { linearTicks } from "../chart/ticks";

export interface Cost {
  style: ArmStyle;
  /** Mean seconds of a run, and mean test accuracy with its sample standard deviation, in percent. */
  seconds: number;
  accuracy: number;
  std: number | null;
  n: number;
  /** Seconds and accuracy of each finished run. */
  runs: Point[];
}

/** The arms for which both are known. The comparison must be of test errors. */
export function costs(arms: ArmStyle[], comparison: Comparison | null, jobs: Job[]): Cost[] {
  return arms.flatMap((style) => {
    const result = comparison?.arms.find((arm) => arm.arm === style.name);
    if (result?.mean == null || result.seconds == null) return [];
    const runs = jobs.filter((job) => job.arm === style.name && job.seconds != null && job.test_error != null);
    return [{
      style,
      seconds: result.seconds,
      accuracy: complement(result.mean),
      std: result.std,
      n: result.n,
      runs: runs.map((job): Point => [job.seconds!, complement(job.test_error!)]),
    }];
  });
}

export const COST_SIZE = { width: 640, height: 360 };
const LEFT = 64;
const RIGHT = 120;
const TOP = 16;
const BOTTOM = 48;

export function drawCosts(pen: Pen, all: Cost[], colours: Colours) {
  const width = COST_SIZE.width - LEFT - RIGHT;
  const height = COST_SIZE.height - TOP - BOTTOM;
  const longest = 1.05 * Math.max(...all.flatMap((one) => [one.seconds, ...one.runs.map((run) => run[0])]));
  const y = padded(all.flatMap((one) => [one.accuracy - (one.std ?? 0), one.accuracy + (one.std ?? 0), ...one.runs.map((run) => run[1])]));
  const place = placeIn({ x: [0, longest], y, log: false }, LEFT, TOP, width, height);
  const titles = { x: "training time of a run (s)", y: "test accuracy (%)" };
  drawAxes(pen, place, { x: linearTicks(0, longest, 6), y: linearTicks(y[0], y[1], 6) }, titles, colours);
  for (const { style, seconds, accuracy, std, runs } of all) {
    const colour = colours(style.token);
    for (const run of runs) pen.dot([place.x(run[0]), place.y(run[1])], 2, colour);
    if (std !== null) pen.line([[place.x(seconds), place.y(accuracy - std)], [place.x(seconds), place.y(accuracy + std)]], { colour, width: 1.5 });
    pen.dot([place.x(seconds), place.y(accuracy)], 5, colour);
    pen.text([place.x(seconds) + 10, place.y(accuracy)], style.name, { colour: colours("--ink"), size: 12 });
  }
}

function padded(values: number[]): Range {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low) * 0.08 || 0.5;
  return [low - margin, high + margin];
}
