import { expect, test } from "vitest";
import { clipLook, lookByKey, readLook, readValues, writeLook, writeValues } from "./look";

test("a range is read as written; other texts are ignored", () => {
  expect(readLook(writeLook([100, 250.4]))).toEqual([100, 250]);
  expect(readLook(writeLook([0.1234, 2], 3))).toEqual([0.123, 2]);
  for (const text of [null, "", "5", "9-5", "5-5", "-5-10", "a-b", "0-Infinity", "0-1e30", "1-2-3", "0-99999999999999999999"]) expect(readLook(text)).toBeNull();
});

test("keys zoom in and out around the cursor, which stays in place", () => {
  expect(lookByKey("+", [0, 100], 80)).toEqual([40, 90]);
  expect(lookByKey("=", [0, 100], 80)).toEqual([40, 90]);
  expect(lookByKey("-", [40, 90], 80)).toEqual([0, 100]);
  expect(lookByKey("0", [40, 90], 80)).toBeNull();
  expect(lookByKey("j", [40, 90], 80)).toBeUndefined();
});

test("a range is clipped to the axis, and the whole axis is no range", () => {
  expect(clipLook([-10, 50], 100)).toEqual([0, 50]);
  expect(clipLook([60, 140], 100)).toEqual([60, 100]);
  expect(clipLook([-1, 100], 100)).toBeNull();
});

test("a range of values is read as written, with digits for its width", () => {
  for (const range of [[-0.5, 2], [0.71, 0.72], [1e-9, 1e22], [0.7118001, 0.7118003]] as const) {
    const [low, high] = readValues(writeValues([...range]))!;
    expect(Math.abs(low - range[0]) + Math.abs(high - range[1])).toBeLessThan(0.01 * (range[1] - range[0]));
  }
  for (const text of [null, "", "1", "2~1", "1~1", "a~b", "1~2~3", "~", "0~1e999"]) expect(readValues(text)).toBeNull();
});
