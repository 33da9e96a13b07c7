import { expect, test } from "vitest";
import type { Cell, Table } from "../exact";
import { toCsv } from "../csv";
import { exactIntegers } from "../exact";
import { columnsOf, full } from "./table";

const table = (columns: string[], ...rows: Cell[][]): Table => ({ columns, rows, truncated: false });

test("numbers of a column have equal decimals, and integers have none", () => {
  const [id, value] = columnsOf(table(["id", "value"], [12, 1.5], [3, -2.25], [null, null]));
  expect([id!.write(12), value!.write(1.5), value!.write(-2.25), value!.write(null)]).toEqual(["12", "1.50", "−2.25", ""]);
  expect([id!.numeric, value!.numeric]).toEqual([true, true]);
});

test("a value too small for the decimals of its column is not written as zero", () => {
  const [value] = columnsOf(table(["value"], [1 / 3], [0.0000000123], [0]));
  expect([1 / 3, 0.0000000123, 0].map((number) => value!.write(number))).toEqual(["0.333333", "1.230e−8", "0.000000"]);
});

test("a large exact number keeps its digits, a rounded one is written with a power of ten", () => {
  const [value] = columnsOf(table(["value"], [1_763_981_234_567_890], [1e18]));
  expect([1_763_981_234_567_890, 1e18].map((number) => value!.write(number))).toEqual(["1763981234567890", "1.000e+18"]);
});

test("a column of texts or nulls is not numeric", () => {
  expect(columnsOf(table(["a", "b"], ["1", null], [2, null])).map((column) => column.numeric)).toEqual([false, false]);
});

test("CSV keeps every digit, quotes where necessary, and writes null as empty", () => {
  const rows: Cell[][] = [[1 / 3, 'say "no", twice'], [null, "two\nlines"], [true, { hex: "00ff" }]];
  expect(toCsv(["n,m", "t"], rows.map((row) => row.map(full)))).toBe(
    '"n,m",t\r\n0.3333333333333333,"say ""no"", twice"\r\n,"two\nlines"\r\ntrue,0x00ff\r\n',
  );
});

test("integers beyond 2^53 keep their digits where the browser shows them", () => {
  const shows = JSON.parse("1", ((_: string, __: unknown, context?: { source: string }) => context?.source) as never) === "1";
  const value = exactIntegers('{"a": 9007199254740993, "b": 12, "c": 1e300}') as Record<string, unknown>;
  expect(value.b).toBe(12);
  expect(value.c).toBe(1e300);
  expect(value.a).toBe(shows ? 9007199254740993n : 9007199254740992);
});
