// A chart with a dot per point: its whisker, a ring around chosen ones, and a strip above the plot for failed ones.
// The same drawing is on the page and in files.

import type { ArmStyle } from "../arms";
import { leftOut, ranAwayLinear, ranAwayLog } from "./bulk";
import type { Range } from "./curves";
import { corners } from "./marker";
import { type Colours, type Place, placeIn } from "./paint";
import type { Pen, Point } from "./pen";
import { drawAxes } from "./plate";
import { linearTicks, logTicks, tickLabels } from "./ticks";

export interface Dot {
  key: string;
  style: ArmStyle;
  /** Its value, or the index of its category. */
  x: number;
  /** Pixels by which it is drawn beside its place, so that equal dots are not over each other. */
  shift: number;
  /** Null for a failed point. */
  y: number | null;
  /** The ends of its whisker. */
  spread: Range | null;
  /** Drawn with a ring around it. */
  ringed: boolean;
  /** Not all of its values are known yet. */
  hollow: boolean;
}

/** The x axis: numbers between two ends, with a line at each edge, or words. */
export type Axis = { kind: "linear" | "log"; ends: Range; edges: number[] } | { kind: "words"; words: string[] };

export interface Scatter {
  dots: Dot[];
  axis: Axis;
  x_title: string;
  y_title: string;
  y: Range;
  /** A logarithmic y axis. */
  log: boolean;
  /** Names of the arms that stand out; empty if all are alike. */
  strong: string[];
}

export interface Size {
  width: number;
  height: number;
}

const LEFT = 64;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 44;
/** The strip of failed points. */
const STRIP = 24;
const X_SPACE = 64;
const Y_SPACE = 40;
/** Estimated width of a character of a word. */
const CHARACTER = 6.6;
/** A smaller value has no place on a logarithmic axis, and is drawn at its lower edge. */
const FLOOR = 1e-9;

/** The dots whose y axis is fitted, as in the charts of curves: a few that are far from the others are left out. */
export function fit(dots: Dot[], log: boolean, whole: boolean): { range: Range; outside: number } {
  const level = (value: number) => (log ? Math.log(Math.max(value, FLOOR)) : value);
  const drawn = dots.filter(({ y }) => y !== null && (!log || y > FLOOR));
  if (drawn.length === 0) return { range: log ? [1, 100] : [0, 100], outside: 0 };
  const ranges = drawn.map(({ y, spread }): Range => {
    const [low, high] = spread ?? [y!, y!];
    return log && low <= FLOOR ? [level(y!), level(high)] : [level(low), level(high)];
  });
  const out = leftOut(ranges, log ? ranAwayLog : ranAwayLinear);
  const fitted = padded(ranges.filter((_, index) => !out.has(index)));
  const outside = drawn.filter(({ y }) => level(y!) < fitted[0] || level(y!) > fitted[1]).length;
  const range = whole ? padded(ranges) : fitted;
  return { range: log ? [Math.exp(range[0]), Math.exp(range[1])] : range, outside };
}

function padded(ranges: Range[]): Range {
  const [low, high] = [Math.min(...ranges.map((range) => range[0])), Math.max(...ranges.map((range) => range[1]))];
  const margin = (high - low) * 0.08 || 0.5;
  return [low - margin, high + margin];
}

/** The place of a value on the x axis. */
function along(axis: Axis, value: number): number {
  return axis.kind === "log" ? Math.log10(value) : value;
}

function rangeOf(axis: Axis): Range {
  if (axis.kind === "words") return [-0.5, axis.words.length - 0.5];
  const [from, to] = [along(axis, axis.ends[0]), along(axis, axis.ends[1])];
  const margin = (to - from) * 0.05 || 0.5;
  return [from - margin, to + margin];
}

/** Ticks of the x axis that fit into this width, with their texts. */
export function xTicks(axis: Axis, width: number): { at: number[]; texts: string[] } {
  if (axis.kind === "words") {
    const every = Math.ceil(axis.words.length / Math.max(1, width / (X_SPACE / 2)));
    const at = [...axis.words.keys()].filter((index) => index % every === 0);
    const most = Math.max(3, Math.floor((width / axis.words.length / CHARACTER) * every) - 1);
    return { at, texts: at.map((index) => shortened(axis.words[index]!, most)) };
  }
  const [from, to] = rangeOf(axis);
  const ticks = axis.kind === "log" ? logTicks(10 ** from, 10 ** to, width / X_SPACE) : linearTicks(from, to, width / X_SPACE);
  return { at: ticks.map((tick) => along(axis, tick)), texts: tickLabels(ticks) };
}

function shortened(word: string, most: number): string {
  return word.length > most ? `${word.slice(0, most - 1)}…` : word;
}

const failed = ({ y }: Dot) => y === null;

function placeFor({ dots, axis, y, log }: Scatter, { width, height }: Size): Place {
  const top = TOP + (dots.some(failed) ? STRIP : 0);
  return placeIn({ x: rangeOf(axis), y, log }, LEFT, top, Math.max(1, width - LEFT - RIGHT), Math.max(1, height - top - BOTTOM));
}

/** Where each dot is drawn: failed ones in the strip, ones outside of the y axis at its edge. */
export function positions(scatter: Scatter, size: Size): { dot: Dot; at: Point; side: -1 | 0 | 1 }[] {
  const place = placeFor(scatter, size);
  return scatter.dots.map((dot) => {
    const x = place.x(along(scatter.axis, dot.x)) + dot.shift;
    if (dot.y === null) return { dot, at: [x, place.top - STRIP / 2], side: 0 };
    const [low, high] = scatter.y;
    const side = dot.y > high ? 1 : dot.y < low ? -1 : 0;
    const inside = Math.min(high, Math.max(low, dot.y));
    return { dot, at: [x, place.y(inside) + side * ARROW], side };
  });
}

