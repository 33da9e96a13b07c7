import { expect, test } from "vitest";
import { ago, bytes, columnDecimals, decimalsFor, duration, number, plain, pValue } from "./format";

test("a value has as many digits as its deviation supports", () => {
  expect([0.21, 0.017, 2.4, 31, 0].map(decimalsFor)).toEqual([2, 3, 1, 0, 2]);
  expect(columnDecimals([0.021, 0.21, 0.017, null], 2, 4)).toBe(3);
  expect(columnDecimals([0.21, 0.0021], 2, 4)).toBe(2);
  expect(columnDecimals([], 2, 3)).toBe(2);
});

test("numbers are written with a minus sign and no negative zero", () => {
  expect(number(-0.84, 2)).toBe("−0.84");
  expect(number(-0.001, 2)).toBe("0.00");
  expect(plain(1.00214)).toBe("1.0021");
  expect(plain(0.00000123)).toBe("1.23e−6");
});

test("small p-values are bounded, not written out", () => {
  expect([0.0004, 0.0112, 0.043, 0.5].map(pValue)).toEqual(["p < 0.001", "p = 0.011", "p = 0.043", "p = 0.50"]);
});

test("durations and distances in time are short", () => {
  expect([41, 99, 720, 5400, 7260, 400_000].map(duration)).toEqual(["41 s", "99 s", "12 min", "90 min", "2 h 1 min", "5 days"]);
  const now = Date.parse("2026-01-02T12:00:00.000Z");
  expect(ago("2026-01-02T11:59:50.000Z", now)).toBe("just now");
  expect(ago("2026-01-02T11:48:00.000Z", now)).toBe("12 min ago");
  expect(ago("2026-01-01T12:00:00.000Z", now)).toBe("yesterday");
});

test("sizes have as many digits as one reads", () => {
  expect([0, 999, 1000, 104_952, 15_300_000, 84_900_000_000].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "105 kB", "15.3 MB", "84.9 GB"]);
});
