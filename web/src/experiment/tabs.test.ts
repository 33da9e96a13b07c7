import { expect, test } from "vitest";
import { keysOf, tabsOf } from "./tabs";

test("the tab of warnings is there if there are some or the address names it", () => {
  expect(tabsOf(["overview", "seeds"], 0, null).map(({ text }) => text)).toEqual(["Overview", "Arms × seeds"]);
  expect(tabsOf(["overview"], 3, null).at(-1)).toEqual({ key: "warnings", text: "Warnings 3" });
  expect(tabsOf(["overview"], 0, "warnings").at(-1)).toEqual({ key: "warnings", text: "Warnings 0" });
});

test("only a tuned experiment has the tab of its tuning", () => {
  expect(keysOf(false)).not.toContain("tuning");
  expect(keysOf(true).slice(0, 3)).toEqual(["overview", "tuning", "jobs"]);
  expect(keysOf(true).filter((key) => key !== "tuning")).toEqual(keysOf(false));
});
