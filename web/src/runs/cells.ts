// The values of a column as text.

import { ABSENT, bytes, columnWriter, count, duration } from "../format";

/** A value of a field, as the server sends it. */
export type Value = string | number | boolean | null | Value[];

/** Figures of results, whose digits a column aligns; the others are written in full. */
const PERCENT = /_(error|accuracy)$/;

/** Writes the values of one column. */
export function writer(name: string, values: Value[]): (value: Value) => string {
  const numbers = values.filter((value) => typeof value === "number");
  const rows = numbers.map((mean) => ({ mean, std: null }));
  const aligned = PERCENT.test(name) ? columnWriter(rows, "%") : name === "energy" ? columnWriter(rows) : null;
  const number = (value: number) => {
    if (name === "seconds") return duration(value);
    if (name === "peak_memory_bytes") return bytes(value);
    if (name === "parameters_trained") return count(value);
    if (name === "progress") return `${Math.round(100 * value)} %`;
    return aligned ? aligned(value) : String(value).replaceAll("-", "−");
  };
  return (value) => {
    if (value === null || value === undefined) return ABSENT;
    if (Array.isArray(value)) return value.length ? value.join(", ") : ABSENT;
    return typeof value === "number" ? number(value) : String(value);
  };
}

/** Whether a column is aligned at the right. */
export const isNumeric = (values: Value[]) =>
  values.some((value) => typeof value === "number") && values.every((value) => typeof value === "number" || value === null);
