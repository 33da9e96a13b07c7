import { expect, test } from "vitest";
import { ago, ahead, bytes, columnWriter, decimalsFor, duration, number, plain, pValue, roughly, withMinus } from "./format";

test("a value has as many digits as its deviation supports", () => {
  expect([0.21, 0.017, 2.4, 31, 0].map(decimalsFor)).toEqual([2, 3, 1, 0, 2]);
});

const column = (rows: [mean: number | null, std: number | null][], unit?: string) => {
  const write = columnWriter(rows.map(([mean, std]) => ({ mean, std })), unit);
  return rows.map(([mean]) => (mean === null ? "" : write(mean)));
};

test("figures of a column have the decimals that the median deviation supports", () => {
  expect(column([[1.0312, 0.021], [1.0021, 0.21], [1.5, 0.017], [null, null]])).toEqual(["1.031", "1.002", "1.500", ""]);
  expect(column([[11.42, 2.4], [10.581, 2.4]])).toEqual(["11.4", "10.6"]);
  expect(column([[11.42, 2.4], [10.581, 2.4]], "%")).toEqual(["11.42", "10.58"]);
  expect(column([])).toEqual([]);
});

test("without deviations, the largest figure determines the decimals", () => {
  expect(column([[0.71234, null], [0.7, null]])).toEqual(["0.7123", "0.7000"]);
  expect(column([[0.0012, null], [0.0004, null]])).toEqual(["0.001200", "0.000400"]);
  expect(column([[2.0282, null], [90, null]], "%")).toEqual(["2.03", "90.00"]);
  expect(column([[41.26, 0], [3, 0]])).toEqual(["41.260", "3.000"]);
});

test("large and tiny figures change the whole column", () => {
  expect(column([[1_234_567, null], [40, null]])).toEqual(["1,234,567", "40"]);
  expect(column([[0.5, 0.01], [0.0000123, 0.000001]])).toEqual(["5.00e−1", "1.23e−5"]);
  // A difference below its deviation is noise.
  expect(column([[0.5, 0.3], [0.0004, 0.3]])).toEqual(["0.50", "0.00"]);
});

test("numbers are written with a minus sign and no negative zero", () => {
  expect(number(-0.84, 2)).toBe("−0.84");
  expect(number(-0.001, 2)).toBe("0.00");
  expect(plain(1.00214)).toBe("1.0021");
  expect(plain(0.00000123)).toBe("1.23e−6");
});

test("small p-values are bounded, not written out", () => {
  expect([0.0004, 0.0112, 0.043, 0.5].map(pValue)).toEqual(["p < 0.001", "p = 0.011", "p = 0.043", "p = 0.500"]);
});

test("a duration has two units, the smaller with two digits", () => {
  const written = [0, 2.613, 9.95, 41.4, 59.6, 80, 105, 3599.7, 7500, 86_340, 86_399, 400_000, 90 * 86_400].map(duration);
  expect(written.slice(0, 5)).toEqual(["0 s", "2.6 s", "10 s", "41 s", "1 min 00 s"]);
  expect(written.slice(5, 9)).toEqual(["1 min 20 s", "1 min 45 s", "1 h 00 min", "2 h 05 min"]);
  expect(written.slice(9)).toEqual(["23 h 59 min", "1 d 00 h", "4 d 15 h", "90 d 00 h"]);
  expect(duration(-3)).toBe("0 s");
});

test("an estimate has whole seconds, at least one", () => {
  expect([0.2, 4.4, 725.6].map(roughly)).toEqual(["1 s", "4 s", "12 min 06 s"]);
});

test("relative times are short", () => {
  const now = Date.parse("2026-01-02T12:00:00.000Z");
  expect(ago("2026-01-02T11:59:50.000Z", now)).toBe("just now");
  expect(ago("2026-01-02T11:48:00.000Z", now)).toBe("12 min ago");
  expect(ago("2026-01-01T12:00:00.000Z", now)).toBe("yesterday");
  expect(ahead("2026-01-02T12:00:10.000Z", now)).toBe("in a moment");
  expect(ahead("2026-01-02T13:15:00.000Z", now)).toBe("in 75 min");
  expect(ahead("2026-01-02T20:00:00.000Z", now)).toBe("in 8 h");
});

test("sizes have three significant digits at most", () => {
  expect([0, 999, 1000, 104_952, 15_300_000, 84_900_000_000].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "105 kB", "15.3 MB", "84.9 GB"]);
});

test("one value far from all others does not determine the decimals of a column", () => {
  const write = columnWriter([{ mean: 0.7118, std: 0.0012 }, { mean: 0.7175, std: 0.0013 }, { mean: 0.8, std: null }, { mean: 1.95e13, std: 3.9e13 }]);
  expect([0.7118, 1.9526e13, -0.5].map(write)).toEqual(["0.7118", "1.95e+13", "−0.5000"]);
});

test("a sentence of the server has minus signs before numbers only", () => {
  expect(withMinus("by -0.62 points [-1.53, 0.29] on 2026-11-27, opt-2 and rate-1e-9")).toBe("by −0.62 points [−1.53, 0.29] on 2026-11-27, opt-2 and rate-1e-9");
});
