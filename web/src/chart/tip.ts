// Where the values under the cursor go: beside it, and not over the lines that they explain.

import type { Point } from "./pen";

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const GAP = 16;

/**
 * The corner of a panel of this size. `lines` are the drawn lines and `plot` is their area; `window` is the visible
 * part of the page. All are in the same pixels.
 */
export function placeTip(cursor: { left: number; top: number }, size: { width: number; height: number }, lines: Point[][], plot: Box, window: Box): Point {
  const [bottom, end] = [plot.top + plot.height, plot.left + plot.width];
  const right = cursor.left + GAP;
  const left = cursor.left - GAP - size.width;
  const heights = [cursor.top - size.height / 2, plot.top + 4, bottom - size.height - 4];
  const beside = [right, left].flatMap((x) => heights.map((y): Point => [x, Math.min(Math.max(y, plot.top), bottom - size.height)]));
  const inside = ([x, y]: Point) => x >= plot.left && x + size.width <= end && y >= plot.top;
  const free = beside.find((at) => inside(at) && !lines.some((line) => crosses(line, { left: at[0], top: at[1], ...size })));
  if (free) return free;
  // Without free space between the lines, the panel is below or above them.
  const x = Math.max(window.left, Math.min(right, window.left + window.width - size.width));
  const below = bottom + GAP / 2 + 20;
  return [x, below + size.height <= window.top + window.height ? below : Math.max(window.top, plot.top - size.height - GAP / 2)];
}

/** Whether a line of points in the order of x passes through a box. */
export function crosses(line: Point[], { left, top, width, height }: Box): boolean {
  const right = left + width;
  return line.some(([x, y], index) => {
    const [to_x, to_y] = line[index + 1] ?? [x, y];
    if (to_x < left || x > right) return false;
    const at = (place: number) => (to_x === x ? y : y + ((to_y - y) * (place - x)) / (to_x - x));
    const [one, other] = [at(Math.max(x, left)), at(Math.min(to_x, right))];
    return Math.max(one, other) >= top && Math.min(one, other) <= top + height;
  });
}
