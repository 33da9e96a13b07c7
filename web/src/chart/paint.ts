// Draws what is between the axes: bands, single runs, means. Used on the screen and in exported figures.

import type uPlot from "uplot";
import { highAt, type Line, lowAt, pieces, type Range, type RunLine } from "./curves";
import type { Level } from "./levels";
import { plain } from "../format";
import { corners } from "./marker";
import type { Pen, Point } from "./pen";

export interface Figure {
  title: string;
  lines: Line[];
  /** Drawn instead of the bands. */
  runs: RunLine[];
  x_title: string;
  y_title: string;
  x: Range;
  /** The x axis has only whole numbers. */
  whole_x?: boolean;
  y: Range;
  log: boolean;
  /** A horizontal line at zero difference. */
  zero: boolean;
  /** The least possible values. */
  levels: Level[];
  /** Names of the arms that stand out; the others are faint. Empty if all are alike. */
  strong: string[];
}

/** Maps values to CSS pixels. */
export interface Place {
  left: number;
  top: number;
  width: number;
  height: number;
  x(value: number): number;
  y(value: number): number;
}

/** Colours by the name of their custom property. */
export type Colours = (token: string) => string;

/** The map from a figure's ranges to a rectangle. */
export function placeIn({ x, y, log }: Pick<Figure, "x" | "y" | "log">, left: number, top: number, width: number, height: number): Place {
  const share = (value: number, [low, high]: Range) => (value - low) / (high - low);
  const level = (value: number) =>
    log ? share(Math.log(Math.max(value, Number.MIN_VALUE)), [Math.log(y[0]), Math.log(y[1])]) : share(value, y);
  return { left, top, width, height, x: (value) => left + width * share(value, x), y: (value) => top + height * (1 - level(value)) };
}

/** The map that uPlot uses for its axes. */
export function placeOf(plot: uPlot, figure: Figure, ratio: number): Place {
  const { left, top, width, height } = plot.bbox;
  return placeIn(figure, left / ratio, top / ratio, width / ratio, height / ratio);
}

const MEAN = 1.5;
const MEAN_OF_STRONG = 2.25;
const MEAN_OF_FEWER = 0.75;
const RUN = 0.75;
const FAINT = 0.25;
/** More lines than this have bands only where they stand out. */
const FEW_BANDS = 3;

export function paint(pen: Pen, figure: Figure, place: Place, colours: Colours) {
  const { left, top, width, height } = place;
  const stands = strengthOf(figure);
  // Lines that stand out are drawn over the others.
  const lines = [...figure.lines].sort((a, b) => stands(a.style.name) - stands(b.style.name));
  pen.inside(left, top, width, height, () => {
    if (figure.zero) pen.line([[left, place.y(0)], [left + width, place.y(0)]], { colour: colours("--arm-baseline"), width: 1, dash: [5, 3] });
    paintLevels(pen, figure.levels, figure.y, place, colours);
    if (figure.runs.length) paintRuns(pen, figure, place, colours);
    else paintBands(pen, figure, place, colours);
    for (const line of lines) paintMean(pen, figure, line, place, colours(line.style.token), stands(line.style.name));
    for (const [index, line] of lines.entries()) {
      const strength = stands(line.style.name);
      if (strength >= 0) paintMarks(pen, figure, line, index / lines.length, place, colours(line.style.token));
      paintOutside(pen, figure, line, place, colours(line.style.token), strength);
    }
  });
}

/** 1 for an arm that stands out, -1 for the others beside it, 0 if all are alike. */
function strengthOf({ strong }: Figure): (name: string) => -1 | 0 | 1 {
  return (name) => (strong.length === 0 ? 0 : strong.includes(name) ? 1 : -1);
}

const LEVEL_DASH = [6, 4];
const LEVEL_TEXT = 10;
/** Between two names, in pixels. */
const NAMES_APART = 13;

/** Draws each line with its name above it. A line below the chart has only a name, at the lower edge. */
export function paintLevels(pen: Pen, levels: Level[], y: Range, place: Place, colours: Colours) {
  const { left, top, width, height } = place;
  const colour = colours("--quiet");
  let free = Infinity;
  for (const { value, name } of [...levels].sort((a, b) => a.value - b.value)) {
    if (value > y[1]) continue;
    const below = value < y[0];
    const at = below ? top + height : place.y(value);
    if (!below) pen.line([[left, at], [left + width, at]], { colour, width: 1, dash: LEVEL_DASH });
    // A name that would cover another one is left out.
    if (at > free) continue;
    pen.text([left + 6, at - 8], below ? `↓ ${name} ${plain(value)}` : name, { colour, size: LEVEL_TEXT });
    free = at - NAMES_APART;
  }
}

function bandLines({ lines, strong }: Figure): Line[] {
  return strong.length || lines.length > FEW_BANDS ? lines.filter((line) => strong.includes(line.style.name)) : lines;
}

