// A small chart of a job's lines, without bands, with marks at the starts of attempts.

import uPlot from "uplot";
import type { Range } from "../chart/curves";
import { DRAG, takeSelection, token, yTicks } from "../chart/figure";
import { count } from "../format";
import type { Level } from "../chart/levels";
import { paintLevels, placeIn } from "../chart/paint";
import { canvasPen } from "../chart/pen";
import { smooth } from "../chart/smooth";
import { tickLabels } from "../chart/ticks";
import type { Line, Seam } from "./groups";

export interface Drawn {
  lines: Line[];
  seams: Seam[];
  /** The ranges of the axes; x in steps. */
  x: Range;
  y: Range;
  log: boolean;
  /** The weight of the past in smoothed lines; raw ones are faint beside them. */
  smoothing: number;
  levels: Level[];
}

export interface Hooks {
  pointed(plot: uPlot): void;
  /** The dragged range of x or of y or of both. */
  selected(x: Range | null, y: Range | null): void;
}

/** The union of all steps, then each line's values on it, null where it has no point or no logarithm; raw lines follow. */
export function columns(lines: Line[], log: boolean, smoothing: number): uPlot.AlignedData {
  const shown = (values: number[]) => (log ? values.map((value) => (value > 0 ? value : null)) : values);
  const tables = lines.map(({ curve }): uPlot.AlignedData => [curve.steps, shown(smooth(curve.values, smoothing))]);
  const raw = smoothing > 0 ? lines.map(({ curve }): uPlot.AlignedData => [curve.steps, shown(curve.values)]) : [];
  return tables.length ? uPlot.join([...tables, ...raw]) : [[]];
}

/** `drawn` is called for every drawing, so that new data needs no new chart. */
export function optionsFor(drawn: () => Drawn, hooks: Hooks): Omit<uPlot.Options, "width" | "height"> {
  const font = `12px ${token("--sans")}`;
  const axis: uPlot.Axis = { stroke: () => token("--quiet"), font, labelFont: font, grid: { stroke: () => token("--grid"), width: 1 }, ticks: { show: false }, gap: 6 };
  return {
    legend: { show: false },
    padding: [12, 16, 0, 0],
    scales: { x: { time: false, range: () => drawn().x }, y: { range: () => drawn().y, ...(drawn().log ? { distr: 3 as const } : {}) } },
    axes: [
      { ...axis, label: "step", labelSize: 18, size: 24, space: 72, values: (_, ticks) => ticks.map(count) },
      { ...axis, size: 64, filter: (_, ticks) => ticks, splits: (plot) => yTicks(drawn(), plot.bbox.height / uPlot.pxRatio), values: (_, ticks) => tickLabels(ticks) },
    ],
    series: [{}, ...drawn().lines.map((line) => strokeOf(line, false)), ...(drawn().smoothing > 0 ? drawn().lines.map((line) => strokeOf(line, true)) : [])],
    cursor: {
      y: false,
      sync: { key: "job", scales: ["x", null] },
      drag: DRAG,
      hover: { skip: [null, undefined] },
      points: { size: 6, width: 1.5, fill: () => token("--panel") },
    },
    hooks: {
      drawAxes: [(plot) => drawSeams(plot, drawn().seams), (plot) => drawLevels(plot, drawn())],
      setCursor: [hooks.pointed],
      setSelect: [(plot) => takeSelection(plot, hooks.selected)],
    },
  };
}

/** `faint` adds a quarter of opacity to a colour of six digits. */
function strokeOf({ label, style, curve }: Line, faint: boolean): uPlot.Series {
  return { label, stroke: () => `${token(style.token)}${faint ? "40" : ""}`, width: faint ? 1 : 1.5, dash: style.dash, spanGaps: true, points: { show: curve.steps.length < 3 } };
}

function drawLevels(plot: uPlot, { levels, x, y, log }: Drawn) {
  const { left, top, width, height } = plot.bbox;
  const ratio = uPlot.pxRatio;
  const place = placeIn({ x, y, log }, left / ratio, top / ratio, width / ratio, height / ratio);
  paintLevels(canvasPen(plot.ctx, token("--sans"), ratio), levels, y, place, token);
}

function drawSeams(plot: uPlot, seams: Seam[]) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = uPlot.pxRatio;
  ctx.strokeStyle = token("--line-strong");
  ctx.fillStyle = token("--quiet");
  ctx.textAlign = "left";
  ctx.font = `${12 * uPlot.pxRatio}px ${token("--sans")}`;
  for (const { step, attempt } of seams) {
    const x = Math.round(plot.valToPos(step, "x", true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(String(attempt), x + 4 * uPlot.pxRatio, bbox.top + 10 * uPlot.pxRatio);
  }
  ctx.restore();
}
