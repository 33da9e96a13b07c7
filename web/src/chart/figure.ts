// The options of a uPlot chart. uPlot draws axes, cursor and zoom; `paint.ts` draws what is between the axes.

import uPlot from "uplot";
import { MANY_ARMS } from "../arms";
import type { Range } from "./curves";
import { type Figure, paint, placeOf } from "./paint";
import { canvasPen } from "./pen";
import { resolve } from "./shade";
import { linearTicks, logTicks, tickLabels } from "./ticks";

/** The layout around the lines. A small chart has no titles of axes, because its heading names them. */
export interface Frame {
  /** Pixels at the right for the names of the lines. */
  label_width: number;
  bare: boolean;
}

export interface Hooks {
  drawn(plot: uPlot): void;
  pointed(plot: uPlot): void;
  /** The dragged range of x or of y or of both; null where the drag was along the other axis. */
  selected(x: Range | null, y: Range | null): void;
}

/** Minimum distance between two numbers of an axis, in pixels. */
const X_SPACE = 80;
const Y_SPACE = 40;

/** A drag by fewer pixels than this along one axis is a drag along the other. */
const ALONG = 32;

/** A drag selects a range of x, of y, or of both; the owner of the chart decides what to do with it. */
export const DRAG: uPlot.Cursor.Drag = { x: true, y: true, uni: ALONG, dist: 4, setScale: false };

/** A custom property in the theme now in force. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The custom properties and their shades, each looked up once, because a drawing uses the same few hundreds of times. */
export function tokens(): (name: string) => string {
  const style = getComputedStyle(document.documentElement);
  const known = new Map<string, string>();
  return (name) => {
    const value = known.get(name) ?? resolve(name, (property) => style.getPropertyValue(property).trim());
    known.set(name, value);
    return value;
  };
}

export function xTicks({ x, whole_x = false }: Figure, width: number): number[] {
  const most = width / X_SPACE;
  return linearTicks(x[0], x[1], whole_x ? Math.min(most, x[1] - x[0]) : most);
}

export function yTicks({ y, log }: Pick<Figure, "y" | "log">, height: number): number[] {
  return (log ? logTicks : linearTicks)(y[0], y[1], height / Y_SPACE);
}

/** The options of a chart. `figure` is called for every drawing, so that new data and ranges need no new chart. */
export function optionsFor(figure: () => Figure, { label_width, bare }: Frame, hooks: Hooks): Omit<uPlot.Options, "width" | "height"> {
  const family = token("--sans");
  const font = `12px ${family}`;
  const colours = tokens();
  const { lines, x_title, y_title, log } = figure();
  const axis: uPlot.Axis = {
    stroke: () => colours("--quiet"),
    font,
    labelFont: font,
    grid: { stroke: () => colours("--grid"), width: 1 },
    ticks: { show: false },
    gap: 6,
    labelSize: bare ? 0 : 20,
    filter: (_, splits) => splits,
    values: (_, ticks) => (figure().lines.length ? tickLabels(ticks) : []),
  };
  return {
    legend: { show: false },
    padding: [8, Math.max(24, label_width), 0, 0],
    scales: {
      x: { time: false, range: () => figure().x },
      y: { range: () => figure().y, ...(log ? { distr: 3 as const } : {}) },
    },
    axes: [
      { ...axis, label: bare ? "" : x_title, size: 24, splits: (plot) => xTicks(figure(), plot.bbox.width / uPlot.pxRatio) },
      { ...axis, label: bare ? "" : y_title, size: 60, splits: (plot) => yTicks(figure(), plot.bbox.height / uPlot.pxRatio) },
    ],
    // uPlot finds the points under the cursor; the lines themselves are painted below.
    series: [{}, ...lines.map(({ style }) => ({ label: style.name, paths: () => null, points: { show: false } }))],
    cursor: {
      x: true,
      y: false,
      sync: { key: "experiment", scales: ["x", null] },
      drag: DRAG,
      // An arm without a point at the cursor's step shows its nearest one.
      hover: { skip: [null, undefined] },
      points: { size: lines.length > MANY_ARMS ? 5 : 7, width: 1.5, fill: () => colours("--panel"), stroke: (_, index) => colours(lines[index - 1]?.style.token ?? "--ink") },
    },
    hooks: {
      drawAxes: [(plot) => paint(canvasPen(plot.ctx, family, uPlot.pxRatio), figure(), placeOf(plot, figure(), uPlot.pxRatio), colours)],
      draw: [hooks.drawn],
      setCursor: [hooks.pointed],
      setSelect: [(plot) => takeSelection(plot, hooks.selected)],
    },
  };
}

/** Reports the dragged ranges and clears the selection; a tiny drag is ignored. */
export function takeSelection(plot: uPlot, selected: Hooks["selected"]) {
  const { left, width, top, height } = plot.select;
  // A drag along one axis, also one in another chart, selects all of the other axis.
  const along = (size: number, whole: number) => size >= 4 && size < whole - 1;
  const x: Range | null = along(width, plot.over.clientWidth) ? [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")] : null;
  const y: Range | null = along(height, plot.over.clientHeight) ? [plot.posToVal(top + height, "y"), plot.posToVal(top, "y")] : null;
  if (width > 0) plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  if (x || y) selected(x, y);
}