function paintRuns(pen: Pen, figure: Figure, place: Place, colours: Colours) {
  const { runs, log } = figure;
  const stands = strengthOf(figure);
  for (const run of runs) {
    const points: Point[] = [];
    run.x.forEach((x, index) => {
      if (!log || run.values[index]! > 0) points.push([place.x(x), place.y(run.values[index]!)]);
    });
    pen.line(points, { colour: colours(run.style.token), width: RUN, opacity: stands(run.style.name) < 0 ? 0.08 : 0.45 });
  }
}

function paintBands(pen: Pen, figure: Figure, place: Place, colours: Colours) {
  const lines = bandLines(figure);
  // Overlapping bands get fainter with their number.
  const opacity = Number(colours("--band")) * Math.min(1, 3 / lines.length);
  const bottom = place.top + place.height;
  for (const line of lines) {
    // On a logarithmic axis, a band that reaches below zero ends at the bottom.
    const low = (index: number) => (figure.log && lowAt(line, index) <= 0 ? bottom : place.y(lowAt(line, index)));
    for (const [from, to] of banded(line)) {
      const points: Point[] = [];
      for (let index = from; index < to; index++) points.push([place.x(line.x[index]!), place.y(highAt(line, index))]);
      for (let index = to - 1; index >= from; index--) points.push([place.x(line.x[index]!), low(index)]);
      pen.area(points, colours(line.style.token), opacity);
    }
  }
}

/** Marks on each line, which begin at another place on each. */
const MARKS = 5;

function paintMarks(pen: Pen, { x: [from, to], y, log }: Figure, line: Line, shift: number, place: Place, colour: string) {
  const { marker } = line.style;
  if (!marker || line.x.length === 0) return;
  const at = new Set(Array.from({ length: MARKS }, (_, mark) => line.x.findIndex((x) => x >= from + ((mark + shift) * (to - from)) / MARKS)));
  for (const index of at) {
    const value = line.mean[index];
    if (value === undefined || (log && value <= 0) || value < y[0] || value > y[1] || line.x[index]! > to) continue;
    pen.area(corners(marker, place.x(line.x[index]!), place.y(value), 2.75), colour, 1);
  }
}

const ARROW = { width: 9, height: 7 };

/** An arrow at the edge beyond which a line ends. */
function paintOutside(pen: Pen, { x, y }: Figure, line: Line, place: Place, colour: string, strength: number) {
  const end = endOf(line, x, y);
  if (!end?.side) return;
  const [at, edge] = [place.x(line.x[end.index]!), end.side > 0 ? place.top : place.top + place.height];
  const inward = end.side * ARROW.height;
  pen.area([[at, edge], [at - ARROW.width / 2, edge + inward], [at + ARROW.width / 2, edge + inward]], colour, strength < 0 ? FAINT : 1);
}

/** The last point of a line within a range of x, and on which side of the range of y it is: 1 above, -1 below, 0 inside. */
export function endOf(line: Pick<Line, "x" | "mean">, x: Range, y: Range): { index: number; side: -1 | 0 | 1 } | null {
  const index = line.x.findLastIndex((at) => at <= x[1]);
  if (index < 0) return null;
  const value = line.mean[index]!;
  return { index, side: value > y[1] ? 1 : value < y[0] ? -1 : 0 };
}

/** The runs of points, as half-open ranges, at which the line has a band. */
function banded({ x, std, interval }: Line): Range[] {
  const runs: Range[] = [];
  let from = -1;
  for (let index = 0; index <= x.length; index++) {
    const has = index < x.length && (interval !== undefined || std[index] !== null);
    if (has && from < 0) from = index;
    else if (!has && from >= 0) {
      runs.push([from, index]);
      from = -1;
    }
  }
  return runs;
}

function paintMean(pen: Pen, { log }: Figure, line: Line, place: Place, colour: string, strength: -1 | 0 | 1) {
  const { raw } = line;
  if (raw && strength >= 0) {
    const points = raw.flatMap((value, index): Point[] => (!log || value > 0 ? [[place.x(line.x[index]!), place.y(value)]] : []));
    pen.line(points, { colour, width: RUN, opacity: FAINT });
  }
  const shown = (index: number) => !log || line.mean[index]! > 0;
  for (const { from, to, all_seeds } of pieces(line.n)) {
    const points: Point[] = [];
    for (let index = from; index < to; index++) if (shown(index)) points.push([place.x(line.x[index]!), place.y(line.mean[index]!)]);
    const opacity = strength < 0 ? FAINT : all_seeds ? 1 : 0.7;
    pen.line(points, { colour, width: !all_seeds ? MEAN_OF_FEWER : strength > 0 ? MEAN_OF_STRONG : MEAN, dash: line.style.dash, opacity });
  }
  // One or two points are marked, because their line is hardly visible.
  if (line.x.length > 2) return;
  for (const [index, x] of line.x.entries()) if (shown(index)) pen.dot([place.x(x), place.y(line.mean[index]!)], 2.5, colour);
}
