import { expect, test } from "vitest";
import { differenceTable } from "./differences";

test("only changed cells have a text, and the baseline has all of its own", () => {
  const rate = { pointer: "/train/optimizer/learning_rate", values: { base: 0.1, fast: 0.3, same: 0.1 } };
  const kind = { pointer: "/method/kind", values: { base: "baseline", fast: "baseline", same: "mhe" } };
  const { fields, rows } = differenceTable([rate, kind], ["base", "fast", "same"], "base");
  expect(fields).toEqual(["train.optimizer.learning_rate", "method.kind"]);
  expect(rows.map(({ cells }) => cells)).toEqual([["0.1", "baseline"], ["0.3", null], [null, "mhe"]]);
});

test("without a baseline every value is shown, and a field that a method implies has no column", () => {
  const half = { pointer: "/method/half_space", values: { a: false, b: false } };
  const rank = { pointer: "/method/rank", values: { a: null, b: [1] } };
  expect(differenceTable([half, rank], ["a", "b", "c"], null)).toEqual({
    fields: ["method.rank"],
    rows: [{ arm: "a", cells: ["none"] }, { arm: "b", cells: ["[1]"] }, { arm: "c", cells: [null] }],
    implied: ["method.half_space"],
  });
});
