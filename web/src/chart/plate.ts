// A figure as it goes into a paper: title, axes, lines and legend, drawn with either pen in the colours of the light
// theme.

import { token, xTicks, yTicks } from "./figure";
import { corners } from "./marker";
import { type Colours, type Figure, paint, type Place, placeIn } from "./paint";
import { canvasPen, type Pen, type Stroke, svgPen, type Text } from "./pen";
import { resolve } from "./shade";
import { tickLabels } from "./ticks";

const SIZE = { width: 640, height: 400 };
const RATIO = 2;
const TEXT = 12;
const LEFT = 72;
const RIGHT = 32;
const TOP = 36;
const BOTTOM = 48;
const LEGEND_ROW = 18;
/** Estimated width of a text in most sans-serif fonts at this size. */
const CHARACTER = 6.4;

export function toSvg(figure: Figure): string {
  const height = heightOf(figure);
  const colours = lightColours();
  const pen = svgPen(SIZE.width, height, token("--sans"), "#ffffff");
  drawPlate(pen, figure, colours);
  return pen.document();
}

export function toPng(figure: Figure): Promise<Blob> {
  return png(SIZE.width, heightOf(figure), (pen) => drawPlate(pen, figure, lightColours()));
}

/** A PNG in the resolution of a high-density screen. */
export async function png(width: number, height: number, draw: (pen: Pen) => void): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = width * RATIO;
  canvas.height = height * RATIO;
  const ctx = canvas.getContext("2d")!;
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  draw(canvasPen(ctx, token("--sans"), RATIO));
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser cannot make a PNG of this size"))), "image/png"),
  );
}

function heightOf(figure: Figure): number {
  return SIZE.height + LEGEND_ROW * Math.max(0, legendRows(figure).length - 1);
}

function drawPlate(pen: Pen, figure: Figure, colours: Colours) {
  const width = SIZE.width - LEFT - RIGHT;
  const height = SIZE.height - TOP - BOTTOM - LEGEND_ROW;
  const place = placeIn(figure, LEFT, TOP, width, height);

  pen.text([LEFT, 18], figure.title, { colour: colours("--ink"), size: TEXT + 1, bold: true });
  const titles = { x: figure.x_title, y: figure.y_title };
  drawAxes(pen, place, { x: xTicks(figure, width), y: yTicks(figure, height) }, titles, colours);
  paint(pen, figure, place, colours);
  drawLegend(pen, figure, colours, TOP + height + 52);
}

/** Grid lines, numbers and titles of both axes; other texts than the numbers of the x axis can be given. */
export function drawAxes(pen: Pen, place: Place, ticks: { x: number[]; x_texts?: string[]; y: number[] }, titles: { x: string; y: string }, colours: Colours) {
  const { left, top, width, height } = place;
  const [right, bottom] = [left + width, top + height];
  const grid: Stroke = { colour: colours("--line"), width: 0.5 };
  const words: Text = { colour: colours("--quiet"), size: TEXT, align: "middle" };
  (ticks.x_texts ?? tickLabels(ticks.x)).forEach((label, index) => {
    const x = place.x(ticks.x[index]!);
    pen.line([[x, top], [x, bottom]], grid);
    pen.text([x, bottom + 12], label, words);
  });
  tickLabels(ticks.y).forEach((label, index) => {
    const y = place.y(ticks.y[index]!);
    pen.line([[left, y], [right, y]], grid);
    pen.text([left - 8, y], label, { ...words, align: "end" });
  });
  pen.text([left + width / 2, bottom + 32], titles.x, words);
  pen.text([14, top + height / 2], titles.y, { ...words, upright: true });
}

function drawLegend(pen: Pen, figure: Figure, colours: Colours, top: number) {
  legendRows(figure).forEach((row, index) => {
    let x = LEFT;
    const y = top + index * LEGEND_ROW;
    for (const { style } of row) {
      pen.line([[x, y], [x + 24, y]], { colour: colours(style.token), width: 2, dash: style.dash });
      if (style.marker) pen.area(corners(style.marker, x + 12, y, 3), colours(style.token), 1);
      pen.text([x + 30, y], style.name, { colour: colours("--ink"), size: TEXT });
      x += entryWidth(style.name);
    }
  });
}

function entryWidth(name: string): number {
  return 30 + name.length * CHARACTER + 20;
}

/** The lines of the legend, filled from the left. */
function legendRows({ lines }: Figure) {
  const rows: (typeof lines)[] = [[]];
  let used = 0;
  for (const line of lines) {
    const width = entryWidth(line.style.name);
    if (used + width > SIZE.width - LEFT && used > 0) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)!.push(line);
    used += width;
  }
  return rows;
}

/** The colours of the light theme, whichever is active: its rule is the first without a condition. */
export function lightColours(): Colours {
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
  const light = rules.find((rule): rule is CSSStyleRule => rule instanceof CSSStyleRule && rule.selectorText.startsWith(":root"));
  return (name) => resolve(name, (property) => light?.style.getPropertyValue(property).trim() || token(property));
}
