// Integers of the database have 64 bits, JavaScript's numbers 53.

import type { Table as Sent } from "./contract";

/** A value of a query's answer; bytes are in hexadecimal. */
export type Cell = null | number | bigint | string | boolean | { hex: string };

/** The answer to a query, with exact integers. */
export type Table = Omit<Sent, "rows"> & { rows: Cell[][] };

interface Source {
  /** The digits as they were sent; older browsers do not provide them. */
  source?: string;
}

/** Reads JSON; an integer that a number would round becomes a bigint, where the browser shows its digits. */
export function exactIntegers(json: string): unknown {
  const revive = (_: string, value: unknown, context?: Source) => {
    const rounded = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
    return rounded && context?.source && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
  };
  return JSON.parse(json, revive as (key: string, value: unknown) => unknown);
}
