import { expect, test } from "vitest";
import { isNumeric, writer } from "./cells";

test("settings are written in full, results with aligned digits", () => {
  const write = (name: string, values: (number | null)[]) => values.map(writer(name, values));
  expect(write("train.optimizer.learning_rate", [0.05, 1e-9, -2, null])).toEqual(["0.05", "1e−9", "−2", "–"]);
  expect(write("test_error", [2.5, 10, null])).toEqual(["2.50", "10.00", "–"]);
  expect(write("seconds", [2.25, 80])).toEqual(["2.3 s", "1 min 20 s"]);
  expect(write("peak_memory_bytes", [1500])).toEqual(["1.5 kB"]);
});

test("words, flags and lists are texts", () => {
  const values = ["cayley", true, ["a", "b"], [], null];
  expect(values.map(writer("x", values))).toEqual(["cayley", "true", "a, b", "–", "–"]);
  expect([isNumeric(values), isNumeric([1, null]), isNumeric([null])]).toEqual([false, true, false]);
});
