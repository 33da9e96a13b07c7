// Groups the series of a job into figures: series with the same unit and meaning share one.

import { type ArmStyle, COLOURS } from "../arms";
import type { Attempt, JobCurve } from "../contract";
import type { Range } from "../chart/curves";
import { joiner } from "../chart/derived";
import { seriesTitle } from "../chart/series";
import { cssOf } from "../chart/shade";

export interface Figure {
  key: string;
  title: string;
  unit: string;
  lines: Line[];
}

export interface Line {
  label: string;
  curve: JobCurve;
  style: ArmStyle;
}

const SPLITS = ["test", "validation", "train"];
const TITLES: Record<string, string> = { energy: "hyperspherical energy" };
const ORDER = ["accuracy", "loss", "energy", "orthogonality_error", "learning_rate", "samples_per_second"];

/** `test/loss` is the line "test" of "loss", `energy/conv1` the line "conv1" of "energy". */
function place(name: string): [key: string, label: string] {
  const cut = name.indexOf("/");
  if (cut < 0) return [name, seriesTitle(name)];
  const [first, rest] = [name.slice(0, cut), name.slice(cut + 1)];
  return SPLITS.includes(first) ? [rest, first] : [first, rest];
}

function rank(key: string): number {
  const index = ORDER.indexOf(key);
  return index < 0 ? ORDER.length : index;
}

/** The most important line comes first: the test split, the mean over layers. */
function leading(label: string): number {
  const index = ["mean", ...SPLITS].indexOf(label);
  return index < 0 ? SPLITS.length + 1 : index;
}

export function figuresOf(curves: JobCurve[]): Figure[] {
  const groups = new Map<string, { label: string; curve: JobCurve }[]>();
  for (const curve of curves) {
    const [key, label] = place(curve.name);
    groups.set(key, [...(groups.get(key) ?? []), { label, curve }]);
  }
  const figures = [...groups].map(([key, lines]) => {
    const sorted = lines.sort((a, b) => leading(a.label) - leading(b.label));
    const styles = styleLines(sorted.map((line) => line.label));
    return {
      key,
      title: TITLES[key] ?? seriesTitle(key),
      unit: sorted[0]!.curve.unit,
      lines: sorted.map((line, index) => ({ ...line, style: styles[index]! })),
    };
  });
  return figures.sort((a, b) => rank(a.key) - rank(b.key) || a.key.localeCompare(b.key));
}

const DASHES = [[6, 3], [2, 2.5], [9, 3, 2, 3], [14, 4]];

/** A split has the same colour in every figure. */
const SPLIT_COLOURS: Record<string, number> = { test: 0, train: 1, validation: 2 };

/** The colours of a job's lines mean splits and layers, not arms. The first line is solid. */
function styleLines(labels: string[]): ArmStyle[] {
  return labels.map((name, index) => {
    const token = `--arm-${SPLIT_COLOURS[name] ?? index % COLOURS}`;
    const dash = index === 0 ? [] : DASHES[(index - 1) % DASHES.length]!;
    return { name, method: "", token, colour: cssOf(token), dash, marker: null };
  });
}

/** Curves of a range, each with the neighbouring points of the whole curve, so that lines reach both edges. */
export function beside(whole: JobCurve[], look: JobCurve[], span: Range): JobCurve[] {
  const joined = whole.map((all) => {
    const own = look.find((curve) => curve.name === all.name) ?? { ...all, steps: [], values: [] };
    const join = joiner(all.steps, own.steps, span);
    return { ...own, steps: join(all.steps, own.steps), values: join(all.values, own.values) };
  });
  return [...joined, ...look.filter((curve) => !whole.some((all) => all.name === curve.name))];
}

/** Start steps of attempts that did not begin at 0. */
export interface Seam {
  step: number;
  attempt: number;
}

export function seamsOf(attempts: Attempt[]): Seam[] {
  return attempts.map(({ number, start_step }) => ({ attempt: number, step: start_step })).filter((seam) => seam.step > 0);
}
