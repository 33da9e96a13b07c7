// What a chart shows, as rows for a spreadsheet: numbers in full, and no points beyond the edges of a closer look.

import type { Figure } from "./paint";

export function figureCsv({ lines, runs, x_title, x: [from, to] }: Pick<Figure, "lines" | "runs" | "x_title" | "x">): string {
  const inside = (x: number) => x >= from && x <= to;
  if (runs.length) {
    const rows = runs.flatMap(({ style, seed, steps, x, values }) =>
      steps.flatMap((step, index) => (inside(x[index]!) ? [[style.name, seed, step, x[index]!, values[index]!]] : [])),
    );
    return toCsv(["arm", "seed", "step", x_title, "value"], rows);
  }
  const rows = lines.flatMap(({ style, steps, x, mean, std, n }) =>
    steps.flatMap((step, index) => (inside(x[index]!) ? [[style.name, step, x[index]!, mean[index]!, std[index] ?? "", n[index]!]] : [])),
  );
  return toCsv(["arm", "step", x_title, "mean", "std", "n"], rows);
}

/** A column that repeats another's name, as x does where it is the step, is left out. */
export function toCsv(header: string[], rows: (string | number)[][]): string {
  const kept = header.map((_, index) => index).filter((index) => header.indexOf(header[index]!) === index);
  const line = (cells: (string | number)[]) => kept.map((index) => quote(String(cells[index] ?? ""))).join(",");
  return [line(header), ...rows.map(line)].join("\n") + "\n";
}

function quote(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
