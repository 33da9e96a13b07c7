import { expect, test } from "vitest";
import { figuresOf, fileQuery, groupsQuery, headings, members, nextSort, pageQuery, toggled, USUAL_COLUMNS, viewOf, withComparison, withoutMistake } from "./address";

const at = (query: string) => {
  const parameters = new URLSearchParams(query);
  return viewOf({ get: (key) => parameters.get(key), list: (key) => parameters.get(key)?.split(",").filter(Boolean) ?? [] });
};

test("an empty address shows the newest jobs that are not archived", () => {
  expect(pageQuery(at(""), 100, null)).toEqual({ where: "", archived: "false", sort: "id", order: "desc", fields: USUAL_COLUMNS.join(","), limit: 100, cursor: null });
});

test("the address holds the whole view", () => {
  const view = at("where= seed = 1 &sort=test_error&columns=arm,train.batch_size&group=arm,seed,state&figure=energy&archived=1");
  expect(pageQuery(view, 9, "x")).toEqual({ where: "seed = 1", archived: null, sort: "test_error", fields: "arm,train.batch_size", limit: 9, cursor: "x" });
  expect(groupsQuery(view)).toEqual({ where: "seed = 1", archived: null, by: "arm,seed", figure: "energy" });
  expect(fileQuery(view)).toEqual({ format: "csv", where: "seed = 1", archived: null, sort: "test_error", fields: "id,arm,train.batch_size" });
});

test("the first click on a heading shows the best or newest first", () => {
  expect(nextSort("-id", "test_error")).toBe("test_error");
  expect(nextSort("test_error", "test_error")).toBe("-test_error");
  expect(nextSort("-test_error", "test_error")).toBe("test_error");
  expect(nextSort("id", "test_accuracy")).toBe("-test_accuracy");
  expect(nextSort("-id", "id")).toBe("id");
});

test("a column is added and removed, and the usual ones are not in the address", () => {
  expect(toggled(USUAL_COLUMNS, "energy")).toBe([...USUAL_COLUMNS, "energy"].join(","));
  expect(toggled([...USUAL_COLUMNS, "energy"], "energy")).toBeNull();
  expect(toggled(["arm"], "arm")).toBeNull();
});

test("a comparison is added to a condition, with quotes where they are needed", () => {
  expect(withComparison("", "train.batch_size", "=", "64")).toBe("train.batch_size = 64");
  expect(withComparison(" seed = 1 ", "error", "~", 'a "b" \\')).toBe('seed = 1 and error ~ "a \\"b\\" \\\\"');
  expect(withComparison("", "arm", "=", null)).toBe("arm = null");
  expect(withComparison("", "arm", "=", "null")).toBe('arm = "null"');
});

test("a view that is rejected for something else than its condition can be left", () => {
  const view = at("where=seed+%3D+1&columns=nope");
  expect(withoutMistake(view, null)).toBeNull();
  expect(withoutMistake(view, "`where` at character 1: no")).toBeNull();
  expect(withoutMistake(view, "`fields`: there is no field `nope`")).toBe("runs?where=seed+%3D+1");
  expect(withoutMistake(at("sort=nope"), "`sort`: there is no field `nope`")).toBe("runs");
});

test("figures are those that the server names", () => {
  const field = (name: string, is_figure: boolean) => ({ name, takes: ["number" as const], words: [], is_figure });
  expect(figuresOf([field("trial", false), field("energy", true)])).toEqual(["energy"]);
});

test("a group leads to its jobs, with the columns of the view and the figure", () => {
  const query = (of: string, ...values: (string | number | null)[]) => Object.fromEntries(new URLSearchParams(members(at(of), values).replace("runs?", "")));
  expect(query("group=arm", "a b")).toEqual({ where: 'arm = "a b"', sort: "test_error" });
  expect(query("where=seed+%3D+1&group=tags,train.batch_size&figure=best_test_accuracy&columns=arm&archived=1", null, 64)).toEqual({
    where: "seed = 1 and tags = null and train.batch_size = 64",
    sort: "-best_test_accuracy",
    columns: "arm,best_test_accuracy",
    archived: "1",
  });
});

test("headings are as short as they can be told apart", () => {
  const names = ["test_error", "train.optimizer.learning_rate", "method.learning_rate", "train.batch_size"];
  expect(headings(names)).toEqual(["test error", "optimizer learning rate", "method learning rate", "batch size"]);
});
