// Tables as CSV. A chart's table has all digits, no smoothing, and only the points in the zoomed range.

import type { Figure } from "./chart/paint";

export function figureCsv({ lines, runs, x_title, x: [from, to] }: Pick<Figure, "lines" | "runs" | "x_title" | "x">): string {
  const by_step = x_title === "step";
  const x_names = by_step ? ["step"] : ["step", x_title];
  const places = (step: number, x: number) => (by_step ? [step] : [step, x]);
  const inside = (x: number) => x >= from && x <= to;
  if (runs.length) {
    const rows = runs.flatMap(({ style, seed, steps, x, values }) =>
      steps.flatMap((step, index) => (inside(x[index]!) ? [[style.name, seed, ...places(step, x[index]!), values[index]!]] : [])),
    );
    return toCsv(["arm", "seed", ...x_names, "value"], rows);
  }
  const rows = lines.flatMap(({ style, steps, x, mean, raw = mean, std, n }) =>
    steps.flatMap((step, index) => (inside(x[index]!) ? [[style.name, ...places(step, x[index]!), raw[index]!, std[index] ?? "", n[index]!]] : [])),
  );
  return toCsv(["arm", ...x_names, "mean", "std", "n"], rows);
}

/** A table as in RFC 4180. */
export function toCsv(header: string[], rows: (string | number)[][]): string {
  return [header, ...rows].map((cells) => `${cells.map((cell) => quote(String(cell))).join(",")}\r\n`).join("");
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
