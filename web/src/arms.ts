// An arm has one colour, one line style and one name everywhere.

import type { ArmSummary } from "./contract";

export interface ArmStyle {
  name: string;
  method: string;
  /** The name of the custom property that holds the colour in the present theme. */
  token: string;
  /** The colour as CSS: `var(--arm-...)`. */
  colour: string;
  /** Lengths of strokes and gaps; empty for a solid line. */
  dash: number[];
}

/** Number of colours without that of the baseline. */
export const COLOURS = 7;
const BASELINE_DASH = [5, 3];
const DASHES = [[], [9, 3], [2, 2.5], [9, 3, 2, 3], [14, 4], [5, 2, 2, 2, 2, 2], [1, 4]];

/** The arm named `baseline` is grey and dashed; the other arms take colours in the order of the spec. */
export function styleArms(arms: ArmSummary[], baseline: string | null = null): ArmStyle[] {
  let next = 0;
  return arms.map((arm) => {
    if (arm.name === baseline) return style(arm, "--arm-baseline", BASELINE_DASH);
    const index = next++;
    // After all colours are used, the line styles are shifted, so that no combination repeats.
    const dash = DASHES[(index + Math.floor(index / COLOURS)) % DASHES.length] ?? [];
    return style(arm, `--arm-${index % COLOURS}`, dash);
  });
}

function style(arm: ArmSummary, token: string, dash: number[]): ArmStyle {
  return { name: arm.name, method: arm.method, token, colour: `var(${token})`, dash };
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