/** The dot nearest to a place, if one is near. */
export function nearest(scatter: Scatter, size: Size, [x, y]: Point, within: number): Dot | null {
  const near = positions(scatter, size).map(({ dot, at }) => ({ dot, distance: Math.hypot(at[0] - x, at[1] - y) }));
  const best = near.reduce<(typeof near)[number] | null>((best, one) => (best && best.distance <= one.distance ? best : one), null);
  return best && best.distance <= within ? best.dot : null;
}

/** The next dot to the right or left, in the order of x and then of y. */
export function neighbour(dots: Dot[], key: string | null, by: 1 | -1): Dot | null {
  const order = [...dots].sort((a, b) => a.x - b.x || a.shift - b.shift || (a.y ?? Infinity) - (b.y ?? Infinity) || a.key.localeCompare(b.key));
  const here = order.findIndex((dot) => dot.key === key);
  if (here < 0) return (by > 0 ? order[0] : order.at(-1)) ?? null;
  return order[Math.min(order.length - 1, Math.max(0, here + by))]!;
}

const GAP = 12;

/** The corner of a card about a dot: beside it, or below it where neither side has space. */
export function cardCorner([x, y]: Point, card: Size, box: Size): Point {
  const top = Math.max(0, Math.min(y - card.height / 2, box.height - card.height));
  if (x + GAP + card.width <= box.width) return [x + GAP, top];
  if (x - GAP - card.width >= 0) return [x - GAP - card.width, top];
  return [Math.max(0, Math.min(x - card.width / 2, box.width - card.width)), y + GAP];
}

/** Between a dot and its ring. */
const RING = 4;
/** Half the height of an arrow. */
const ARROW = 4;
const FAINT = 0.2;
/** More dots than this are drawn smaller. */
const MANY_DOTS = 60;

export function drawScatter(pen: Pen, scatter: Scatter, size: Size, colours: Colours) {
  const { dots, axis, strong } = scatter;
  const place = placeFor(scatter, size);
  const { left, top, width, height } = place;
  const x = xTicks(axis, width);
  const ticks = { x: x.at, x_texts: x.texts, y: (scatter.log ? logTicks : linearTicks)(scatter.y[0], scatter.y[1], height / Y_SPACE) };
  drawAxes(pen, place, ticks, { x: scatter.x_title, y: scatter.y_title }, colours);
  if (dots.some(failed)) {
    pen.line([[left, top], [left + width, top]], { colour: colours("--line-strong"), width: 0.5 });
    pen.text([left - 8, top - STRIP / 2], "failed", { colour: colours("--quiet"), size: 12, align: "end" });
  }
  if (axis.kind !== "words") {
    for (const edge of axis.edges) {
      const at = place.x(along(axis, edge));
      pen.line([[at, top], [at, top + height]], { colour: colours("--line-strong"), width: 1, dash: [2, 3] });
    }
  }
  const radius = dots.length > MANY_DOTS ? 3 : 4;
  const rank = (dot: Dot) => Number(strong.includes(dot.style.name)) * 2 + Number(dot.ringed);
  const shown = positions(scatter, size).sort((a, b) => rank(a.dot) - rank(b.dot));
  for (const { dot, at, side } of shown) {
    const colour = colours(dot.style.token);
    const opacity = strong.length && !strong.includes(dot.style.name) ? FAINT : 1;
    if (dot.y === null) drawCross(pen, at, radius, colour, opacity);
    else if (side !== 0) drawArrow(pen, at, side, colour, opacity);
    else {
      if (dot.spread) {
        const [low, high] = dot.spread.map((value) => Math.min(top + height, Math.max(top, place.y(value)))) as Range;
        pen.line([[at[0], low], [at[0], high]], { colour, width: dots.length > MANY_DOTS ? 0.75 : 1.25, opacity });
      }
      drawDot(pen, dot, at, radius, colours, opacity);
    }
  }
}

function drawDot(pen: Pen, { style, ringed, hollow }: Dot, [x, y]: Point, radius: number, colours: Colours, opacity: number) {
  const colour = colours(style.token);
  const circle = (size: number, fill: string, alpha: number) => pen.area(corners("circle", x, y, size), fill, alpha);
  if (ringed) drawRing(pen, [x, y], radius + RING, colour, opacity);
  pen.area(corners(style.marker ?? "circle", x, y, radius), colour, opacity);
  if (hollow) circle(radius - 1.5, colours("--panel"), 1);
}

function drawRing(pen: Pen, [x, y]: Point, radius: number, colour: string, opacity: number) {
  const turn = (part: number): Point => [x + radius * Math.cos(2 * Math.PI * part), y + radius * Math.sin(2 * Math.PI * part)];
  pen.line(Array.from({ length: 33 }, (_, index) => turn(index / 32)), { colour, width: 2, opacity });
}

function drawCross(pen: Pen, [x, y]: Point, radius: number, colour: string, opacity: number) {
  for (const way of [1, -1]) pen.line([[x - radius, y - way * radius], [x + radius, y + way * radius]], { colour, width: 2, opacity });
}

function drawArrow(pen: Pen, [x, y]: Point, side: -1 | 1, colour: string, opacity: number) {
  pen.area([[x, y - side * ARROW], [x - ARROW - 1, y + side * ARROW], [x + ARROW + 1, y + side * ARROW]], colour, opacity);
}
