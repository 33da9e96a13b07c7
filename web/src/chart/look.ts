// The zoomed range of the x axis: its text in the address, and its changes by the keys of a chart.

import type { Range } from "./curves";

/** Parses two numbers with a dash between them; null for any other text. */
export function readLook(text: string | null): Range | null {
  const match = /^(\d{1,15}(?:\.\d+)?)-(\d{1,15}(?:\.\d+)?)$/.exec(text ?? "");
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  return from < to ? [from, to] : null;
}

export function writeLook([from, to]: Range, decimals = 0): string {
  return `${Number(from.toFixed(decimals))}-${Number(to.toFixed(decimals))}`;
}

/** The part of a range on an axis from 0 to `end`; null if that is the whole axis. */
export function clipLook([from, to]: Range, end: number): Range | null {
  return from <= 0 && to >= end ? null : [Math.max(0, from), Math.min(end, to)];
}

/** The range after a key, which keeps `at` in place; null for the whole axis, undefined for other keys. */
export function lookByKey(key: string, [from, to]: Range, at: number): Range | null | undefined {
  if (key === "0") return null;
  // On many keyboards, plus is the shifted equals sign.
  const factor = key === "+" || key === "=" ? 0.5 : key === "-" ? 2 : undefined;
  const place = Math.min(to, Math.max(from, at));
  return factor && [place - (place - from) * factor, place + (to - place) * factor];
}

/** Parses a range of values, such as "0.7~1.2"; unlike steps, values may be negative or have exponents. */
export function readValues(text: string | null): Range | null {
  const parts = (text ?? "").split("~");
  if (parts.length !== 2 || parts.some((part) => !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(part))) return null;
  const [from, to] = [Number(parts[0]), Number(parts[1])];
  return from < to && Number.isFinite(from) && Number.isFinite(to) ? [from, to] : null;
}

/** Writes a range of values with as many digits as its width needs. */
export function writeValues([from, to]: Range): string {
  const digits = Math.min(15, Math.max(3, 4 + Math.ceil(Math.log10(Math.max(Math.abs(from), Math.abs(to)) / (to - from)))));
  return [from, to].map((value) => String(Number(value.toPrecision(digits)))).join("~");
}
