// A result as text: aligned on the page, with all digits in a file.

import type { Cell, Table } from "../exact";
import { number } from "../format";

/** The format of one column. */
export interface Column {
  name: string;
  numeric: boolean;
  write: (cell: Cell) => string;
}

const MOST_DECIMALS = 6;

export function columnsOf({ columns, rows }: Table): Column[] {
  return columns.map((name, index) => {
    const cells = rows.map((row) => row[index] ?? null).filter((cell) => cell !== null);
    const numeric = cells.length > 0 && cells.every((cell) => typeof cell === "number" || typeof cell === "bigint");
    const decimals = decimalsOf(cells.filter((cell) => typeof cell === "number"));
    return { name, numeric, write: (cell) => (typeof cell === "number" ? written(cell, decimals) : full(cell)) };
  });
}

/** The decimals of the longest number, so that the decimal points align. */
function decimalsOf(values: number[]): number {
  const lengths = values.map((value) => /\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0);
  return Math.min(MOST_DECIMALS, Math.max(0, ...lengths));
}

function written(value: number, decimals: number): string {
  const size = Math.abs(value);
  const vanishes = size !== 0 && size < 10 ** -decimals;
  return vanishes || (size >= 1e15 && !Number.isSafeInteger(value)) ? value.toPrecision(4).replaceAll("-", "−") : number(value, decimals);
}

/** A value with all digits. */
export function full(cell: Cell): string {
  if (cell === null) return "";
  return typeof cell === "object" ? `0x${cell.hex}` : String(cell);
}
