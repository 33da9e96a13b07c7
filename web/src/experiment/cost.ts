// Accuracy against cost: the accuracy and the training seconds of each arm.

import { type ArmStyle, MANY_ARMS } from "../arms";
import { leftOut, ranAwayLinear } from "../chart/bulk";
import type { Comparison, Job } from "../contract";
import { complement } from "../percent";
import type { Range } from "../chart/curves";
import { type Colours, placeIn } from "../chart/paint";
import { corners } from "../chart/marker";
import type { Pen, Point } from "../chart/pen";
import { drawAxes } from "../chart/plate";
import { linearTicks } from "../chart/ticks";
import type { Box } from "../chart/tip";
import { number } from "../format";

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
  // The axis is fitted to most arms, as in the charts.
  const far = leftOut(all.map(rangeOf), ranAwayLinear);
  const near = all.filter((_, index) => !far.has(index));
  const many = all.length > MANY_ARMS;
  const y = padded(near.flatMap((one) => [...rangeOf(one), ...(many ? [] : one.runs.map((run) => run[1]))]));
  const place = placeIn({ x: [0, longest], y, log: false }, LEFT, TOP, width, height);
  const titles = { x: "training time of a run (s)", y: "test accuracy (%)" };
  drawAxes(pen, place, { x: linearTicks(0, longest, 6), y: linearTicks(y[0], y[1], 6) }, titles, colours);
  const taken: Box[] = [];
  // The best arms are drawn over the others and get their names first.
  const best_first = [...near].sort((a, b) => b.accuracy - a.accuracy);
  for (const { style, seconds, accuracy, std, runs } of best_first.toReversed()) {
    const colour = colours(style.token);
    for (const run of many ? [] : runs) pen.dot([place.x(run[0]), place.y(run[1])], 2, colour);
    const [x, radius] = [place.x(seconds), many ? 4 : 5];
    if (std !== null) pen.line([[x, place.y(accuracy - std)], [x, place.y(accuracy + std)]], { colour, width: many ? 0.75 : 1.5 });
    if (style.marker) pen.area(corners(style.marker, x, place.y(accuracy), radius), colour, 1);
    else pen.dot([x, place.y(accuracy)], radius, colour);
    taken.push({ left: x - radius, top: place.y(accuracy) - radius, width: 2 * radius, height: 2 * radius });
  }
  const named = [...best_first].sort((a, b) => Number(b.style.token === "--arm-baseline") - Number(a.style.token === "--arm-baseline"));
  for (const { style, seconds, accuracy } of named) {
    const box = { left: place.x(seconds) + 8, top: place.y(accuracy) - 7, width: style.name.length * CHARACTER, height: 14 };
    if (many && taken.some((other) => overlap(box, other))) continue;
    taken.push(box);
    pen.text([box.left + 2, place.y(accuracy)], style.name, { colour: colours("--ink"), size: 12 });
  }
  [...far].forEach((index, row) => {
    const { style, seconds, accuracy } = all[index]!;
    const [x, above] = [place.x(seconds), accuracy > y[1]];
    const [edge, inward] = above ? [TOP, 7] : [TOP + height, -7];
    pen.area([[x, edge], [x - 4.5, edge + inward], [x + 4.5, edge + inward]], colours(style.token), 1);
    const words = `${style.name} ${above ? "↑" : "↓"} ${number(accuracy, 2)}`;
    pen.text([LEFT + width, edge + (above ? 1 : -1) * (8 + 14 * row)], words, { colour: colours("--quiet"), size: 12, align: "end" });
  });
}

/** Estimated width of a character of a name. */
const CHARACTER = 6.6;

function overlap(a: Box, b: Box): boolean {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
}

/** The accuracies of an arm: its mean with the standard deviation. */
function rangeOf({ accuracy, std }: Cost): Range {
  return [accuracy - (std ?? 0), accuracy + (std ?? 0)];
}

function padded(values: number[]): Range {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low) * 0.08 || 0.5;
  return [low - margin, high + margin];
}
