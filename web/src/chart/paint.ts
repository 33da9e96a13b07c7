// Draws what is between the axes: bands, single runs, means. Used on the screen and in exported figures.

import type uPlot from "uplot";
import { highAt, type Line, lowAt, pieces, type Range, type RunLine } from "./curves";
import type { Pen, Point } from "./pen";

export interface Figure {
  title: string;
  lines: Line[];
  /** Drawn instead of the bands. */
  runs: RunLine[];
  x_title: string;
  y_title: string;
  x: Range;
  y: Range;
  log: boolean;
  /** A horizontal line at zero difference. */
  zero: boolean;
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
const MEAN_OF_FEWER = 0.75;
const RUN = 0.75;

export function paint(pen: Pen, figure: Figure, place: Place, colours: Colours) {
  const { left, top, width, height } = place;
  pen.inside(left, top, width, height, () => {
    if (figure.zero) pen.line([[left, place.y(0)], [left + width, place.y(0)]], { colour: colours("--arm-baseline"), width: 1, dash: [5, 3] });
    if (figure.runs.length) paintRuns(pen, figure, place, colours);
    else paintBands(pen, figure, place, colours);
    for (const line of figure.lines) paintMean(pen, figure, line, place, colours(line.style.token));
    for (const line of figure.lines) paintOutside(pen, figure, line, place, colours(line.style.token));
  });
}

function paintRuns(pen: Pen, { runs, log }: Figure, place: Place, colours: Colours) {
  for (const run of runs) {
    const points: Point[] = [];
    run.x.forEach((x, index) => {
      if (!log || run.values[index]! > 0) points.push([place.x(x), place.y(run.values[index]!)]);
    });
    pen.line(points, { colour: colours(run.style.token), width: RUN, opacity: 0.45 });
  }
}

function paintBands(pen: Pen, { lines }: Figure, place: Place, colours: Colours) {
  // Overlapping bands get fainter with their number.
  const opacity = Number(colours("--band")) * Math.min(1, 3 / lines.length);
  const bottom = place.top + place.height;
  for (const line of lines) {
    for (const [from, to] of banded(line)) {
      const points: Point[] = [];
      for (let index = from; index < to; index++) points.push([place.x(line.x[index]!), place.y(highAt(line, index))]);
      // On a logarithmic axis, a band that reaches below zero ends at the bottom.
      for (let index = to - 1; index >= from; index--) points.push([place.x(line.x[index]!), Math.min(bottom, place.y(lowAt(line, index)))]);
      pen.area(points, colours(line.style.token), opacity);
    }
  }
}

const ARROW = { width: 9, height: 7 };

/** An arrow at the edge beyond which a line ends. */
function paintOutside(pen: Pen, { x, y }: Figure, line: Line, place: Place, colour: string) {
  const end = endOf(line, x, y);
  if (!end?.side) return;
  const [at, edge] = [place.x(line.x[end.index]!), end.side > 0 ? place.top : place.top + place.height];
  const inward = end.side * ARROW.height;
  pen.area([[at, edge], [at - ARROW.width / 2, edge + inward], [at + ARROW.width / 2, edge + inward]], colour, 1);
}

/** The last point of a line within a range of x, and on which side of the range of y it is: 1 above, -1 below, 0 inside. */
export function endOf(line: Pick<Line, "x" | "mean">, x: Range, y: Range): { index: number; side: -1 | 0 | 1 } | null {
  const index = line.x.findLastIndex((at) => at <= x[1]);
  if (index < 0) return null;
  const value = line.mean[index]!;
  return { index, side: value > y[1] ? 1 : value < y[0] ? -1 : 0 };
}

/** The runs of points, as half-open ranges, at which the line has a standard deviation. */
function banded({ x, std }: Line): Range[] {
  const runs: Range[] = [];
  let from = -1;
  for (let index = 0; index <= x.length; index++) {
    const has = index < x.length && std[index] !== null;
    if (has && from < 0) from = index;
    else if (!has && from >= 0) {
      runs.push([from, index]);
      from = -1;
    }
  }
  return runs;
}

function paintMean(pen: Pen, { log }: Figure, line: Line, place: Place, colour: string) {
  const shown = (index: number) => !log || line.mean[index]! > 0;
  for (const { from, to, all_seeds } of pieces(line.n)) {
    const points: Point[] = [];
    for (let index = from; index < to; index++) if (shown(index)) points.push([place.x(line.x[index]!), place.y(line.mean[index]!)]);
    pen.line(points, { colour, width: all_seeds ? MEAN : MEAN_OF_FEWER, dash: line.style.dash, opacity: all_seeds ? 1 : 0.7 });
  }
  // One or two points are marked, because their line is hardly visible.
  if (line.x.length > 2) return;
  for (const [index, x] of line.x.entries()) if (shown(index)) pen.dot([place.x(x), place.y(line.mean[index]!)], 2.5, colour);
}
