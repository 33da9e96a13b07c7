import { expect, test } from "vitest";
import { mentions, styleArms } from "./arms";

const arm = (name: string) => ({ name, method: name === "baseline" ? "baseline" : "opt:cayley" });

test("the experiment's baseline is grey at any position, the others take colours in order", () => {
  const tokens = (baseline: string | null) => styleArms([arm("opt-a"), arm("baseline"), arm("opt-b")], baseline).map((style) => style.token);
  expect(tokens("baseline")).toEqual(["--arm-0", "--arm-baseline", "--arm-1"]);
  expect(tokens("opt-b")).toEqual(["--arm-0", "--arm-1", "--arm-baseline"]);
  expect(tokens(null)).toEqual(["--arm-0", "--arm-1", "--arm-2"]);
});

test("colour and line style distinguish twenty arms", () => {
  const styles = styleArms(Array.from({ length: 20 }, (_, index) => arm(`opt-${index}`)));
  expect(new Set(styles.map((style) => `${style.token} ${style.dash}`)).size).toBe(20);
});

test("names of arms are found in a sentence, longer ones first", () => {
  const styles = styleArms([arm("baseline"), arm("opt"), arm("opt-cayley")]);
  const parts = mentions("opt-cayley leads baseline by 0.84 points", styles);
  expect(parts.map((part) => [part.text, part.arm?.name])).toEqual([
    ["opt-cayley", "opt-cayley"],
    [" leads ", undefined],
    ["baseline", "baseline"],
    [" by 0.84 points", undefined],
  ]);
});
