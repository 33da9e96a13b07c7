// The part of the x axis that is looked at: as the address writes it, and as the keys of a chart change it.

import type { Range } from "./curves";

/** Two numbers with a dash between them; null where the address says anything else. */
export function readLook(text: string | null): Range | null {
  const match = /^(\d{1,15}(?:\.\d+)?)-(\d{1,15}(?:\.\d+)?)$/.exec(text ?? "");
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  return from < to ? [from, to] : null;
}

export function writeLook([from, to]: Range, decimals = 0): string {
  return `${Number(from.toFixed(decimals))}-${Number(to.toFixed(decimals))}`;
}

/** What of a look lies on an axis from 0 to `end`; null where that is all of it. */
export function clipLook([from, to]: Range, end: number): Range | null {
  return from <= 0 && to >= end ? null : [Math.max(0, from), Math.min(end, to)];
}

/** The look that a key asks for, with `at` where it was on the screen; null for all, undefined where the key has no meaning. */
export function lookByKey(key: string, [from, to]: Range, at: number): Range | null | undefined {
  if (key === "0") return null;
  // On many keyboards plus is the shifted equals sign.
  const factor = key === "+" || key === "=" ? 0.5 : key === "-" ? 2 : undefined;
  const place = Math.min(to, Math.max(from, at));
  return factor && [place - (place - from) * factor, place + (to - place) * factor];
}
