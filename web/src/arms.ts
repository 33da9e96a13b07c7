// An arm has one colour, one line style and one name everywhere.

import { type Marker, MARKERS } from "./chart/marker";
import { cssOf, shadeOf } from "./chart/shade";
import type { ArmSummary } from "./contract";

/** An arm of one of the experiments that a page shows. */
export interface ShownArm extends ArmSummary {
  /** The id of its experiment; may be left out on a page of one experiment. */
  experiment?: number;
}

/** The name of an arm on a page, as in the server's answers: `ID/ARM` if the page shows several experiments. */
export function armName(experiments: readonly number[], experiment: number, arm: string): string {
  return experiments.length > 1 ? `${experiment}/${arm}` : arm;
}

export interface ArmStyle {
  name: string;
  method: string;
  /** The name of the custom property that holds the colour in the present theme, with its shade. */
  token: string;
  /** The colour as CSS. */
  colour: string;
  /** Lengths of strokes and gaps; empty for a solid line. */
  dash: number[];
  /** A mark on the line; null for a few arms, which colour and line style distinguish. */
  marker: Marker | null;
}

/** Number of colours without that of the baseline, and without those for many methods. */
export const COLOURS = 7;
const HUES = 10;
/** More arms than this are told apart by method first. */
export const MANY_ARMS = 8;
const BASELINE = "--arm-baseline";
const BASELINE_DASH = [5, 3];
const DASHES = [[], [9, 3], [2, 2.5], [9, 3, 2, 3], [14, 4], [5, 2, 2, 2, 2, 2], [1, 4]];

/**
 * The arm named `baseline` is grey and dashed. Up to eight arms take colours in the order of the spec. Of more arms, the
 * method determines the hue and the mark, and the setting the shade and the line style. Of several experiments, the
 * method determines the hue, and the experiment the line style and the mark.
 */
export function styleArms(arms: ShownArm[], baseline: string | null = null): ArmStyle[] {
  const reference = arms.find((arm) => arm.name === baseline);
  if (new Set(arms.map((arm) => arm.experiment)).size > 1) return byExperiment(arms, reference);
  return arms.length > MANY_ARMS ? byMethod(arms, reference) : byOrder(arms, reference);
}

function byOrder(arms: ArmSummary[], baseline: ArmSummary | undefined): ArmStyle[] {
  let next = 0;
  return arms.map((arm) => {
    if (arm === baseline) return style(arm, BASELINE, BASELINE_DASH, null);
    const index = next++;
    return style(arm, `--arm-${index % COLOURS}`, DASHES[(index + Math.floor(index / COLOURS)) % DASHES.length]!, null);
  });
}

function byMethod(arms: ArmSummary[], baseline: ArmSummary | undefined): ArmStyle[] {
  const methods = [...new Set(arms.map((arm) => arm.method).filter((method) => method !== baseline?.method))];
  const settings = new Map<string, number>();
  return arms.map((arm) => {
    if (arm === baseline) return style(arm, BASELINE, BASELINE_DASH, null);
    const setting = settings.get(arm.method) ?? 0;
    settings.set(arm.method, setting + 1);
    const hue = methods.indexOf(arm.method);
    const dash = DASHES[(setting + Math.max(0, Math.floor(hue / HUES))) % DASHES.length]!;
    // Other settings of the baseline's method are grey too, in other shades than the baseline.
    if (hue < 0) return style(arm, shadeOf(BASELINE, 1 + (setting % 2)), dash, "circle");
    return style(arm, shadeOf(`--arm-${hue % HUES}`, setting), dash, MARKERS[(hue + 1) % MARKERS.length]!);
  });
}

function byExperiment(arms: ShownArm[], baseline: ShownArm | undefined): ArmStyle[] {
  const experiments = [...new Set(arms.map((arm) => arm.experiment))];
  const methods = [...new Set(arms.map((arm) => arm.method).filter((method) => method !== baseline?.method))];
  const settings = new Map<string, number>();
  return arms.map((arm) => {
    const place = experiments.indexOf(arm.experiment);
    const [dash, marker] = [DASHES[place % DASHES.length]!, MARKERS[place % MARKERS.length]!];
    if (arm === baseline) return style(arm, BASELINE, dash, marker);
    const hue = methods.indexOf(arm.method);
    const key = `${arm.experiment} ${arm.method}`;
    const setting = settings.get(key) ?? 0;
    settings.set(key, setting + 1);
    const token = hue < 0 ? shadeOf(BASELINE, 1 + (setting % 2)) : shadeOf(`--arm-${hue % HUES}`, setting);
    return style(arm, token, dash, marker);
  });
}

function style(arm: ArmSummary, token: string, dash: number[], marker: Marker | null): ArmStyle {
  return { name: arm.name, method: arm.method, token, colour: cssOf(token), dash, marker };
}

/** Splits a sentence at the names of arms, so that each can have its colour; longer names take precedence. */
export function mentions(sentence: string, arms: ArmStyle[]): { text: string; arm?: ArmStyle }[] {
  if (arms.length === 0) return [{ text: sentence }];
  const names = arms.map((arm) => arm.name).sort((a, b) => b.length - a.length);
  const escaped = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(?<![A-Za-z0-9_-])(${escaped.join("|")})(?![A-Za-z0-9_-])`);
  return sentence
    .split(pattern)
    .filter((text) => text !== "")
    .map((text) => {
      const arm = arms.find((candidate) => candidate.name === text);
      return arm ? { text, arm } : { text };
    });
}
