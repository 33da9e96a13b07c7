// One figure: the options of its uPlot chart, and the bands, which uPlot does not draw itself.

import uPlot from "uplot";
import type { ArmStyle } from "./arms";
import type { ArmCurve } from "./contract";
import { highAt, lowAt, type Range } from "./curves";
import { count, tickLabels } from "./format";

export interface Figure {
  /** The visible arms and their curves, in the same order. */
  styles: ArmStyle[];
  arms: ArmCurve[];
  y_title: string;
  x: Range;
  y: Range;
}

export interface Hooks {
  drawn(plot: uPlot): void;
  pointed(plot: uPlot): void;
  selected(range: Range): void;
}

const TEXT = "12px";

/** A custom property in the theme now in force. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * The options of a chart with `label_width` pixels at its right for the names of the lines.
 * `figure` is asked at every drawing, so that new data and ranges need no new chart.
 */
export function optionsFor(figure: () => Figure, label_width: number, hooks: Hooks): Omit<uPlot.Options, "width" | "height"> {
  const font = `${TEXT} ${token("--sans")}`;
  const { styles, arms, y_title } = figure();
  const axis: uPlot.Axis = {
    stroke: () => token("--quiet"),
    font,
    labelFont: font,
    grid: { stroke: () => token("--grid"), width: 1 },
    ticks: { show: false },
  };
  return {
    legend: { show: false },
    padding: [8, Math.max(16, label_width), 0, 0],
    scales: { x: { time: false, range: () => figure().x }, y: { range: () => figure().y } },
    axes: [
      { ...axis, label: "step", size: 24, gap: 6, labelSize: 20, space: 72, values: (_, ticks) => ticks.map(count) },
      {
        ...axis,
        label: y_title,
        size: 60,
        gap: 6,
        labelSize: 20,
        space: 40,
        values: (_, ticks, _axis, _space, distance) => (figure().arms.length ? tickLabels(ticks, distance) : []),
      },
    ],
    series: [{}, ...styles.map((style, index) => line(style, arms[index]!))],
    cursor: {
      x: true,
      y: false,
      sync: { key: "experiment", scales: ["x", null] },
      drag: { x: true, y: false, setScale: false },
      // An arm without a point at the cursor's step answers with its nearest one.
      hover: { skip: [null, undefined] },
      points: { size: 7, width: 1.5, fill: () => token("--panel"), stroke: (_, index) => token(styles[index - 1]?.token ?? "--ink") },
    },
    hooks: {
      drawAxes: [(plot) => drawBands(plot, figure())],
      draw: [hooks.drawn],
      setCursor: [hooks.pointed],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          hooks.selected([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function line(style: ArmStyle, curve: ArmCurve): uPlot.Series {
  return {
    label: style.name,
    stroke: () => token(style.token),
    width: 1.5,
    dash: style.dash,
    spanGaps: true,
    // A line of one or two points is hardly a line: mark them.
    points: { show: curve.steps.length < 3 },
  };
}

function drawBands(plot: uPlot, { styles, arms }: Figure) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  // Many bands lie over each other: each gets fainter.
  ctx.globalAlpha = Number(token("--band")) * Math.min(1, 3 / arms.length);
  arms.forEach((arm, index) => {
    ctx.fillStyle = token(styles[index]!.token);
    for (const [from, to] of banded(arm)) fillBand(plot, arm, from, to);
  });
  ctx.restore();
}

/** The runs of points, as half-open ranges, at which the arm has a standard deviation. */
function banded(arm: ArmCurve): Range[] {
  const runs: Range[] = [];
  let from = -1;
  for (let index = 0; index <= arm.steps.length; index++) {
    const has = index < arm.steps.length && arm.std[index] !== null;
    if (has && from < 0) from = index;
    else if (!has && from >= 0) {
      runs.push([from, index]);
      from = -1;
    }
  }
  return runs;
}

function fillBand(plot: uPlot, arm: ArmCurve, from: number, to: number) {
  const { ctx } = plot;
  const point = (index: number, value: number) =>
    ctx.lineTo(plot.valToPos(arm.steps[index]!, "x", true), plot.valToPos(value, "y", true));
  ctx.beginPath();
  for (let index = from; index < to; index++) point(index, highAt(arm, index));
  for (let index = to - 1; index >= from; index--) point(index, lowAt(arm, index));
  ctx.closePath();
  ctx.fill();
}
